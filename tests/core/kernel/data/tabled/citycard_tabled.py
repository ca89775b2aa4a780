"""Has one table."""

from pathlib import Path

from sqlalchemy import Column, Integer, MetaData, Table

from citycard import PluginInfo, Schema, hookimpl
from citycard.store.metadata import NAMING_CONVENTION


@hookimpl
def citycard_plugin():
    return PluginInfo(name="tabled", title="Tabled", core=">=0.1,<1")


tables = MetaData(naming_convention=NAMING_CONVENTION)
visit = Table("tabled_visit", tables, Column("id", Integer, primary_key=True))


@hookimpl
def citycard_schema():
    return Schema(metadata=tables, migrations=Path(__file__).parent / "migrations")
