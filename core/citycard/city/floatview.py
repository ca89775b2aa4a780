"""The city's float at a moment: both its sides by the ledger, and beside it what the cards themselves say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs
from sqlalchemy import Connection, func, or_, select

from citycard.clearing.codes import State
from citycard.clearing.postings import transfer_ids
from citycard.clearing.tables import clearing_run
from citycard.ledger.chart import AccountCode, TransferCode
from citycard.ledger.tables import request, transfer
from citycard.store import reading, writing
from citycard.store.bulk import select_in
from citycard.wallet.checkpoints import keep_checkpoint
from citycard.wallet.float import FloatReport, float_at, float_over
from citycard.wallet.tables import float_checkpoint, load

if TYPE_CHECKING:
    from citycard.city.city import City

__all__ = [
    "CardsView",
    "FloatDay",
    "FloatRow",
    "FloatStatement",
    "end_of_day",
    "float_days",
    "float_statement",
    "keep_days",
    "moment_of",
]

_INSTANT = dt.timedelta(microseconds=1)


@attrs.frozen(kw_only=True)
class FloatRow:
    """All accounts with one code of the chart, in fen; the balance is counted on its own side (D or C)."""

    code: int
    title: str
    side: str
    debits_fen: int
    credits_fen: int
    balance_fen: int


@attrs.frozen(kw_only=True)
class CardsView:
    """The money on cards as loads and taps say, beside what the books say.

    ``loads_fen`` are loads that cards have proven, ``spends_fen`` records that clearing accepted,
    ``other_fen`` what the card office moved. ``difference_fen`` is what the books have more; it must be 0.
    """

    loads_fen: int
    spends_fen: int
    other_fen: int
    books_fen: int
    difference_fen: int


@attrs.frozen(kw_only=True)
class FloatStatement:
    """The float at a moment. ``at`` is local, ``moment`` the same in UTC, ``number`` the last transfer in it.

    Assets are what the city holds; liabilities, and income less expenses, stand against them. ``control_fen``
    and ``difference_fen`` must be 0.
    """

    at: dt.datetime
    moment: dt.datetime
    number: int
    assets_fen: int
    liabilities_fen: int
    income_fen: int
    expenses_fen: int
    control_fen: int
    difference_fen: int
    rows: tuple[FloatRow, ...]
    cards: CardsView


@attrs.frozen(kw_only=True)
class FloatDay:
    """The float at the end of a day, or now on the day that goes on: what is held and owed, in fen."""

    day: dt.date
    number: int
    trust_fen: int
    cards_fen: int
    accounts_fen: int
    deposits_fen: int
    payables_fen: int
    other_fen: int
    assets_fen: int
    difference_fen: int


def moment_of(city: City, at: dt.datetime | None) -> dt.datetime:
    """Give the aware moment of a local time of the city; now when there is none."""
    return city.clock.now() if at is None else at.replace(tzinfo=city.timezone)


def end_of_day(city: City, day: dt.date) -> dt.datetime:
    """Give the last moment of a local day, aware."""
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), city.timezone) - _INSTANT


def float_statement(city: City, at: dt.datetime | None = None) -> FloatStatement:
    """Give the float at a local time, now when left out, with the cards' own view of it."""
    moment = moment_of(city, at)
    with reading(city.engine) as conn:
        report = float_at(conn, moment)
        cards = _cards(conn, report)
    return FloatStatement(
        at=moment.astimezone(city.timezone).replace(tzinfo=None),
        moment=moment.astimezone(dt.UTC),
        number=report.number,
        assets_fen=report.assets_fen,
        liabilities_fen=report.liabilities_fen,
        income_fen=report.income_fen,
        expenses_fen=report.expenses_fen,
        control_fen=report.control_fen,
        difference_fen=report.difference_fen,
        rows=tuple(
            FloatRow(
                code=line.code,
                title=line.title,
                side=line.side.value,
                debits_fen=line.debits_fen,
                credits_fen=line.credits_fen,
                balance_fen=line.balance_fen,
            )
            for line in report.lines
        ),
        cards=cards,
    )


