"""At which revision somebody's tables are, and which one is the newest: asked whenever a city is opened.

That must not bring Alembic along, whose import alone takes as long as opening a small city. Revisions that
follow one another in a line, as ``store.draft`` writes them, are read from the text of their files; whatever
is written otherwise is left to Alembic.
"""

from __future__ import annotations

import re
from pathlib import Path

import attrs
from sqlalchemy import Connection, inspect, text

from citycard.store.schema import CORE, Owner

__all__ = ["SchemaState", "schema_state"]

_REVISION = re.compile(r"^revision\b[^=\n]*=[ \t]*[\"']([\w-]+)[\"'][ \t]*$", re.MULTILINE)
_DOWN_REVISION = re.compile(r"^down_revision\b[^=\n]*=[ \t]*(?:None|[\"']([\w-]+)[\"'])[ \t]*$", re.MULTILINE)


@attrs.frozen(kw_only=True)
class SchemaState:
    """Where an owner's tables are: ``current`` is None before the first migration."""

    owner: str
    current: str | None
    head: str | None

    @property
    def up_to_date(self) -> bool:
        return self.current == self.head


def schema_state(conn: Connection, owner: Owner = CORE) -> SchemaState:
    """Say at which revision an owner's tables are, and which one is the newest."""
    head, current = _last_in_line(owner.migrations), _written(conn, owner.version_table)
    if head is None or len(current) > 1:
        from citycard.store.migrate import state_by_alembic

        return state_by_alembic(conn, owner)
    return SchemaState(owner=owner.name, current=current[0] if current else None, head=head)


def _written(conn: Connection, version_table: str) -> list[str]:
    """List the revisions in a version table; none where it does not stand."""
    if not inspect(conn).has_table(version_table):
        return []
    return list(conn.scalars(text(f"SELECT version_num FROM {version_table}")))  # noqa: S608 - a plugin's name


def _last_in_line(folder: Path) -> str | None:
    """Give the last revision in a folder; None unless all its files make one line that is plain to read."""
    files, after = list(folder.glob("*.py")), dict[str, str]()
    for file in files:
        content = file.read_text(encoding="utf-8")
        revisions, before = _REVISION.findall(content), _DOWN_REVISION.findall(content)
        if len(revisions) != 1 or len(before) != 1:
            return None
        after[before[0]] = revisions[0]
    last, length = "", 0
    while last in after and length < len(files):
        last, length = after[last], length + 1
    return last if last and length == len(files) else None
