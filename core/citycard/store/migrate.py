"""Bring tables up to date with Alembic: the core's, and each plugin's with a version table of its own.

Version tables are ``citycard_version`` and ``citycard_version_<plugin>``. Each owner is migrated in one
transaction under one lock, so that two processes that start together do not meet. Only ``citycard db``
and enabling a plugin call this; servers do not migrate when they start.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import CheckConstraint, Connection, Engine, MetaData, Table, inspect, text

from citycard.errors import MigrationRefused
from citycard.store import outbox  # noqa: F401 - so that its table is among those that are compared
from citycard.store.guarding import append_only_triggers
from citycard.store.revisions import SchemaState, schema_state
from citycard.store.schema import CORE, Owner, plugin_owner, trigger_names, version_tables

__all__ = [
    "SchemaState",
    "downgrade_plugin",
    "drift",
    "present_schemas",
    "schema_state",
    "scripts_of",
    "state_by_alembic",
    "upgrade",
    "upgrade_owner",
    "upgrade_plugin",
]

# Any number will do, as long as all versions of citycard use the same one.
_LOCK_KEY = 0x6369_7479
# Alembic's ``op`` is one per process.
_ONE_AT_A_TIME = Lock()


def upgrade(engine: Engine) -> SchemaState:
    """Create or upgrade the core's tables; raise MigrationRefused when the database is not in order."""
    return upgrade_owner(engine, CORE)


def upgrade_plugin(
    engine: Engine, name: str, metadata: MetaData, folder: Path, core_schema: str | None = None
) -> SchemaState:
    """Create or upgrade the tables of one plugin.

    ``folder`` holds its revision files, ``core_schema`` is the core's revision that they build on. Raise
    TableRefused for a table the plugin may not have, MigrationRefused when the database is not in order.
    """
    return upgrade_owner(engine, plugin_owner(name, metadata, folder, core_schema))


def upgrade_owner(engine: Engine, owner: Owner) -> SchemaState:
    """Bring the tables of ``owner`` to the head of its revisions, in one transaction."""
    scripts = scripts_of(owner)
    with _locked(engine) as conn:
        before = _state(conn, owner, scripts)
        if before.current is None:
            _refuse_leftovers(conn, owner)
        _require_core(conn, owner)
        if not before.up_to_date:
            _run(conn, owner, scripts, lambda at: scripts._upgrade_revs("head", at))  # noqa: SLF001
        return _state(conn, owner, scripts)


def downgrade_plugin(engine: Engine, name: str, metadata: MetaData, folder: Path) -> None:
    """Remove the tables of one plugin and its version table, as its own revisions say.

    Whether that may be done, with cards in pockets and postings unsettled, is for the caller to know.
    """
    owner = plugin_owner(name, metadata, folder)
    with _locked(engine) as conn:
        if owner.name not in version_tables(conn):
            return
        scripts = scripts_of(owner)
        _run(conn, owner, scripts, lambda at: scripts._downgrade_revs("base", at))  # noqa: SLF001
        conn.execute(text(f"DROP TABLE {owner.version_table}"))
        _refuse_leftovers(conn, owner)


def state_by_alembic(conn: Connection, owner: Owner) -> SchemaState:
    """Say what ``schema_state`` says, of revisions in whatever order and spelling Alembic reads."""
    return _state(conn, owner, scripts_of(owner))


def present_schemas(conn: Connection) -> dict[str, str | None]:
    """Give the revision of everybody who has tables here, by owner, be the plugin installed or not."""
    return {
        owner: conn.scalar(text(f"SELECT version_num FROM {table}"))  # noqa: S608 - a name out of the catalogue
        for owner, table in sorted(version_tables(conn).items())
    }