def float_days(city: City, *, until: dt.date, days: int) -> tuple[FloatDay, ...]:
    """Give the float at the end of each of the last ``days`` days up to ``until``, oldest first."""
    dates = [until - dt.timedelta(days=back) for back in range(days - 1, -1, -1)]
    with reading(city.engine) as conn:
        reports = list(float_over(conn, [end_of_day(city, day) for day in dates]))
    return tuple(_day(day, report) for day, report in zip(dates, reports, strict=True))


def keep_days(city: City) -> int:
    """Keep the sums of every day that ended since the last checkpoint, and of now; return how many are new.

    Later reports read what came after them. Broken off anywhere, the next call goes on.
    """
    now = city.clock.now()
    with reading(city.engine) as conn:
        kept = conn.scalar(select(func.max(float_checkpoint.c.at)))
        begun = kept or conn.scalar(select(transfer.c.posted_at).where(transfer.c.posted_seq == 1))
        if begun is None:
            return 0
        reports = list(float_over(conn, _ends(city, begun, now)))
    with writing(city.engine) as conn:
        return sum(keep_checkpoint(conn, report) for report in reports)


def _ends(city: City, begun: dt.datetime, now: dt.datetime) -> Sequence[dt.datetime]:
    first, today = (moment.astimezone(city.timezone).date() for moment in (begun, now))
    ended = [first + dt.timedelta(days=each) for each in range((today - first).days)]
    return [*(end_of_day(city, day) for day in ended), now]


def _day(day: dt.date, report: FloatReport) -> FloatDay:
    of = report.balance_fen
    shown = {
        "cards_fen": of(AccountCode.CARD_FLOAT),
        "accounts_fen": of(AccountCode.ONLINE_ACCOUNTS),
        "deposits_fen": of(AccountCode.DEPOSITS),
        "payables_fen": of(AccountCode.PAYABLE_TO_PARTNERS),
    }
    return FloatDay(
        day=day,
        number=report.number,
        trust_fen=of(AccountCode.TRUST_BANK),
        assets_fen=report.assets_fen,
        other_fen=report.assets_fen - report.difference_fen - sum(shown.values()),
        difference_fen=report.difference_fen,
        **shown,
    )


def _cards(conn: Connection, report: FloatReport) -> CardsView:
    loads_fen, spends_fen = _loads_fen(conn, report.number), _spends_fen(conn, report.number)
    other_fen = sum(
        one.credits_fen - one.debits_fen
        for one in report.moved
        if one.account_code == AccountCode.CARD_FLOAT
        and one.code not in {TransferCode.LOAD, TransferCode.SPEND}
    )
    books_fen = report.balance_fen(AccountCode.CARD_FLOAT)
    return CardsView(
        loads_fen=loads_fen,
        spends_fen=spends_fen,
        other_fen=other_fen,
        books_fen=books_fen,
        difference_fen=books_fen - (loads_fen - spends_fen + other_fen),
    )


def _loads_fen(conn: Connection, number: int) -> int:
    """Sum the loads that were proven until then; one that was never posted counts always, and shows."""
    query = (
        select(func.coalesce(func.sum(load.c.amount_fen), 0))
        .outerjoin(request, request.c.id == load.c.id)
        .where(load.c.state == "proven", or_(request.c.posted_seq.is_(None), request.c.posted_seq <= number))
    )
    return int(conn.scalar(query) or 0)


def _spends_fen(conn: Connection, number: int) -> int:
    """Sum what the runs accepted that were posted until then, by the records they counted."""
    runs = {
        row.number: row.report
        for row in conn.execute(select(clearing_run).where(clearing_run.c.state == "closed"))
    }
    payables = {
        transfer_ids(run, one["partner"])["payable"]: run
        for run, report in runs.items()
        for one in report["partners"]
        if one["gross_fen"]
    }
    query = select(request.c.id).where(request.c.posted_seq <= number)
    posted = {payables[row.id] for row in select_in(conn, query, request.c.id, list(payables))}
    return sum(
        total["amount_fen"]
        for run in posted
        for total in runs[run]["totals"]
        if total["state"] == State.ACCEPTED.value
    )
