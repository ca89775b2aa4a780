"""The float: at a moment, day by day, and down to single accounts; as pages and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import attrs
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from citycard.city.floatview import (
    FloatDay,
    FloatStatement,
    float_days,
    float_statement,
    moment_of,
)
from citycard.errors import QueryInvalid
from citycard.ledger.chart import TITLES
from citycard.store import reading
from citycard.wallet.floataccounts import AccountLine, accounts_at
from citycard.web.charts import float_chart
from citycard.web.context import web_of
from citycard.web.endpoints import Endpoint, endpoint, json_answer, read_query
from citycard.web.languages import Language, mark
from citycard.web.rendering import language_of, render
from citycard.web.seals import seal_panel

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["ENDPOINTS", "AccountsQuery", "DaysQuery", "FloatPageQuery", "FloatQuery"]

_A_MOMENT = {"expected": "a local time such as 2018-09-01T10:00", "range": (0, 40)}

_DAYS = {"expected": "1 to 366 days", "range": (1, 366)}

_CLASSES: Mapping[str, str] = MappingProxyType(
    {
        "1": mark("The city holds"),
        "2": mark("The city owes"),
        "4": mark("The city earned"),
        "5": mark("The city bore"),
        "": mark("Must return to zero"),
    }
)


@attrs.frozen(kw_only=True)
class FloatQuery:
    """A moment of the city's local time; now when left out."""

    at: str = attrs.field(default="", metadata=_A_MOMENT)


@attrs.frozen(kw_only=True)
class FloatPageQuery:
    """A moment of the city's local time, now when left out, and how many days are drawn up to it."""

    at: str = attrs.field(default="", metadata=_A_MOMENT)
    days: int = attrs.field(default=30, metadata=_DAYS)


@attrs.frozen(kw_only=True)
class DaysQuery:
    """The last day, today when left out, and how many days."""

    until: date | None = attrs.field(default=None, metadata={"expected": "a day such as 2018-09-01"})
    days: int = attrs.field(default=30, metadata=_DAYS)


@attrs.frozen(kw_only=True)
class AccountsQuery:
    """A moment, and the address after which the accounts begin."""

    at: str = attrs.field(default="", metadata=_A_MOMENT)
    after: str = attrs.field(default="", metadata={"expected": "an account's address", "range": (0, 200)})
    limit: int = attrs.field(default=50, metadata={"expected": "1 to 500 accounts", "range": (1, 500)})


@attrs.frozen(kw_only=True)
class FloatDays:
    """The float at the end of each day, oldest first."""

    days: tuple[FloatDay, ...]


@attrs.frozen(kw_only=True)
class FloatAccounts:
    """Accounts with one code at a moment; ``after`` leads to the next ones, and is empty at the end."""

    code: int
    at: datetime
    accounts: tuple[AccountLine, ...]
    after: str


async def float_json(request: Request) -> Response:
    return json_answer(await run_in_threadpool(float_statement, web_of(request).city, _at(request)))


async def days_json(request: Request) -> Response:
    return json_answer(FloatDays(days=await run_in_threadpool(_days, request)))


async def accounts_json(request: Request) -> Response:
    return json_answer(await run_in_threadpool(_accounts, request))


async def float_page(request: Request) -> Response:
    city, say, at = web_of(request).city, language_of(request), _at(request)
    found = await run_in_threadpool(float_statement, city, at)
    query: FloatPageQuery = read_query(request, FloatPageQuery)
    days = await run_in_threadpool(float_days, city, until=found.at.date(), days=query.days)
    chart, legend = float_chart(days, say)
    return render(
        request,
        "float.html",
        found=found,
        at=f"{found.at:%Y-%m-%dT%H:%M}" if at is None else at.isoformat(timespec="minutes"),
        when=say.moment(found.at),
        chart=chart,
        pieces=legend,
        groups=_groups(found, say, _kept(at)),
        days=[_day(day, say) for day in reversed(days)],
        sealed=await seal_panel(request),
    )


