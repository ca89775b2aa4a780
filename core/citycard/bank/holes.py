"""Statements that have not come: numbers that are left out, and balances that do not follow on."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import attrs
from sqlalchemy import Connection, select

from citycard.bank.tables import bank_statement

__all__ = ["Hole", "holes"]


@attrs.frozen(kw_only=True)
class Hole:
    """Something is missing between two statements, whose numbers in the store these are.

    ``missing`` counts the bank's numbers that were left out, 0 where it has none; ``moved_fen`` is by how
    much the balance moved in between.
    """

    after: int
    before: int
    from_day: date
    to_day: date
    missing: int
    moved_fen: int


def holes(conn: Connection, account: str) -> list[Hole]:
    """Give the holes among the statements of an account, the earliest first.

    A number that starts again at 1 is a new year of the bank's.
    """
    query = select(bank_statement).where(bank_statement.c.account == account)
    in_order = query.order_by(bank_statement.c.closed_on, bank_statement.c.sequence, bank_statement.c.number)
    rows = conn.execute(in_order).all()
    found = []
    for earlier, later in pairwise(rows):
        counted = None not in {earlier.sequence, later.sequence} and later.sequence > earlier.sequence
        missing = later.sequence - earlier.sequence - 1 if counted else 0
        moved_fen = later.opening_fen - earlier.closing_fen
        if missing or moved_fen:
            found.append(
                Hole(
                    after=earlier.number,
                    before=later.number,
                    from_day=earlier.closed_on,
                    to_day=later.opened_on,
                    missing=missing,
                    moved_fen=moved_fen,
                )
            )
    return found
