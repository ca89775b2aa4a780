"""Refuse, in the database itself, to change or delete what was written once."""

from __future__ import annotations

from sqlalchemy import DDL, Table, event

__all__ = ["append_only", "append_only_sql", "append_only_triggers"]

_POSTGRESQL_FUNCTION = """\
CREATE OR REPLACE FUNCTION citycard_refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME; END $$"""


_POSTGRESQL_TRIGGER = """\
CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION citycard_refuse_change()"""

_SQLITE_TRIGGER = """\
CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, 'table {table} is append-only'); END"""


def append_only(table: Table) -> None:
    """Make ``table`` append-only: UPDATE, DELETE and TRUNCATE are refused by triggers."""
    table.info["append_only"] = True
    for dialect in ("sqlite", "postgresql"):
        for statement in append_only_sql(table.name, dialect):
            ddl = DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]
            event.listen(table, "after_create", ddl.execute_if(dialect=dialect))


def append_only_sql(table: str, dialect: str) -> list[str]:
    """Give the statements that make a table append-only on ``sqlite`` or ``postgresql``.

    Migrations, a plugin's as well, run them after creating the table.
    """
    if dialect == "sqlite":
        return [_SQLITE_TRIGGER.format(table=table, verb=verb) for verb in ("update", "delete")]
    return [_POSTGRESQL_FUNCTION, _POSTGRESQL_TRIGGER.format(table=table)]


def append_only_triggers(table: str, dialect: str) -> list[str]:
    """Give the names of the triggers that make a table append-only."""
    verbs = ("update", "delete") if dialect == "sqlite" else ("change",)
    return [f"{table}_no_{verb}" for verb in verbs]
