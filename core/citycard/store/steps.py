"""The steps of cases that people work on: each is taken once, by somebody, and stays for ever."""

from __future__ import annotations

from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import attrs
from sqlalchemy import Connection, Table, insert, select

from citycard.errors import CaseStepConflict, CaseTaken, Phrase

__all__ = ["CaseStep", "StepBook", "too_long"]

_ACTOR, _DETAIL = 100, 300
_About = TypeVar("_About")


@attrs.frozen(kw_only=True)
class CaseStep:
    """One step in the life of a case: what was done, by whom, and when (UTC)."""

    id: UUID
    what: str
    actor: str
    detail: str
    at: datetime


def too_long(fields: str, told: str, words: str) -> str:
    """Say what is too long for a step to keep the whole of its ``words``, in which ``told`` is; else nothing.

    Two persons who say the same are compared by these words, so that none of them may be cut off.
    """
    most = _DETAIL - (len(words) - len(told))
    if len(told) <= most:
        return ""
    return Phrase(
        "{fields}: {count} characters, expected {most} at most", fields=fields, count=len(told), most=most
    )


class StepBook(Generic[_About]):
    """Keep steps in an append-only table with the columns seq, id, about, what, actor, detail and at."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def history(self, conn: Connection, about: _About) -> list[CaseStep]:
        """Give the steps of a case, the oldest first."""
        table = self._table
        columns = [table.c[field.name] for field in attrs.fields(CaseStep)]
        query = select(*columns).where(table.c.about == about).order_by(table.c.seq)
        return [CaseStep(**row._mapping) for row in conn.execute(query)]  # noqa: SLF001 - a Row's own way

    def find(self, conn: Connection, step: UUID) -> CaseStep | None:
        """Give a step by its id, whatever it is about; None when it was not taken."""
        row = conn.execute(select(self._table).where(self._table.c.id == step)).one_or_none()
        names = (field.name for field in attrs.fields(CaseStep))
        return None if row is None else CaseStep(**{name: getattr(row, name) for name in names})

    def is_done(
        self, conn: Connection, about: _About, step: UUID, what: str, actor: str, detail: str | None = None
    ) -> bool:
        """Say whether this step was taken; ``detail`` is None where it follows from what was before.

        Raise CaseStepConflict when another step was taken under its id.
        """
        done = conn.execute(select(self._table).where(self._table.c.id == step)).one_or_none()
        if done is None:
            return False
        kept = {"case": done.about, "deed": done.what, "actor": done.actor}
        wanted: dict[str, object] = {"case": about, "deed": what, "actor": actor[:_ACTOR]}
        if detail is not None:
            kept["content"], wanted["content"] = done.detail, detail[:_DETAIL]
        for field, value in wanted.items():
            if kept[field] != value:
                raise CaseStepConflict(step=str(step), field=field)
        return True

    def taken(self, conn: Connection, about: _About, timezone: str) -> CaseTaken:
        """Give the error which says who has a case, and since when by the clock of the city."""
        last = self.history(conn, about)[-1]
        since = f"{last.at.astimezone(ZoneInfo(timezone)):%F %H:%M}"
        return CaseTaken(case=str(about), taken_by=last.actor, since=since)

    def write(
        self, conn: Connection, about: _About, step: UUID, what: str, actor: str, detail: str, at: datetime
    ) -> None:
        """Add one step, whose id its maker chose, to the history of a case."""
        told = {"what": what, "actor": actor[:_ACTOR], "detail": detail[:_DETAIL]}
        conn.execute(insert(self._table).values({"id": step, "about": about, "at": at} | told))
