"""After a run of clearing: fees of tills that had another tier are put right, and tills' voids are done.

A till works by the tier that its configuration told it. Whatever it wrote into its records, its merchant
pays by the tier that it had on the day: the difference moves between merchant and fees, once for each run.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, time
from uuid import UUID

import attrs
from sqlalchemy import Connection, insert, select, update

from citycard import registry
from citycard.card.codec import decode
from citycard.clearing import Explanation, State, explain
from citycard.clearing.accepted import accepted_records, closed_runs
from citycard.clearing.queries import cleared
from citycard.errors import CitycardError, RecordUnknown
from citycard.ids import derived_id
from citycard.ledger import AccountSpec
from citycard.ledger.chart import AccountCode, TransferCode
from citycard.store import reading, writing
from citycard.wallet import partner_payable
from citycard_retail.fees import fee_fen
from citycard_retail.market import Market
from citycard_retail.merchants import tier_on
from citycard_retail.refunds import void_sale
from citycard_retail.sectors import VoidFacts
from citycard_retail.services import NUMBERS, SALE, VOID
from citycard_retail.tables import correction, merchant, progress, void

__all__ = ["Closed", "close_runs", "void_id"]

_RUNS = "runs"


@attrs.frozen(kw_only=True)
class Closed:
    """What was done after runs: how many were looked at, fees put right, voids done, refused and waiting."""

    runs: int = 0
    corrected: int = 0
    voids: int = 0
    refused: int = 0
    waiting: int = 0


def close_runs(market: Market) -> Closed:
    """Look at every closed run once, in order, then do the voids whose sales were cleared."""
    runs = corrected = 0
    while (found := _next_run(market)) is not None:
        corrected += _look_at(market, found)
        runs += 1
    voids = [_do(market, record) for record in _waiting(market)]
    return Closed(
        runs=runs,
        corrected=corrected,
        voids=voids.count("done"),
        refused=voids.count("refused"),
        waiting=voids.count("waits"),
    )


def void_id(record: str) -> UUID:
    """Give the id of the void that a till's record asks for."""
    return derived_id("retail void", record)


# ── a run ────────────────────────────────────────────────────────────────────────────────────────


def _next_run(market: Market) -> int | None:
    with reading(market.city.engine) as conn:
        return next(iter(closed_runs(conn, _seen(conn))), None)


def _seen(conn: Connection) -> int:
    return conn.scalar(select(progress.c.run).where(progress.c.name == _RUNS)) or 0


def _look_at(market: Market, run: int) -> int:
    """Note what a run has for retail, in one transaction that happens once."""
    city = market.city
    with reading(city.engine) as conn:
        owed, records = _differences(market, conn, run)
        voids = _voids(market, conn, run)
    with writing(city.engine) as conn:
        seen = _seen(conn)
        if seen >= run:
            return 0
        conn.execute(progress.delete().where(progress.c.name == _RUNS))
        conn.execute(insert(progress), {"name": _RUNS, "run": run})
        if voids:
            rows = [{"record": one, "run": run, "state": "waits", "reason": ""} for one in voids]
            conn.execute(insert(void), rows)
        for partner, fee in sorted(owed.items()):
            if fee:
                _correct(market, conn, run, partner, fee, records[partner])
    return sum(1 for fee in owed.values() if fee)


