"""Whose tables are whose: the core has no prefix, a plugin's are all named ``<plugin>_…``."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import attrs
from sqlalchemy import Connection, MetaData, inspect, text

from citycard.errors import TableRefused
from citycard.store.metadata import metadata as core_metadata

__all__ = ["CORE", "Owner", "core_tables", "plugin_owner", "trigger_names", "version_tables"]

_VERSION = "citycard_version"
_PLUGIN = re.compile(r"[a-z][a-z0-9]*")
_CREATED = re.compile(r"op\.create_table\(\s*[\"'](\w+)")
_DROPPED = re.compile(r"op\.drop_table\(\s*[\"'](\w+)")


@attrs.frozen(kw_only=True)
class Owner:
    """Somebody who has tables: the core (its name is ``citycard``) or one plugin."""

    name: str
    prefix: str
    version_table: str
    metadata: MetaData
    migrations: Path
    core_schema: str | None = None

    def owns(self, table: str) -> bool:
        """Say whether a table of this name belongs to this owner."""
        if self.prefix:
            return table.startswith(self.prefix)
        return table in core_tables()

    def includes(self) -> Callable[..., bool]:
        """Give Alembic the rule that keeps everybody else's tables out of a comparison."""

        def include(name: str | None, kind: str, _parents: Any) -> bool:
            return kind != "table" or (name is not None and self.owns(name))

        return include


CORE = Owner(
    name="citycard",
    prefix="",
    version_table=_VERSION,
    metadata=core_metadata,
    migrations=Path(__file__).parent / "migrations",
)


def core_tables() -> frozenset[str]:
    """Give the names of the core's tables: those its migrations make, and those declared since.

    Which packages of the core happen to be imported makes no difference.
    """
    return _migrated_tables() | core_metadata.tables.keys()


@cache
def _migrated_tables() -> frozenset[str]:
    names: set[str] = set()
    for file in sorted(CORE.migrations.glob("[0-9]*.py")):
        upgrade = file.read_text(encoding="utf-8").partition("\ndef downgrade")[0]
        names |= set(_CREATED.findall(upgrade))
        names -= set(_DROPPED.findall(upgrade))
    return frozenset(names)


def plugin_owner(name: str, metadata: MetaData, folder: Path, core_schema: str | None = None) -> Owner:
    """Check the tables a plugin declares, and say who owns them.

    Every table must be named ``<name>_…``; foreign keys may lead to the plugin's own tables and to the
    core's, never to another plugin's. Raise TableRefused with the table and the reason.
    """
    prefix = f"{name}_"
    if not _PLUGIN.fullmatch(name):
        raise TableRefused(
            plugin=name, table=prefix, reason="needs a plugin name of lower-case letters and digits"
        )
    known = core_tables()
    for core_table in sorted(known):
        if core_table.startswith(prefix):
            raise TableRefused(
                plugin=name, table=core_table, reason="is the core's: the plugin needs another name"
            )
    for table in metadata.tables.values():
        if not table.name.startswith(prefix) or table.schema is not None:
            raise TableRefused(
                plugin=name, table=table.fullname, reason=f"must be named {prefix}…, in no schema"
            )
        for key in table.foreign_keys:
            target = key.target_fullname.rpartition(".")[0]
            if not target.startswith(prefix) and target not in known:
                reason = f"refers to {target}, which is neither the plugin's own nor the core's"
                raise TableRefused(plugin=name, table=table.name, reason=reason)
    return Owner(
        name=name,
        prefix=prefix,
        version_table=f"{_VERSION}_{name}",
        metadata=metadata,
        migrations=folder,
        core_schema=core_schema,
    )


def version_tables(conn: Connection) -> dict[str, str]:
    """Give the version table of everybody who has tables here, by owner."""
    names = [name for name in inspect(conn).get_table_names() if name.startswith(_VERSION)]
    return {name.removeprefix(_VERSION).lstrip("_") or CORE.name: name for name in names}


def trigger_names(conn: Connection) -> set[str]:
    """Give the names of all triggers in the database."""
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if conn.dialect.name == "sqlite"
        else "SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
        "JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE NOT t.tgisinternal AND n.nspname = current_schema()"
    )
    return set(conn.scalars(text(query)))
