"""The supervision page (监督考核): how far the card got, by domain, district and partner, against targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

import attrs
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from citycard.city.supervision import (
    Choice,
    SupervisionLine,
    SupervisionReport,
    SupervisionTarget,
    choices,
    scope_of,
    supervise,
)
from citycard.city.supervisionfile import supervision_csv
from citycard.city.targets import FEW, Measure, Standing
from citycard.web.context import web_of
from citycard.web.endpoints import Endpoint, endpoint, json_answer, read_query
from citycard.web.languages import Language, mark
from citycard.web.rendering import language_of, render

__all__ = ["ENDPOINTS", "SupervisionQuery"]

_READ = "city.read-supervision"
_MOST_PARTNERS = 10_000
_A_DAY = {"expected": "a day such as 2026-11-01"}

_MEASURES: Mapping[Measure, str] = MappingProxyType(
    {
        Measure.CARDS: mark("active cards"),
        Measure.USES: mark("uses"),
        Measure.TURNOVER: mark("turnover"),
    }
)
_STANDINGS: Mapping[Standing, tuple[str, str]] = MappingProxyType(
    {
        Standing.NOT_BEGUN: ("", mark("not begun")),
        Standing.AHEAD: ("good", mark("ahead")),
        Standing.BEHIND: ("bad", mark("behind")),
        Standing.REACHED: ("good", mark("reached")),
        Standing.MISSED: ("bad", mark("missed")),
        Standing.TOO_FEW: ("", mark("too few cards to say")),
    }
)


@attrs.frozen(kw_only=True)
class SupervisionQuery:
    """The days, both included, this month up to today when left out; a district, a domain, how many partners.

    ``-`` is no district, or no domain that is on.
    """

    since: date | None = attrs.field(default=None, metadata=_A_DAY)
    until: date | None = attrs.field(default=None, metadata=_A_DAY)
    district: str = attrs.field(default="", metadata={"expected": "a district's id", "range": (0, 64)})
    domain: str = attrs.field(default="", metadata={"expected": "a plugin's name", "range": (0, 64)})
    partners: int = attrs.field(
        default=100, metadata={"expected": "1 to 10000 partners", "range": (1, _MOST_PARTNERS)}
    )


def _read(request: Request) -> tuple[SupervisionQuery, SupervisionReport]:
    """Make the report; the query has its days, also where they were left out."""
    query: SupervisionQuery = read_query(request, SupervisionQuery)
    web = web_of(request)
    wish = {name: value for name, value in attrs.asdict(query).items() if name != "partners"}
    report = supervise(web.city, scope_of(web.city, **wish), partners=query.partners, book=web.uses)
    return attrs.evolve(query, since=report.since, until=report.until), report


async def supervision_json(request: Request) -> Response:
    _, report = await run_in_threadpool(_read, request)
    return json_answer(report)


async def supervision_file(request: Request) -> Response:
    _, report = await run_in_threadpool(_read, request)
    name = f"supervision-{report.since}-{report.until}.csv"
    return Response(
        "".join(supervision_csv(report)).encode(),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


async def supervision_page(request: Request) -> Response:
    query, report = await run_in_threadpool(_read, request)
    districts, domains = await run_in_threadpool(choices, web_of(request).city)
    say = language_of(request)
    by_domain = [_line(one, say, _address(query, domain=one.id)) for one in report.domains]
    by_district = [_line(one, say, _address(query, district=one.id)) for one in report.districts]
    by_partner = [_line(one, say, "") for one in report.partners]
    return render(
        request,
        "supervision.html",
        report=report,
        address=_address(query),
        made=say.moment(report.made_at),
        months=_months(query, web_of(request).city.now_local().date()),
        whole_city=_address(query, district="", domain="") if query.district or query.domain else "",
        districts=[(one.id, _called(one, say)) for one in districts],
        domains=[(one.id, _called(one, say)) for one in domains],
        total=_line(report.total, say, ""),
        targets=[_target(one, say) for one in report.targets],
        parts=[
            {"title": say("By domain"), "name": say("Domain"), "lines": by_domain},
            {"title": say("By district"), "name": say("District"), "lines": by_district},
            {"title": say("By partner"), "name": say("Partner"), "lines": by_partner},
        ],
        left=report.partners_found - len(report.partners),
        every=_address(query, partners=_MOST_PARTNERS),
        few=FEW,
    )


def _address(query: SupervisionQuery, **other: Any) -> str:
    """Give the query of this report, or of one that differs from it."""
    plain = attrs.asdict(SupervisionQuery())
    return urlencode(
        {name: value for name, value in (attrs.asdict(query) | other).items() if value != plain[name]}
    )


def _months(query: SupervisionQuery, today: date) -> dict[str, str]:
    """Lead to the month before the one in which the report ends, and to the month after it."""
    first = (query.until or today).replace(day=1)
    last = first - timedelta(days=1)
    following = (first + timedelta(days=31)).replace(day=1)
    end = min((following + timedelta(days=31)).replace(day=1) - timedelta(days=1), today)
    return {
        "before": _address(query, since=last.replace(day=1), until=last),
        "after": _address(query, since=following, until=end) if following <= today else "",
    }


def _line(line: SupervisionLine, say: Language, address: str) -> dict[str, Any]:
    now, before = line.now, line.before
    return {
        "title": _called(line, say),
        "path": f"/supervision?{address}" if address else "",
        "cards": f"<{FEW}" if now.cards is None else f"{now.cards:,}",
        "cards_change": _change(line.cards_change, before.cards),
        "uses": f"{now.uses:,}",
        "uses_change": _change(line.uses_change, before.uses),
        "turnover": say.money(now.turnover_fen),
        "turnover_change": _change(line.turnover_change_fen, before.turnover_fen, say.money),
        "partners": _of(now.partners, line.partners_registered, say),
        "terminals": _of(now.terminals, line.terminals_registered, say),
    }


def _change(more: int | None, before: int | None, write: Callable[[int], str] = "{:,}".format) -> str:
    """Write how much more it is, and that in percent of what it was; nothing where one is not told."""
    if more is None or before is None:
        return ""
    sign = "+" if more > 0 else ""
    return f"{sign}{write(more)}" + (f" ({sign}{more * 100 // before}%)" if before else "")


def _of(used: int, registered: int | None, say: Language) -> str:
    if registered is None:
        return f"{used:,}"
    return say("{used} of {registered}", used=f"{used:,}", registered=f"{registered:,}")


def _target(one: SupervisionTarget, say: Language) -> dict[str, Any]:
    target, progress = one.target, one.progress
    write = say.money if target.measure is Measure.TURNOVER else "{:,}".format
    tone, words = _STANDINGS[progress.standing]
    return {
        "title": f"{_called(one.domain, say)} · {_called(one.district, say)}",
        "measure": say(_MEASURES[target.measure]),
        "since": target.since,
        "until": target.until,
        "value": write(target.value),
        "reached": f"<{FEW}" if progress.reached is None else write(progress.reached),
        "due": write(progress.due),
        "on": progress.on,
        "percent": progress.percent,
        "filled": min(progress.percent or 0, 100),
        "standing": {"tone": tone, "title": say(words)},
    }


def _called(one: Choice | SupervisionLine, say: Language) -> str:
    return (one.title_zh or one.title) if say.code == "zh" else one.title


ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint(
        "/supervision",
        supervision_page,
        permission=_READ,
        query=SupervisionQuery,
        page=True,
        summary="How far the card got, by domain, district and partner, against targets.",
    ),
    endpoint(
        "/supervision.csv",
        supervision_file,
        permission=_READ,
        query=SupervisionQuery,
        page=True,
        summary="The supervision report as CSV.",
    ),
    endpoint(
        "/api/supervision",
        supervision_json,
        permission=_READ,
        query=SupervisionQuery,
        response=SupervisionReport,
        summary="The supervision report: cards, uses and turnover of a period, by part, against targets.",
    ),
)
