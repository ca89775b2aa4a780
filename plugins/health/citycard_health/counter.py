"""What cleared records say: purses paid visits, cards checked in, emergency data was read."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import Connection, insert, select, update

from citycard.card import decode
from citycard.clearing.codes import State
from citycard.clearing.finding import find_record
from citycard.clearing.records import ClearedRecord, select_cleared
from citycard.clearing.tables import clearing_run
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

__all__ = ["take_records"]

_MOST = 1_000_000


def take_records(city: City) -> int:
    """Take what the runs that closed since the last time say about health; again without harm.

    Return how many records there were.
    """
    taken = 0
    with reading(city.engine) as conn:
        seen = select(run_seen.c.number)
        closed = select(clearing_run.c.number).where(
            clearing_run.c.state == "closed", clearing_run.c.number.not_in(seen)
        )
        runs = sorted(conn.scalars(closed))
    for number in runs:
        taken += _take_run(city, number)
        with writing(city.engine) as conn:
            if conn.scalar(select(run_seen.c.number).where(run_seen.c.number == number)) is None:
                conn.execute(insert(run_seen), {"number": number})
    return taken


def _take_run(city: City, number: int) -> int:
    services = (NUMBERS[VISIT], NUMBERS[REGISTRATION], NUMBERS[CARD_SERVICE])
    conditions = ("service IN ($visit, $registration, $card)", "state = $state")
    values = dict(zip(("visit", "registration", "card"), services, strict=True)) | {
        "state": State.ACCEPTED.value
    }
    with reading(city.engine) as conn:
        records = select_cleared(city, conn, conditions, values, runs=range(number, number + 1), limit=_MOST)
        facts = [(record, _facts(city, conn, record.id)) for record in records]
    visits = set()
    for record, raw in facts:
        with writing(city.engine) as conn:
            if record.service == NUMBERS[VISIT]:
                visits |= _paid(conn, record, UUID(bytes=decode(VisitFacts, raw).visit))
            elif record.service == NUMBERS[REGISTRATION]:
                booking = UUID(bytes=decode(RegistrationFacts, raw).booking)
                keep(conn, booking, record.card, record.at, record.id)
            else:
                _read(conn, city, record, decode(EmergencyFacts, raw))
    for visit in sorted(visits):
        even_out(city, visit)
    return len(records)


def _facts(city: City, conn: Connection, record: str) -> bytes:
    found = find_record(city, conn, record).record
    assert found is not None, "an accepted record can be read"
    return found.facts


def _paid(conn: Connection, record: ClearedRecord, visit: UUID) -> set[UUID]:
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


def _read(conn: Connection, city: City, record: ClearedRecord, facts: EmergencyFacts) -> None:
    if facts.act is not EmergencyAct.READ:
        return
    reason = facts.reason.name.lower().replace("_", " ") + (f": {facts.note}" if facts.note else "")
    reader = f"{record.partner}: {facts.staff}"
    told = HealthReading(at=record.at, reader=reader, what="emergency data", reason=reason, break_glass=True)
    try:
        owner = patient_of(conn, record.card, city.clock.now(), in_use=False)
    except RegistryMissing:
        return  # a card of another city, which keeps its own log
    if note_reading(conn, derived_id("health reading", record.id), owner.id, told):
        tell(
            conn,
            DataRead(asn=record.card, reader=reader, what=told.what, reason=reason, break_glass=True),
        )