def _differences(market: Market, conn: Connection, run: int) -> tuple[dict[str, int], dict[str, int]]:
    """Give, by merchant, what it paid too little (above zero) or too much of fees, and for how many sales."""
    query = (
        'SELECT terminal, CAST("at" AS DATE), amount_fen, count(*)::BIGINT, sum(coalesce(list_sum('
        "[part.amount_fen FOR part IN parts IF part.partner = $fees]), 0))::BIGINT"
        " FROM outcomes WHERE service = $service AND state = 'accepted' GROUP BY ALL"
    )
    values = {"fees": market.settings.fees_partner, "service": NUMBERS[SALE]}
    with cleared(market.city, conn, None, range(run, run + 1)) as engine:
        rows = [] if engine is None else engine.execute(query, values).fetchall()
    known = set(conn.scalars(select(merchant.c.partner)))
    partner_of = {one.number: one.partner for one in registry.terminals(conn) if one.partner in known}
    owed: dict[str, int] = defaultdict(int)
    records: dict[str, int] = defaultdict(int)
    tiers = {}
    for number, day, amount_fen, count, taken_fen in rows:
        partner = partner_of.get(number)
        if partner is None:
            continue
        if (partner, day) not in tiers:
            tiers[partner, day] = tier_on(conn, market.settings, partner, _noon(day))
        difference = fee_fen(tiers[partner, day], amount_fen) * count - taken_fen
        owed[partner] += difference
        records[partner] += count if difference else 0
    return owed, records


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12))


def _correct(market: Market, conn: Connection, run: int, partner: str, fee: int, records: int) -> None:
    city = market.city
    addresses = (partner_payable(partner), partner_payable(market.settings.fees_partner))
    city.ledger.open_accounts(
        conn,
        [
            AccountSpec(address=address, code=AccountCode.PAYABLE_TO_PARTNERS, owner=owner)
            for address, owner in zip(addresses, (partner, market.settings.fees_partner), strict=True)
        ],
    )
    debit, credit = addresses if fee > 0 else addresses[::-1]
    moved = city.wallet.transfer(
        derived_id("retail correction", run, partner),
        debit,
        credit,
        abs(fee),
        int(TransferCode.FEE),
        ref=f"retail-correction/{run}",
    )
    city.ledger.post_all(conn, [moved])
    row = {"run": run, "partner": partner, "fee_fen": fee, "records": records, "at": city.now_local()}
    conn.execute(insert(correction), row)


# ── voids ────────────────────────────────────────────────────────────────────────────────────────


def _voids(market: Market, conn: Connection, run: int) -> list[str]:
    return sorted(one.id for one in accepted_records(market.city, conn, run, {NUMBERS[VOID]}))


def _waiting(market: Market) -> list[str]:
    with reading(market.city.engine) as conn:
        query = select(void.c.record).where(void.c.state == "waits").order_by(void.c.run, void.c.record)
        return list(conn.scalars(query))


def _do(market: Market, record: str) -> str:
    """Do a till's void, or say why not; it waits while nobody knows what becomes of its sale."""
    try:
        sold, reason = _sale_of(market, record)
        if sold is None:
            return "waits" if not reason else _ended(market, record, "refused", reason)
        void_sale(market, void_id(record), sold, actor=f"till {record[:12]}")
    except CitycardError as refused:
        return _ended(market, record, "refused", str(refused))
    return _ended(market, record, "done", "")


def _sale_of(market: Market, record: str) -> tuple[str | None, str]:
    asked = explain(market.city, record)
    assert asked.record is not None
    facts = decode(VoidFacts, asked.record.facts)
    try:
        sold = explain(market.city, (asked.record.asn, facts.counter))
    except RecordUnknown:
        return None, ""
    if sold.outcome is None or sold.outcome.state is State.SUSPENDED:
        return None, ""
    reason = _objection(asked, sold, facts)
    return (None, reason) if reason else (sold.id, "")


def _objection(asked: Explanation, sold: Explanation, facts: VoidFacts) -> str:
    taken = sold.record
    if taken is None or taken.service != NUMBERS[SALE]:
        return "what it names is no sale of a till"
    if (asked.file.terminal, asked.file.number) != (sold.file.terminal, sold.file.number):
        return "the sale is of another batch: refund it"
    if taken.amount_fen != facts.amount_fen:
        return f"the sale was {taken.amount_fen} fen, the void says {facts.amount_fen}"
    return ""


def _ended(market: Market, record: str, state: str, reason: str) -> str:
    with writing(market.city.engine) as conn:
        mine = update(void).where(void.c.record == record)
        conn.execute(mine.values(state=state, reason=reason[:200]))
    return state
