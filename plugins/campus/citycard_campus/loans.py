"""What the school's library lent, and what came back."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import attrs
from sqlalchemy import Connection, select

from citycard_campus.tables import loan

if TYPE_CHECKING:
    from typing import Any

__all__ = ["Loan", "loans_of"]


@attrs.frozen(kw_only=True)
class Loan:
    """An item that was lent; ``back_at`` is None while it is out, ``late_fen`` what it cost late."""

    id: int
    pupil: int
    school: int
    item: str
    lent_at: dt.datetime
    due: dt.date
    back_at: dt.datetime | None
    late_fen: int


def loans_of(conn: Connection, *conditions: Any, limit: int = 200) -> list[Loan]:
    """Give the loans for which conditions on the table hold, newest first."""
    found = conn.execute(select(loan).where(*conditions).order_by(loan.c.id.desc()).limit(limit))
    return [Loan(**row._mapping) for row in found]  # noqa: SLF001 - a Row's own way
