"""Match what clearing accepted with the bills it was paid for: each run once, in one transaction.

Records of kiosks become receipts, records of counters become credit of meters, and what cards carry home
from meters becomes readings. What people decided of a record later (an exception that is paid, a dispute
that gives back) comes with the run that posts it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

import attrs
from sqlalchemy import Connection, select

from citycard.card.codec import decode
from citycard.store import reading, writing
from citycard.store.bulk import insert_missing
from citycard.wallet import partner_payable
from citycard_utilities.receipts import CARD, Money, Taken, take
from citycard_utilities.returning import note_moved
from citycard_utilities.rules import BILL, CREDIT, METER
from citycard_utilities.sectors import BillFacts, CreditFacts, MeterFacts
from citycard_utilities.services import NUMBERS
from citycard_utilities.settings import UtilitySettings
from citycard_utilities.tables import meter_credit, meter_reading
from citycard_utilities.tables import run as run_table

if TYPE_CHECKING:
    import datetime as dt

    from citycard.city import City

__all__ = ["Accepted", "Matched", "match_records", "match_runs"]


@attrs.frozen
class Accepted:
    """A record that clearing accepted: its id, card, service, amount, local time, and its facts as bytes."""

    id: str
    asn: str
    service: int
    amount_fen: int
    at: dt.datetime
    facts: bytes


@attrs.frozen(kw_only=True)
class Matched:
    """What came of a run: its records of ours and their sum, what was too much, and what has no bill."""

    run: int
    records: int
    amount_fen: int
    surplus_fen: int
    unmatched: int
    credits: int
    readings: int


def match_runs(city: City, settings: UtilitySettings) -> list[Matched]:
    """Match every closed run that was not matched yet, in their order; again without harm."""
    from citycard.clearing.accepted import closed_runs

    with reading(city.engine) as conn:
        done = set(conn.scalars(select(run_table.c.number)))
        numbers = closed_runs(conn)
    return [_match(city, settings, number) for number in numbers if number not in done]


def match_records(
    conn: Connection, settings: UtilitySettings, records: Iterable[Accepted], run: int
) -> tuple[Taken, int, int]:
    """Take in records of a run: give what came of bills, how much credit was sold, and how many readings."""
    moneys: list[Money] = []
    sold: list[dict[str, Any]] = []
    readings: list[dict[str, Any]] = []
    for one in records:
        if one.service == NUMBERS[BILL]:
            moneys.append(_money(settings, one, run))
        elif one.service == NUMBERS[CREDIT]:
            facts = decode(CreditFacts, one.facts)
            sold.append(_sold(settings, one, facts, run))
            if facts.read_at is not None:
                readings.append(_reading(settings, one, facts, facts.taken, facts.read_at))
        elif one.service == NUMBERS[METER]:
            seen = decode(MeterFacts, one.facts)
            readings.append(_reading(settings, one, seen, seen.counter, one.at))
    taken = take(conn, settings, moneys)
    return taken, insert_missing(conn, meter_credit, sold), insert_missing(conn, meter_reading, readings)


def _match(city: City, settings: UtilitySettings, number: int) -> Matched:
    from citycard.clearing.adjusting import adjustments_of_run
    from citycard.clearing.casecodes import AdjustmentCode

    with reading(city.engine) as conn:
        adjusted = adjustments_of_run(conn, number)
        # What another than the biller got of a record, such as the kiosk's partner, pays no bill.
        moved = {one.about for one in adjusted if _biller(settings, one.credit)}
        records = list(_records(city, conn, number, moved))
        disputes = [
            one for one in adjusted if one.code is AdjustmentCode.A06 and _biller(settings, one.debit)
        ]
    with writing(city.engine) as conn:
        row = {
            "number": number,
            "records": len(records),
            "amount_fen": sum(one.amount_fen for one in records),
            "at": city.clock.now(),
        }
        if not insert_missing(conn, run_table, [row]):
            return _nothing(number)
        taken, credits_, readings = match_records(conn, settings, records, number)
        for one in disputes:
            note_moved(
                conn,
                one.about,
                one.amount_fen,
                one.id,
                cause="disputed",
                reason=one.reason,
                at=city.now_local(),
            )
    return Matched(
        run=number,
        records=len(records),
        amount_fen=sum(one.amount_fen for one in records),
        surplus_fen=taken.surplus_fen,
        unmatched=taken.unmatched,
        credits=credits_,
        readings=readings,
    )


def _nothing(number: int) -> Matched:
    """Somebody else matched the run a moment ago."""
    return Matched(run=number, records=0, amount_fen=0, surplus_fen=0, unmatched=0, credits=0, readings=0)


def _money(settings: UtilitySettings, one: Accepted, run: int) -> Money:
    facts = decode(BillFacts, one.facts)
    return Money(
        id=one.id,
        channel=CARD,
        biller=settings.numbered(facts.biller).id,
        bill=facts.bill,
        household=facts.household,
        asn=one.asn,
        amount_fen=one.amount_fen,
        at=one.at,
        run=run,
    )


def _sold(settings: UtilitySettings, one: Accepted, facts: CreditFacts, run: int) -> dict[str, Any]:
    return {
        "record": one.id,
        "biller": settings.numbered(facts.biller).id,
        "meter": facts.meter,
        "asn": one.asn,
        "counter": facts.counter,
        "units": facts.units,
        "amount_fen": one.amount_fen,
        "at": one.at,
        "run": run,
    }


def _reading(
    settings: UtilitySettings,
    one: Accepted,
    facts: CreditFacts | MeterFacts,
    counter: int,
    read_at: dt.datetime,
) -> dict[str, Any]:
    return {
        "biller": settings.numbered(facts.biller).id,
        "meter": facts.meter,
        "read_at": read_at,
        "counter": counter,
        "reading": facts.reading,
        "left_units": facts.left,
        "record": one.id,
    }


def _records(city: City, conn: Connection, number: int, moved: Collection[str]) -> Iterator[Accepted]:
    """Read what a run accepted of our services, and what people decided later and ``moved`` money of."""
    from citycard.clearing.accepted import accepted_records, decided_records

    ours = NUMBERS.values()
    decided = (one for one in decided_records(city, conn, number, ours) if one.id in moved)
    for one in chain(accepted_records(city, conn, number, ours), decided):
        yield Accepted(one.id, one.asn, one.service, one.amount_fen, one.at, one.facts)


def _biller(settings: UtilitySettings, address: str) -> bool:
    return any(address == partner_payable(biller.id) for biller in settings.billers)
