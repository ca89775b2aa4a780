"""Cards that are given up: when what is on them is owed, how much it is, and which card comes after."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import attrs
from sqlalchemy import Connection, insert, select, update

from citycard.registry import tables

__all__ = [
    "CardClosing",
    "ClosingState",
    "add_closing",
    "closing_for",
    "closing_of",
    "closings",
    "find_closing",
    "set_closing",
]


class ClosingState(StrEnum):
    """``waiting`` for the last taps to come in; ``owed`` to the holder; ``settled`` when it was given."""

    WAITING = "waiting"
    OWED = "owed"
    SETTLED = "settled"


@attrs.frozen(kw_only=True)
class CardClosing:
    """A card that is given up, for ``successor`` or for its money; ``owed_fen`` is known when it is due."""

    asn: str
    successor: str | None = None
    opened_at: datetime
    due_on: date
    state: ClosingState = attrs.field(default=ClosingState.WAITING, converter=ClosingState)
    owed_fen: int | None = None


def add_closing(conn: Connection, closing: CardClosing) -> None:
    """Begin the closing of a card; a card has one for ever."""
    conn.execute(insert(tables.card_closing), attrs.asdict(closing) | {"state": str(closing.state)})


def find_closing(conn: Connection, asn: str) -> CardClosing | None:
    """Give the closing of a card, held until the transaction ends, or None while the card is in use."""
    table = tables.card_closing
    row = conn.execute(select(table).where(table.c.asn == asn).with_for_update()).one_or_none()
    return CardClosing(**row._mapping) if row is not None else None  # noqa: SLF001 - a Row's own way


def closing_of(conn: Connection, asn: str) -> CardClosing | None:
    """Give the closing of a card to look at, or None while the card is in use."""
    table = tables.card_closing
    row = conn.execute(select(table).where(table.c.asn == asn)).one_or_none()
    return CardClosing(**row._mapping) if row is not None else None  # noqa: SLF001 - a Row's own way


def closing_for(conn: Connection, successor: str) -> CardClosing | None:
    """Give the closing of the card that another one replaces, or None when that replaces none."""
    table = tables.card_closing
    row = conn.execute(select(table).where(table.c.successor == successor)).one_or_none()
    return CardClosing(**row._mapping) if row is not None else None  # noqa: SLF001 - a Row's own way


def set_closing(conn: Connection, asn: str, state: ClosingState, owed_fen: int) -> None:
    """Note how far the closing of a card has come, and what is owed for it."""
    table = tables.card_closing
    conn.execute(update(table).where(table.c.asn == asn).values(state=str(state), owed_fen=owed_fen))


def closings(
    conn: Connection, state: ClosingState | None = None, *, due_by: date | None = None
) -> list[CardClosing]:
    """Give the closings in a state, or all, whose day has come by ``due_by``, in the order of that day."""
    table = tables.card_closing
    query = select(table).order_by(table.c.due_on, table.c.asn)
    if state is not None:
        query = query.where(table.c.state == str(state))
    if due_by is not None:
        query = query.where(table.c.due_on <= due_by)
    rows = conn.execute(query)
    return [CardClosing(**row._mapping) for row in rows]  # noqa: SLF001 - the documented way to read a row
