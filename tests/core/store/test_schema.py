import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table

import citycard.registry.tables
from citycard.errors import TableRefused
from citycard.store.schema import CORE, plugin_owner

HERE = Path(__file__).parent


def owner(*tables, name="zoo"):
    metadata = MetaData()
    for table, *columns in tables:
        Table(table, metadata, Column("id", Integer, primary_key=True), *columns)
    return plugin_owner(name, metadata, HERE)


def test_a_plugins_tables_are_its_own():
    zoo = owner(("zoo_animal",))
    assert zoo.version_table == "citycard_version_zoo"
    assert (zoo.owns("zoo_animal"), zoo.owns("zoology_book"), zoo.owns("card")) == (True, False, False)
    assert (CORE.owns("card"), CORE.owns("zoo_animal")) == (True, False)


def test_a_table_without_the_prefix_is_refused_by_name():
    with pytest.raises(TableRefused, match=r"plugin zoo: table 'animal' must be named zoo_…"):
        owner(("animal",))


def test_a_plugin_whose_prefix_is_on_the_cores_tables_is_refused():
    with pytest.raises(TableRefused, match=r"plugin card: table 'card_[a-z_]+' is the core's"):
        owner(("card_zoo",), name="card")


@pytest.mark.parametrize("name", ["", "Zoo", "zoo_animals", "1zoo"])
def test_a_name_that_makes_no_prefix_is_refused(name):
    with pytest.raises(TableRefused, match="lower-case letters and digits"):
        owner(name=name)


def test_a_plugin_may_refer_to_the_core_and_to_itself():
    asn = Column("asn", String(20), ForeignKey(citycard.registry.tables.card.c.asn))
    other = Column("other", Integer, ForeignKey("zoo_animal.id"))
    assert owner(("zoo_animal", asn, other)).name == "zoo"


def test_the_cores_tables_are_known_whatever_is_imported():
    program = """
import sys
from citycard.store.schema import core_tables
assert not any(name.startswith("citycard.registry") for name in sys.modules)
assert {"card", "transfer", "plugin_state", "outbox"} <= core_tables()
assert "citycard_version" not in core_tables()
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_plugin_may_not_refer_to_another_plugin():
    with pytest.raises(TableRefused, match="'zoo_animal' refers to park_gate, which is neither"):
        owner(("zoo_animal", Column("gate", Integer, ForeignKey("park_gate.id"))))