def drift(conn: Connection, owner: Owner = CORE) -> list[str]:
    """Compare an owner's declared tables with those in the database and say each difference in one line."""
    options = {
        "version_table": owner.version_table,
        "include_name": owner.includes(),
        "compare_type": True,
    }
    context = MigrationContext.configure(conn, opts=options)
    found = [str(difference) for difference in compare_metadata(context, owner.metadata)]
    inspector = inspect(conn)
    for table in owner.metadata.sorted_tables:
        if inspector.has_table(table.name):
            # Alembic does not look at these.
            here = {str(check["name"]) for check in inspector.get_check_constraints(table.name)}
            found += [
                f"check {name} of {table.name} differs" for name in sorted(here ^ _check_names(conn, table))
            ]
    triggers = {
        name
        for table in owner.metadata.sorted_tables
        if table.info.get("append_only")
        for name in append_only_triggers(table.name, conn.dialect.name)
    }
    return found + [f"trigger {name} is missing" for name in sorted(triggers - trigger_names(conn))]


def _check_names(conn: Connection, table: Table) -> set[str]:
    """Give the names of a table's checks as the naming convention spells them in this database."""
    spell = conn.dialect.identifier_preparer.format_constraint
    checks = (item for item in table.constraints if isinstance(item, CheckConstraint))
    return {str(spell(check)).strip('"') for check in checks if not getattr(check, "_type_bound", False)}


def scripts_of(owner: Owner) -> ScriptDirectory:
    """Open an owner's revisions."""
    return ScriptDirectory(str(owner.migrations), version_locations=[str(owner.migrations)])


@contextmanager
def _locked(engine: Engine) -> Iterator[Connection]:
    with _ONE_AT_A_TIME, engine.begin() as conn:
        if conn.dialect.name == "postgresql":
            conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
        else:
            # A rebuilt table leaves and comes back within the transaction; references are checked at its end.
            conn.execute(text("PRAGMA defer_foreign_keys = ON"))
        yield conn


def _state(conn: Connection, owner: Owner, scripts: ScriptDirectory) -> SchemaState:
    context = MigrationContext.configure(conn, opts={"version_table": owner.version_table})
    return SchemaState(
        owner=owner.name, current=context.get_current_revision(), head=scripts.get_current_head()
    )


def _refuse_leftovers(conn: Connection, owner: Owner) -> None:
    """Refuse to start where tables stand that no migration made: nobody knows what is in them."""
    tables = set(inspect(conn).get_table_names()) - set(version_tables(conn).values())
    if owner is CORE:
        reason = "the database has tables and no {}; give the city an empty database, or restore a backup"
        left = tables
    else:
        reason = "its tables are there and {} is not; restore a backup, or rename them"
        left = {table for table in tables if owner.owns(table)}
    if left:
        named = ", ".join(sorted(left)[:5])
        raise MigrationRefused(
            owner=owner.name, reason=f"{reason.format(owner.version_table)} (found {named})"
        )


def _require_core(conn: Connection, owner: Owner) -> None:
    if owner.core_schema is None:
        return
    scripts = scripts_of(CORE)
    current = _state(conn, CORE, scripts).current
    known = scripts.iterate_revisions(current, "base") if current else ()
    if owner.core_schema not in {script.revision for script in known}:
        reason = f"it builds on the core's revision {owner.core_schema}, and the core is at {current}"
        raise MigrationRefused(owner=owner.name, reason=f"{reason}: upgrade the core first")


def _run(conn: Connection, owner: Owner, scripts: ScriptDirectory, steps: Any) -> None:
    environment = EnvironmentContext(Config(), scripts, fn=lambda at, _context: steps(at))
    environment.configure(
        connection=conn,
        target_metadata=owner.metadata,
        version_table=owner.version_table,
        # SQLite can do it as well, now that the transaction is our own.
        transactional_ddl=True,
        render_as_batch=True,
    )
    try:
        with environment:
            environment.run_migrations()
    except CommandError as error:
        reason = f"{error}; the database was written by another version, install that one"
        raise MigrationRefused(owner=owner.name, reason=reason) from error
