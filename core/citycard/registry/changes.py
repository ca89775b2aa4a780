"""What people change of whoever is paid: the new value, and beside it what was there, why, and who did it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeVar

import attrs
from sqlalchemy import Column, Connection, ForeignKey, String, Table, insert, select, update

from citycard.store.guarding import append_only
from citycard.store.metadata import SerialNumber, UtcTime, metadata

__all__ = ["Change", "change_table", "changes_of", "hold_row", "write_changes"]

_R = TypeVar("_R", bound="Change")


@attrs.frozen(kw_only=True)
class Change:
    """A field that somebody changed, why and who; ``at`` is aware UTC."""

    field: str
    before: str
    after: str
    reason: str
    at: datetime
    actor: str

    @property
    def words(self) -> str:
        """Say it in a line."""
        return f"{self.at:%Y-%m-%d} {self.field}: {self.before} -> {self.after} ({self.actor}: {self.reason})"


def change_table(name: str, owner: str, key: Column[Any]) -> Table:
    """Make the table of the changes of the rows with a ``key``, which stands in the column ``owner``.

    Rows are only added: nobody can change what was changed.
    """
    table = Table(
        name,
        metadata,
        Column("seq", SerialNumber, primary_key=True, autoincrement=True),
        Column(owner, key.type, ForeignKey(key), nullable=False, index=True),
        Column("field", String(16), nullable=False),
        Column("before", String(100), nullable=False),
        Column("after", String(100), nullable=False),
        Column("reason", String(200), nullable=False),
        Column("at", UtcTime, nullable=False),
        Column("actor", String(100), nullable=False),
        sqlite_autoincrement=True,
    )
    append_only(table)
    return table


def hold_row(conn: Connection, key: Column[Any], value: str) -> None:
    """Lock a row, so that what two desks change at once is written down one after the other."""
    conn.execute(select(key).where(key == value).with_for_update())


def write_changes(
    conn: Connection,
    key: Column[Any],
    changes: Table,
    before: Any,
    after: Any,
    *,
    reason: str,
    actor: str,
    at: datetime | None,
) -> None:
    """Change the fields in which two records of a row differ, and write each down; ``at`` is now if None."""
    names = [
        one.name for one in attrs.fields(type(before)) if _told(before, one.name) != _told(after, one.name)
    ]
    if not names:
        return
    (owner,) = (link.parent.name for link in changes.foreign_keys)
    value = getattr(before, key.name)
    # What is optional and empty is nothing; every other field is text.
    values = {name: None if getattr(after, name) is None else _told(after, name) for name in names}
    conn.execute(update(key.table).where(key == value).values(values))
    shared = {owner: value, "reason": reason, "at": at or datetime.now(UTC), "actor": actor}
    rows = [
        shared | {"field": name, "before": _told(before, name), "after": _told(after, name)} for name in names
    ]
    conn.execute(insert(changes), rows)


def _told(record: Any, name: str) -> str:
    value = getattr(record, name)
    return "" if value is None else str(value)


def changes_of(conn: Connection, changes: Table, kind: type[_R], value: str) -> list[_R]:
    """Give every change of one row as records of a kind, oldest first."""
    (owner,) = (link.parent for link in changes.foreign_keys)
    query = select(changes).where(owner == value).order_by(changes.c.seq)
    names = attrs.fields_dict(kind)
    return [kind(**{name: getattr(row, name) for name in names}) for row in conn.execute(query)]
