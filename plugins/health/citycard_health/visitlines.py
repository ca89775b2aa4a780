"""The lines of a visit: who pays how much of each, and, opened by health's keys, what it was for."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import attrs
from sqlalchemy import Connection, select

from citycard.errors import Phrase
from citycard_health.patients import open_sealed
from citycard_health.tables import line as line_table
from citycard_health.visits import ClinicVisit

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["VisitLine", "codes_of", "lines_of"]


@attrs.frozen(kw_only=True)
class VisitLine:
    """A line, counted from 1 as it was charged: what insurance pays of it, and whether it was given back."""

    place: int
    amount_fen: int
    deductible_fen: int
    insured_fen: int
    returned: bool


def lines_of(conn: Connection, visit: UUID) -> list[VisitLine]:
    """List the lines of a visit by their places; no word of it is about health."""
    query = select(line_table).where(line_table.c.visit == visit).order_by(line_table.c.place)
    return [
        VisitLine(
            place=row.place,
            amount_fen=row.amount_fen,
            deductible_fen=row.deductible_fen,
            insured_fen=row.insured_fen,
            returned=row.refund is not None,
        )
        for row in conn.execute(query)
    ]


def codes_of(conn: Connection, city: City, visit: ClinicVisit) -> list[str]:
    """Open what a visit was for: the codes of its items. Whoever calls this notes the reading before.

    What was erased is not there any more.
    """
    query = select(line_table).where(line_table.c.visit == visit.id).order_by(line_table.c.place)
    return [
        str(
            open_sealed(
                city, visit.patient, Phrase("line {id} {place}", id=visit.id, place=row.place), row.sealed
            )["code"]
        )
        for row in conn.execute(query)
        if row.sealed
    ]
