"""Match what clearing accepted with the bills it was paid for: each run once, in one transaction.

Records of kiosks become receipts, records of counters become credit of meters, and what cards carry home
from meters becomes readings. What people decided of a record later (an exception that is paid, a dispute
that gives back) comes with the run that posts it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import attrs
from sqlalchemy import Connection, select, tuple_

from citycard.card.codec import decode, layout_of
from citycard.clearing.adjusting import PostedAdjustment, adjustments_of_run
from citycard.clearing.casecodes import AdjustmentCode
from citycard.clearing.files import literal
from citycard.clearing.finding import find_record, is_city, record_id
from citycard.clearing.queries import cleared
from citycard.clearing.tables import batch_file, clearing_run, segment
from citycard.errors import RecordUnknown
from citycard.store import reading, writing
from citycard.store.bulk import insert_missing, select_in
from citycard.terminal.record import TransactionRecord
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

_FACTS = next(field for field in layout_of(TransactionRecord).fields if field.name == "facts")
_PLACE = slice(_FACTS.offset, _FACTS.offset + _FACTS.kind.size)
_PAYS = {AdjustmentCode.A01, AdjustmentCode.A02, AdjustmentCode.A03, AdjustmentCode.A04}


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
    done = select(run_table.c.number)
    query = select(clearing_run.c.number).where(
        clearing_run.c.state == "closed", clearing_run.c.number.not_in(done)
    )
    with reading(city.engine) as conn:
        numbers = list(conn.scalars(query.order_by(clearing_run.c.number)))
    return [_match(city, settings, number) for number in numbers]


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
    with reading(city.engine) as conn:
        records = [*_accepted(city, conn, number), *_decided(city, conn, settings, number)]
        disputes = [
            one
            for one in adjustments_of_run(conn, number)
            if one.code is AdjustmentCode.A06 and _biller(settings, one.debit)
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


def _accepted(city: City, conn: Connection, number: int) -> Iterator[Accepted]:
    """Read what a run accepted of our services; what other cities handed in has numbers of theirs."""
    with cleared(city, conn, None, range(number, number + 1)) as engine:
        if engine is None:
            return
        keys = engine.execute(
            "SELECT DISTINCT terminal, batch_number FROM outcomes"
            " WHERE state = 'accepted' AND list_contains($services, service)",
            {"services": sorted(NUMBERS.values())},
        ).fetchall()
        ours = sorted((terminal, batch) for terminal, batch in keys if not is_city(terminal))
        paths = [literal(city.folder / path) for path in _segments(conn, ours)]
        if not paths:
            return
        engine.read_parquet(paths, hive_partitioning=False).create_view("handed_in")
        rows = engine.execute(
            "SELECT o.terminal, o.batch_number, o.line, o.asn, o.service, o.amount_fen, o.at, h.raw"
            " FROM outcomes o JOIN handed_in h ON h.batch_terminal = o.terminal"
            " AND h.batch_number = o.batch_number AND h.line = o.line"
            " WHERE o.state = 'accepted' AND list_contains($services, o.service)"
            " ORDER BY o.terminal, o.batch_number, o.line",
            {"services": sorted(NUMBERS.values())},
        ).fetchall()
    for terminal, batch, line, asn, service, amount_fen, at, raw in rows:
        yield Accepted(record_id(terminal, batch, line), asn, service, amount_fen, at, raw[_PLACE])


def _segments(conn: Connection, batches: list[tuple[str, int]]) -> list[str]:
    query = select(batch_file.c.intake).where(batch_file.c.state == "accepted")
    key = tuple_(batch_file.c.terminal, batch_file.c.number)
    intakes = sorted({row.intake for row in select_in(conn, query, key, batches)})
    found = select_in(conn, select(segment.c.path), segment.c.intake, intakes)
    return sorted(row.path for row in found)


def _decided(city: City, conn: Connection, settings: UtilitySettings, number: int) -> Iterator[Accepted]:
    """Read the records of ours that people decided to pay, and whose money the run posted."""
    for one in adjustments_of_run(conn, number):
        if one.code in _PAYS and _biller(settings, one.credit):
            yield from _of_adjustment(city, conn, one)


def _of_adjustment(city: City, conn: Connection, one: PostedAdjustment) -> Iterator[Accepted]:
    try:
        found = find_record(city, conn, one.about)
    except RecordUnknown:  # a position of a statement is about no bill
        return
    record = found.record
    if record is not None and record.service in NUMBERS.values():
        yield Accepted(found.id, record.asn, record.service, one.amount_fen, record.at, record.facts)


def _biller(settings: UtilitySettings, address: str) -> bool:
    return any(address == partner_payable(biller.id) for biller in settings.billers)
