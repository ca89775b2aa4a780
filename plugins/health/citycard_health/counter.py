"""What accepted records say: purses paid visits, cards checked in, emergency data was read."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import Connection, insert, select, update

from citycard.errors import RegistryMissing
from citycard.ids import derived_id
from citycard.store import reading, writing
from citycard_health.booking import keep
from citycard_health.events import DataRead, tell
from citycard_health.patients import HealthReading, note_reading, patient_of
from citycard_health.returns import even_out, settle_state
from citycard_health.sectors import EmergencyAct, EmergencyFacts, RegistrationFacts, VisitFacts
from citycard_health.services import CARD_SERVICE, NUMBERS, VISIT
from citycard_health.settings import REGISTRATION
from citycard_health.tables import paid_record as paid_table
from citycard_health.tables import run_seen
from citycard_health.tables import visit as visit_table

if TYPE_CHECKING:
    from citycard.city import City
    from citycard.clearing.accepted import AcceptedRecord

__all__ = ["take_records"]


def take_records(city: City) -> int:
    """Take what the runs that closed since the last time say about health; again without harm.

    Return how many records there were.
    """
    from citycard.clearing.accepted import closed_runs

    taken = 0
    with reading(city.engine) as conn:
        seen = set(conn.scalars(select(run_seen.c.number)))
        runs = [number for number in closed_runs(conn) if number not in seen]
    for number in runs:
        taken += _take_run(city, number)
        with writing(city.engine) as conn:
            if conn.scalar(select(run_seen.c.number).where(run_seen.c.number == number)) is None:
                conn.execute(insert(run_seen), {"number": number})
    return taken


def _take_run(city: City, number: int) -> int:
    from citycard.clearing.accepted import accepted_records, decided_records

    services = {NUMBERS[VISIT], NUMBERS[REGISTRATION], NUMBERS[CARD_SERVICE]}
    with reading(city.engine) as conn:
        records = [
            *accepted_records(city, conn, number, services),
            *decided_records(city, conn, number, services),
        ]
    visits = set()
    for record in records:
        with writing(city.engine) as conn:
            if record.service == NUMBERS[VISIT]:
                visits |= _paid(conn, record, UUID(bytes=record.read(VisitFacts).visit))
            elif record.service == NUMBERS[REGISTRATION]:
                booking = UUID(bytes=record.read(RegistrationFacts).booking)
                keep(conn, booking, record.asn, record.at, record.id)
            else:
                _read(conn, city, record, record.read(EmergencyFacts))
    for visit in sorted(visits):
        even_out(city, visit)
    return len(records)


def _paid(conn: Connection, record: AcceptedRecord, visit: UUID) -> set[UUID]:
    """Count what a purse paid of a visit, once; a record of no visit is the clinic's own affair."""
    query = select(visit_table.c.id).where(visit_table.c.id == visit).with_for_update()
    if conn.scalar(query) is None or not record.amount_fen:
        return set()
    if conn.scalar(select(paid_table.c.record).where(paid_table.c.record == record.id)) is None:
        row = {"record": record.id, "visit": visit, "amount_fen": record.amount_fen, "returned_fen": 0}
        conn.execute(insert(paid_table), row)
        more = visit_table.c.purse_paid_fen + record.amount_fen
        conn.execute(update(visit_table).where(visit_table.c.id == visit).values(purse_paid_fen=more))
        settle_state(conn, visit)
    return {visit}


def _read(conn: Connection, city: City, record: AcceptedRecord, facts: EmergencyFacts) -> None:
    if facts.act is not EmergencyAct.READ:
        return
    reason = facts.reason.name.lower().replace("_", " ") + (f": {facts.note}" if facts.note else "")
    reader = f"{record.partner}: {facts.staff}"
    told = HealthReading(at=record.at, reader=reader, what="emergency data", reason=reason, break_glass=True)
    try:
        owner = patient_of(conn, record.asn, city.clock.now(), in_use=False)
    except RegistryMissing:
        return  # a card of another city, which keeps its own log
    if note_reading(conn, derived_id("health reading", record.id), owner.id, told):
        tell(
            conn,
            DataRead(asn=record.asn, reader=reader, what=told.what, reason=reason, break_glass=True),
        )
