"""The personal data of health: handed over to its holder, and erased."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, delete, select, update

from citycard.kernel.data import PersonalData
from citycard_health.tables import entry, line, patient, visit

__all__ = ["PERSONAL_DATA"]

_MOST = 1000


def _export(conn: Connection, asn: str) -> Iterator[Mapping[str, Any]]:
    """Say what is kept. What is sealed needs health's keys: the holder reads it at ``/health/mine``."""
    # Imported here: whoever opens a city does without.
    from citycard_health.booking import appointments_of_card
    from citycard_health.patients import readings_of

    row = conn.execute(select(patient).where(patient.c.asn == asn)).one_or_none()
    if row is None:
        return
    yield {"plan": row.plan, "insured until": row.insured_until and row.insured_until.isoformat()}
    for made in appointments_of_card(conn, row.id, limit=_MOST):
        yield {"appointment": made.starts_at.isoformat(), "clinic": made.clinic, "state": made.state.value}
    for paid in conn.execute(select(visit).where(visit.c.patient == row.id).order_by(visit.c.at)):
        yield {"visit": paid.at.isoformat(), "clinic": paid.clinic, "price_fen": paid.price_fen}
    for known in conn.execute(select(entry.c.kind, entry.c.recorded_at).where(entry.c.patient == row.id)):
        yield {"record": known.kind, "recorded": known.recorded_at.isoformat(), "content": "sealed"}
    for read in readings_of(conn, row.id, limit=_MOST):
        yield {"read": read.at.isoformat(), "by": read.reader, "what": read.what, "why": read.reason}


def _erase(conn: Connection, asn: str) -> int:
    """Erase what is known of somebody's health; what was paid stays in the books, without saying what for."""
    found = conn.scalar(select(patient.c.id).where(patient.c.asn == asn))
    if found is None:
        return 0
    gone = conn.execute(delete(entry).where(entry.c.patient == found)).rowcount
    mine = select(visit.c.id).where(visit.c.patient == found)
    gone += conn.execute(update(line).where(line.c.visit.in_(mine)).values(sealed=b"")).rowcount
    known = update(patient).where(patient.c.id == found, patient.c.sealed.is_not(None))
    return gone + conn.execute(known.values(sealed=None)).rowcount


PERSONAL_DATA = PersonalData(
    name="health", title="Appointments, visits and the health record", export=_export, erase=_erase
)
