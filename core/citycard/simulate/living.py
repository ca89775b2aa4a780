"""Let a simulated city live: taps, online life in every domain, jobs, clearing, and the books each night."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
from sqlalchemy import select

from citycard.city.accounts import open_account
from citycard.city.floatview import float_statement
from citycard.clock import FixedClock
from citycard.ids import derived_id
from citycard.ledger import AccountSpec
from citycard.ledger.chart import AccountCode, TransferCode
from citycard.registry.tables import card
from citycard.simulate.delivering import Progress, hand_in
from citycard.simulate.truth import Delivery, Truth
from citycard.store import reading, writing
from citycard.wallet import TRUST_BANK, online_account

if TYPE_CHECKING:
    from citycard.city import City
    from citycard.clearing.reports import RunReport
    from citycard.kernel.habits import Lived

__all__ = ["Night", "live", "open_accounts"]

#: One card in so many has an online account, and no more than ``_MOST`` do.
_ONE_IN, _MOST = 10, 200
_PUT_FEN = 100_000
_NOON, _NIGHT = dt.time(12), dt.time(23, 30)


@attrs.frozen(kw_only=True)
class Night:
    """How a day of a simulated city ended.

    ``codes`` counts the records of its clearing run, ``acts`` what citizens did online, by domain. The books
    balance when ``difference_fen`` is 0 and ``violations`` is empty; ``failures`` names plugins that raised.
    """

    day: dt.date
    records: int
    codes: Mapping[str, int]
    settled_fen: int
    acts: Mapping[str, Mapping[str, int]]
    online_fen: int
    assets_fen: int
    difference_fen: int
    violations: tuple[str, ...]
    failures: tuple[str, ...]

    @property
    def balanced(self) -> bool:
        """Say whether the books balance and nothing failed."""
        return self.difference_fen == 0 and not self.violations and not self.failures


def open_accounts(city: City) -> list[str]:
    """Open online accounts for one card in ten, and list their cards; again without harm."""
    with reading(city.engine) as conn:
        query = select(card.c.asn).where(card.c.status == "issued").order_by(card.c.asn)
        asns = list(conn.scalars(query))[::_ONE_IN][:_MOST]
    for asn in asns:
        open_account(city, derived_id("simulated account", asn), asn)
    return asns


def _top_up(city: City, day: dt.date, asns: Sequence[str]) -> None:
    """Put a day's money into each account, and ten times as much into the first, which uses everything."""
    puts = [
        city.wallet.transfer(
            derived_id("simulated top-up", day, asn),
            TRUST_BANK,
            online_account(asn),
            _PUT_FEN * (1 if place else 10),
            TransferCode.ORDER_PAID,
            ref="simulated",
        )
        for place, asn in enumerate(asns)
    ]
    with writing(city.engine) as conn:
        city.ledger.open_accounts(conn, [AccountSpec(address=TRUST_BANK, code=AccountCode.TRUST_BANK)])
        known = city.ledger.find(conn, [put.id for put in puts])
        city.ledger.post_all(conn, [put for put in puts if put.id not in known])


def live(
    city: City,
    clock: FixedClock,
    truth: Truth,
    out: Path,
    *,
    domains: Sequence[str] = (),
    engine: str = "",
    progress: Progress = lambda items, _: items,
) -> list[Night]:
    """Live the days of a simulation one after the other; give how each ended.

    ``domains`` are the plugins whose online life is lived, all of them when left out. The city's ``clock`` is
    set to the noon and the night of each day. Broken off, begin anew with a new city.
    """
    start = dt.date.fromisoformat(truth.plan["start"])
    days = int(truth.plan["days"])
    clock.moment = _moment(city, start, dt.time(8))
    accounts = open_accounts(city)
    nights = []
    for place in progress(range(days), "days"):
        day = start + dt.timedelta(days=place)
        clock.moment = _moment(city, day, _NOON)
        _top_up(city, day, accounts)
        before = {report.name: report.failures for report in city.plugins.reports()}
        lived = city.plugins.live_day(day, accounts, int(truth.plan["seed"]) + place, domains)
        clock.moment = _moment(city, day, _NIGHT)
        city.deliver()
        for owned in city.plugins.jobs():
            city.plugins.run_job(f"{owned.owner.plugin}.{owned.record.name}")
        last = place == days - 1
        reports = [
            _cleared(city, out, one, engine) for one in truth.deliveries[place : None if last else place + 1]
        ]
        city.deliver()
        fresh = [report for report in reports if report.changed]
        nights.append(_night(city, day, fresh, lived, before))
    return nights


def _moment(city: City, day: dt.date, time: dt.time) -> dt.datetime:
    return dt.datetime.combine(day, time, city.timezone).astimezone(dt.UTC)


def _cleared(city: City, out: Path, delivery: Delivery, engine: str) -> RunReport:
    from citycard.clearing.run import clear

    hand_in(city, out, delivery)
    return clear(city, engine=engine)


def _night(
    city: City,
    day: dt.date,
    reports: Sequence[RunReport],
    lived: Mapping[str, Sequence[Lived]],
    before: Mapping[str, int],
) -> Night:
    codes: dict[str, int] = {}
    for report in reports:
        for total in report.totals:
            codes[total.code] = codes.get(total.code, 0) + total.records
    books = float_statement(city)
    with reading(city.engine) as conn:
        violations = tuple(map(str, city.ledger.audit(conn)))
    return Night(
        day=day,
        records=sum(codes.values()),
        codes=codes,
        settled_fen=sum(partner.paid_fen for report in reports for partner in report.partners),
        acts={name: {one.what: one.count for one in acts} for name, acts in lived.items()},
        online_fen=sum(one.amount_fen for acts in lived.values() for one in acts),
        assets_fen=books.assets_fen,
        difference_fen=books.difference_fen,
        violations=violations,
        failures=tuple(
            report.name for report in city.plugins.reports() if report.failures > before.get(report.name, 0)
        ),
    )
