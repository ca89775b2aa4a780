"""The year's counters of a patient: what of the deductible and of the ceiling is used up."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection, insert, select, update

from citycard_health.split import Used
from citycard_health.tables import used as used_table

__all__ = ["change_used", "held_used", "used_in"]


def held_used(conn: Connection, patient: UUID, year: int) -> Used:
    """Give what of a year is used up, held until the transaction ends; the patient is held before."""
    mine = (used_table.c.patient == patient, used_table.c.year == year)
    row = conn.execute(select(used_table).where(*mine).with_for_update()).one_or_none()
    if row is None:
        empty = {"patient": patient, "year": year, "deductible_fen": 0, "insured_fen": 0, "sports_fen": 0}
        conn.execute(insert(used_table), empty)
        return Used()
    return Used(deductible_fen=row.deductible_fen, insured_fen=row.insured_fen)


def change_used(conn: Connection, patient: UUID, year: int, by: Used, *, back: bool = False) -> None:
    """Add to what is used up of a year, or with ``back`` take it off again."""
    sign = -1 if back else 1
    mine = update(used_table).where(used_table.c.patient == patient, used_table.c.year == year)
    conn.execute(
        mine.values(
            deductible_fen=used_table.c.deductible_fen + sign * by.deductible_fen,
            insured_fen=used_table.c.insured_fen + sign * by.insured_fen,
        )
    )


def used_in(conn: Connection, patient: UUID, year: int) -> Used:
    """Give what of a year's deductible and ceiling a patient used up."""
    mine = (used_table.c.patient == patient, used_table.c.year == year)
    row = conn.execute(select(used_table).where(*mine)).one_or_none()
    return Used() if row is None else Used(deductible_fen=row.deductible_fen, insured_fen=row.insured_fen)
