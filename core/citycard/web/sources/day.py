"""The city's day: taps over time, operators, fares, the float, and what became of the records.

Reading it goes over every cleared record of the day, so that it is kept until something new was written.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from datetime import date, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING

import attrs
from sqlalchemy import func, select

from citycard import registry
from citycard.bank.tables import bank_payment
from citycard.clearing import queries
from citycard.clearing.status import Status, status
from citycard.clearing.tables import clearing_clock, clearing_run
from citycard.ledger.chart import AccountCode
from citycard.ledger.reading import MONEY
from citycard.ledger.tables import ledger
from citycard.store import reading
from citycard.terminal.record import RecordKind
from citycard.wallet.tables import load
from citycard.web.views import (
    CodeCount,
    DayView,
    FareBand,
    FileCount,
    FloatView,
    OperatorTake,
    Period,
    StateCount,
)

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["DayBook", "read_day", "read_float"]

_WIDTH_FEN = 100
_BANDS = 12
_REST_PERCENT = 1
_KEPT = 16
_COLUMNS: dict[int, str] = {
    RecordKind.ENTRY: "entries",
    RecordKind.EXIT: "exits",
    RecordKind.SINGLE: "singles",
    RecordKind.OPENED: "opened",
}
# Columns in the chart of a day stay wide enough to be seen: a short morning is cut finer than a whole day.
_SPANS_MINUTES = ((6, 10), (12, 15), (24, 30))

_SHOWN = frozenset(
    {
        AccountCode.CARD_FLOAT,
        AccountCode.PAYABLE_TO_PARTNERS,
        AccountCode.WINDOW_NET,
        AccountCode.SETTLEMENT_IN_TRANSIT,
        AccountCode.FEES,
    }
)
_ASSETS, _OTHERS = 1, 0


@attrs.define
class DayBook:
    """Days as they were read last; read again when a run was closed, money moved, or a file or card came."""

    city: City
    _kept: OrderedDict[tuple[object, ...], DayView] = attrs.field(factory=OrderedDict, init=False)
    _lock: Lock = attrs.field(factory=Lock, init=False)

    def read(self, wish: date | None) -> DayView:
        """Give a day as ``read_day`` does."""
        key = (wish, *_written(self.city))
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        view = read_day(self.city, wish)
        with self._lock:
            self._kept[key] = view
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return view


def _written(city: City) -> tuple[object, ...]:
    """Give numbers of which one grows whenever what a day shows is written."""
    with reading(city.engine) as conn:
        closed = select(func.max(clearing_run.c.number)).where(clearing_run.c.state == "closed")
        return (
            conn.scalar(closed),
            conn.scalar(select(ledger.c.posted_seq)),
            conn.scalar(select(clearing_clock.c.intake)),
            sum(registry.count_cards(conn).values()),
        )


def read_day(city: City, wish: date | None) -> DayView:
    """Read one business date, or the latest that has cleared records; a day without any is all zeroes."""
    named = city.config.city
    days = tuple(reversed(queries.business_dates(city)))
    day = wish or (days[0] if days else None)
    with reading(city.engine) as conn:
        cards = sum(registry.count_cards(conn).values())
        names = {partner.id: partner.name for partner in registry.partners(conn)}
    stands = status(city)
    files, waiting = _files(stands), stands.waiting_records
    money = read_float(city)
    if day is None:
        return DayView(
            city=named.name,
            city_zh=named.name_zh,
            day=None,
            cards=cards,
            float=money,
            files=files,
            waiting=waiting,
        )
    minutes, periods, charged_fen = _periods(city, day)
    codes = queries.code_totals(city, day)
    rides = sum(period.exits + period.singles for period in periods)
    return DayView(
        city=named.name,
        city_zh=named.name_zh,
        day=day,
        days=days,
        taps=sum(period.taps for period in periods),
        cards=cards,
        rides=rides,
        opened=sum(period.opened for period in periods),
        charged_fen=charged_fen,
        period_minutes=minutes,
        periods=periods,
        operators=_operators(city, day, names),
        fares=_fares(city, day, rides),
        float=money,
        states=_states(codes),
        codes=tuple(
            CodeCount(
                state=total.state.value, code=total.code, records=total.records, amount_fen=total.amount_fen
            )
            for total in codes
        ),
        files=files,
        waiting=waiting,
    )


def read_float(city: City) -> FloatView | None:
    """Compare what was taken in with where it is; None before the first fen."""
    with reading(city.engine) as conn:
        loads_fen = conn.scalar(select(func.sum(load.c.amount_fen)).where(load.c.state == "proven")) or 0
        settled = select(func.sum(bank_payment.c.amount_fen)).where(bank_payment.c.state == "settled")
        settled_fen = int(conn.scalar(settled) or 0)
        trial = city.ledger.trial_balance(conn)
    owed: dict[int, int] = defaultdict(int)
    for line in trial.lines:
        if line.currency == MONEY:
            owed[line.code if line.code in _SHOWN else _class_of(line.code)] += (
                line.credits_fen - line.debits_fen
            )
    if not loads_fen and not any(owed.values()):
        return None
    return FloatView(
        taken_fen=settled_fen - owed[_ASSETS],
        loads_fen=int(loads_fen),
        cards_fen=owed[AccountCode.CARD_FLOAT],
        payables_fen=owed[AccountCode.PAYABLE_TO_PARTNERS] + owed[AccountCode.WINDOW_NET],
        # On its way to the partners, or with them: what the bank has booked is in transit no more.
        settled_fen=owed[AccountCode.SETTLEMENT_IN_TRANSIT] + settled_fen,
        fees_fen=owed[AccountCode.FEES],
        other_fen=owed[_OTHERS],
    )


def _class_of(code: int) -> int:
    """Say whether an account is an asset, or stands against the assets with all others."""
    return _ASSETS if str(code).startswith("1") else _OTHERS


def _periods(city: City, day: date) -> tuple[int, tuple[Period, ...], int]:
    """Cut the day into columns from the first tap to the last: minutes each, columns, fen charged."""
    counted: dict[datetime, dict[str, int]] = defaultdict(lambda: dict.fromkeys(_COLUMNS.values(), 0))
    counts = queries.taps_per_interval(city, day, minutes=_SPANS_MINUTES[0][1])
    if not counts:
        return _SPANS_MINUTES[0][1], (), 0
    lasts_hours = (counts[-1].at - counts[0].at) / timedelta(hours=1)
    minutes = next((width for hours, width in _SPANS_MINUTES if lasts_hours <= hours), 60)
    if minutes != _SPANS_MINUTES[0][1]:
        counts = queries.taps_per_interval(city, day, minutes=minutes)
    for count in counts:
        counted[count.at][_COLUMNS.get(count.kind, "singles")] += count.taps
    # An interval without a tap is a gap in the city's day, and is drawn as one.
    width = timedelta(minutes=minutes)
    steps = min(int((counts[-1].at - counts[0].at) / width) + 1, 24 * 60 // minutes + 1)
    starts = [counts[0].at + place * width for place in range(steps)]
    periods = tuple(Period(begins=start, **counted[start]) for start in starts)
    return minutes, periods, sum(count.amount_fen for count in counts)


def _operators(city: City, day: date, names: dict[str, str]) -> tuple[OperatorTake, ...]:
    taken: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for total in queries.payee_totals(city, day):
        taken[total.partner][0] += total.records
        taken[total.partner][1] += total.amount_fen
    takes = [
        OperatorTake(id=partner, name=names.get(partner, partner), rides=rides, charged_fen=charged_fen)
        for partner, (rides, charged_fen) in taken.items()
    ]
    return tuple(sorted(takes, key=lambda take: (-take.charged_fen, take.id)))


def _fares(city: City, day: date, rides: int) -> tuple[FareBand, ...]:
    """Count rides by whole yuan: free ones first, the few dearest of all together."""
    counts = dict(queries.price_histogram(city, day, width_fen=_WIDTH_FEN))
    paid = sum(counts.values())
    bands = [FareBand(from_fen=0, to_fen=1, rides=rides - paid)] if rides > paid else []
    below = 0
    for low in range(min(counts), max(counts) + 1, _WIDTH_FEN) if counts else ():
        if len(bands) >= _BANDS or (paid - below) * 100 <= paid * _REST_PERCENT:
            return (*bands, FareBand(from_fen=low, to_fen=None, rides=paid - below))
        bands.append(FareBand(from_fen=low, to_fen=low + _WIDTH_FEN, rides=counts.get(low, 0)))
        below += counts.get(low, 0)
    return tuple(bands)


def _states(codes: tuple[queries.CodeTotal, ...]) -> tuple[StateCount, ...]:
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for total in codes:
        sums[total.state.value][0] += total.records
        sums[total.state.value][1] += total.amount_fen
    return tuple(
        StateCount(state=state, records=records, amount_fen=amount_fen)
        for state, (records, amount_fen) in sorted(sums.items())
    )


def _files(stands: Status) -> tuple[FileCount, ...]:
    counted = [
        FileCount(state=total.state.value, code=total.code.value, files=total.files) for total in stands.files
    ]
    missing = len(stands.missing)
    return (*counted, *([FileCount(state="missing", code="F05", files=missing)] if missing else []))