async def accounts_page(request: Request) -> Response:
    found = await run_in_threadpool(_accounts, request)
    say, query = language_of(request), read_query(request, AccountsQuery)
    return render(
        request,
        "floataccounts.html",
        code=found.code,
        title=say(_title(found.code)),
        when=say.moment(found.at),
        back=f"/float?{urlencode({'at': query.at})}" if query.at else "/float",
        accounts=[
            {"address": one.address, "owner": one.owner, "balance": say.money(one.balance_fen)}
            for one in found.accounts
        ],
        following=urlencode({"at": query.at, "after": found.after}) if found.after else "",
    )


def _at(request: Request) -> datetime | None:
    text = read_query(request, FloatQuery).at
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is not None:
        raise QueryInvalid(field="at", text=text, expected=_A_MOMENT["expected"])
    return at


def _kept(at: datetime | None) -> str:
    return f"?{urlencode({'at': at.isoformat()})}" if at is not None else ""


def _days(request: Request) -> tuple[FloatDay, ...]:
    query: DaysQuery = read_query(request, DaysQuery)
    city = web_of(request).city
    return float_days(city, until=query.until or city.now_local().date(), days=query.days)


def _accounts(request: Request) -> FloatAccounts:
    query: AccountsQuery = read_query(request, AccountsQuery)
    city: City = web_of(request).city
    moment = moment_of(city, _at(request))
    code = _code(request.path_params["code"])
    with reading(city.engine) as conn:
        found = accounts_at(conn, code, moment, after=query.after, limit=query.limit)
    return FloatAccounts(
        code=code,
        at=moment.astimezone(city.timezone).replace(tzinfo=None),
        accounts=tuple(found),
        after=found[-1].address if len(found) == query.limit else "",
    )


def _code(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) == len("1001")):
        raise QueryInvalid(field="code", text=text[:40], expected="four digits, such as 2001")
    return int(text)


def _title(code: int) -> str:
    return TITLES.get(code, "")


def _groups(found: FloatStatement, say: Language, kept: str) -> list[dict[str, Any]]:
    """Put the rows under what they are, each with its sum."""
    sums = {
        "1": found.assets_fen,
        "2": found.liabilities_fen,
        "4": found.income_fen,
        "5": found.expenses_fen,
        "": found.control_fen,
    }
    groups = []
    for first, title in _CLASSES.items():
        rows = [row for row in found.rows if _class(row.code) == first]
        if not rows:
            continue
        groups.append(
            {
                "title": say(title),
                "sum": say.money(sums[first]),
                "rows": [
                    {
                        "code": row.code,
                        "title": say(row.title),
                        "path": f"/float/{row.code}{kept}",
                        "balance": say.money(row.balance_fen),
                    }
                    for row in rows
                ],
            }
        )
    return groups


def _class(code: int) -> str:
    first = str(code)[0]
    return first if first in _CLASSES else ""


def _day(day: FloatDay, say: Language) -> dict[str, Any]:
    amounts: Sequence[tuple[str, int]] = [
        (name, value) for name, value in attrs.asdict(day).items() if name.endswith("_fen")
    ]
    return {"day": day.day} | {name.removesuffix("_fen"): say.money(fen) for name, fen in amounts}


ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint(
        "/float",
        float_page,
        permission="city.read-float",
        query=FloatPageQuery,
        page=True,
        summary="What the city owes and holds, at any moment, drawn over time.",
    ),
    endpoint(
        "/float/{code}",
        accounts_page,
        permission="city.read-float",
        query=AccountsQuery,
        page=True,
        summary="The accounts behind one line of the float.",
    ),
    endpoint(
        "/api/float",
        float_json,
        permission="city.read-float",
        query=FloatQuery,
        response=FloatStatement,
        summary="What the city owes and holds at a moment; difference_fen must be 0.",
    ),
    endpoint(
        "/api/float/days",
        days_json,
        permission="city.read-float",
        query=DaysQuery,
        response=FloatDays,
        summary="The float at the end of each day.",
    ),
    endpoint(
        "/api/float/{code}/accounts",
        accounts_json,
        permission="city.read-float",
        query=AccountsQuery,
        response=FloatAccounts,
        summary="The accounts with one code of the chart, and what each held at a moment.",
    ),
)
