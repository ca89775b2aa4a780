"""Subsidy programmes and points schemes: for programs as JSON, for the city's people as pages."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import attrs
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from citycard.city.accounts import payee
from citycard.store import reading
from citycard.wallet.accounts import Accounts
from citycard.wallet.grantfile import BadLine, GrantLine
from citycard.wallet.grants import BulkGrant, grant_lines, grants_of
from citycard.wallet.points import Points, PointsDone
from citycard.wallet.programmes import (
    ProgrammeReport,
    fund_programme,
    programmes_by_id,
    report_programme,
)
from citycard.wallet.schemes import SchemeReport, acceptances, report_scheme, schemes_by_partner
from citycard.web.accounts import account_number
from citycard.web.bodies import read_json
from citycard.web.context import actor_of, city_of
from citycard.web.endpoints import Endpoint, endpoint, json_answer
from citycard.web.rendering import language_of, render
from citycard.web.sessions import require

__all__ = ["ENDPOINTS"]

_SHOWN = 100
# Some ten thousand grants at once.
_LARGEST_BYTES = 1024 * 1024


@attrs.frozen(kw_only=True)
class ProgrammeList:
    """Every programme with where its money is."""

    programmes: tuple[ProgrammeReport, ...]


@attrs.frozen(kw_only=True)
class ToFund:
    """Money of the funder that came to the trust bank; ``id`` is made by the client."""

    id: UUID
    amount_fen: int


@attrs.frozen(kw_only=True)
class LineToGrant:
    """One grant: the number of a card or an account, and the amount."""

    number: str
    amount_fen: int = attrs.field(validator=attrs.validators.gt(0))


@attrs.frozen(kw_only=True)
class ToGrant:
    """Grants under one batch: an account is granted something once under it, however often this is sent.

    ``id`` is made by the client; what was done before is known by ``batch``.
    """

    id: UUID
    batch: str
    grants: tuple[LineToGrant, ...]


@attrs.frozen(kw_only=True)
class SchemeView:
    """A points scheme with its points, and the fen that each partner promises for one of them."""

    report: SchemeReport
    accepted: dict[str, int]


@attrs.frozen(kw_only=True)
class SchemeList:
    """Every points scheme."""

    schemes: tuple[SchemeView, ...]


@attrs.frozen(kw_only=True)
class ToEarn:
    """Points of ``scheme`` for an amount that was paid at its partner."""

    id: UUID
    scheme: str
    amount_fen: int


@attrs.frozen(kw_only=True)
class ToUse:
    """Points of ``scheme`` that are used at ``partner``."""

    id: UUID
    scheme: str
    partner: str
    points: int


@attrs.frozen(kw_only=True)
class ToExchange:
    """Points of ``source`` that become points of ``target``."""

    id: UUID
    source: str
    target: str
    points: int


async def programmes(request: Request) -> Response:
    return json_answer(ProgrammeList(programmes=await run_in_threadpool(_reports, request)))


async def programme(request: Request) -> Response:
    return json_answer(await run_in_threadpool(_report, request))


async def fund(request: Request) -> Response:
    body, wallet = await read_json(request, ToFund), city_of(request).wallet
    name, actor = request.path_params["programme"], _by(request)
    return json_answer(
        await run_in_threadpool(fund_programme, wallet, body.id, name, body.amount_fen, actor=actor)
    )


async def grant(request: Request) -> Response:
    body, wallet = await read_json(request, ToGrant, limit=_LARGEST_BYTES), city_of(request).wallet
    lines: list[GrantLine] = []
    bad: list[BadLine] = []
    seen: set[str] = set()
    for place, one in enumerate(body.grants, 1):
        if one.number in seen:
            bad.append(BadLine(line=place, reason=f"{one.number} stands in an earlier line already"))
            continue
        seen.add(one.number)
        lines.append(GrantLine(line=place, number=one.number, amount_fen=one.amount_fen))
    name = request.path_params["programme"]
    return json_answer(await run_in_threadpool(grant_lines, wallet, name, body.batch, lines, bad))


async def schemes(request: Request) -> Response:
    city = city_of(request)

    def work() -> SchemeList:
        with reading(city.engine) as conn:
            found = [
                SchemeView(report=report_scheme(conn, city.ledger, name), accepted=acceptances(conn, name))
                for name in schemes_by_partner(conn)
            ]
        return SchemeList(schemes=tuple(found))

    return json_answer(await run_in_threadpool(work))


async def earn(request: Request) -> Response:
    body, points = await read_json(request, ToEarn), Points(city_of(request).wallet)
    require(actor_of(request), "city.charge-accounts", body.scheme)
    number = await _charged(request)
    return json_answer(
        await run_in_threadpool(
            points.earn, body.id, number, body.scheme, body.amount_fen, actor=_by(request)
        )
    )


async def use(request: Request) -> Response:
    body, city = await read_json(request, ToUse), city_of(request)
    require(actor_of(request), "city.charge-accounts", body.partner)
    number = await _charged(request)

    def work() -> PointsDone:
        to = payee(city, body.partner)
        points = Points(city.wallet)
        return points.use(body.id, number, body.scheme, to.partner, body.points, actor=_by(request))

    return json_answer(await run_in_threadpool(work))


async def exchange(request: Request) -> Response:
    number = await account_number(request, "city.use-accounts")
    body, points = await read_json(request, ToExchange), Points(city_of(request).wallet)
    return json_answer(
        await run_in_threadpool(
            points.exchange, body.id, number, body.source, body.target, body.points, actor=_by(request)
        )
    )


async def programmes_page(request: Request) -> Response:
    found = await run_in_threadpool(_reports, request)
    return render(request, "subsidies.html", programmes=found, titled=_titled(request))


async def programme_page(request: Request) -> Response:
    city = city_of(request)
    found = await run_in_threadpool(_report, request)

    def work() -> list[tuple[str, int, str]]:
        with reading(city.engine) as conn:
            return grants_of(conn, found.programme.id, limit=_SHOWN)

    grants = await run_in_threadpool(work)
    return render(request, "subsidy.html", report=found, grants=grants, titled=_titled(request))


def _titled(request: Request) -> Any:
    """Give what names a programme in the reader's language."""
    chinese = language_of(request).code == "zh"
    return lambda one: one.title_zh if chinese and one.title_zh else one.title


def _reports(request: Request) -> tuple[ProgrammeReport, ...]:
    city = city_of(request)
    with reading(city.engine) as conn:
        return tuple(report_programme(conn, city.ledger, name) for name in programmes_by_id(conn))


def _report(request: Request) -> ProgrammeReport:
    city = city_of(request)
    with reading(city.engine) as conn:
        return report_programme(conn, city.ledger, request.path_params["programme"])


async def _charged(request: Request) -> str:
    """Give the number of the account in the address, which a partner may charge whoever owns it."""
    accounts = Accounts(city_of(request).wallet)
    return (await run_in_threadpool(accounts.find, request.path_params["number"])).number


def _by(request: Request) -> str:
    actor = actor_of(request)
    return f"{actor.role.value} {actor.token}"[:100]


_PROGRAMME = "/api/subsidies/{programme}"
_POINTS = "/api/points/accounts/{number}"

ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint(
        "/api/subsidies",
        programmes,
        permission="city.read-subsidies",
        response=ProgrammeList,
        summary="Every subsidy programme with where its money is.",
    ),
    endpoint(
        _PROGRAMME,
        programme,
        permission="city.read-subsidies",
        response=ProgrammeReport,
        summary="A subsidy programme: budget, granted, spent, lapsed, held.",
    ),
    endpoint(
        f"{_PROGRAMME}/funds",
        fund,
        permission="city.manage-subsidies",
        methods=("POST",),
        request=ToFund,
        response=ProgrammeReport,
        summary="Put money of the funder into a programme's budget.",
    ),
    endpoint(
        f"{_PROGRAMME}/grants",
        grant,
        permission="city.grant-subsidies",
        methods=("POST",),
        request=ToGrant,
        response=BulkGrant,
        summary="Grant amounts of a programme to accounts; bad lines are told, the others are granted.",
    ),
    endpoint(
        "/api/points",
        schemes,
        permission="city.read-points",
        response=SchemeList,
        summary="Every points scheme with its points and the money behind them.",
    ),
    endpoint(
        f"{_POINTS}/earn",
        earn,
        permission="city.charge-accounts",
        methods=("POST",),
        request=ToEarn,
        response=PointsDone,
        summary="Give the points for an amount; the partner of the scheme pays for them.",
    ),
    endpoint(
        f"{_POINTS}/use",
        use,
        permission="city.charge-accounts",
        methods=("POST",),
        request=ToUse,
        response=PointsDone,
        summary="Use points at a partner that takes them.",
    ),
    endpoint(
        f"{_POINTS}/exchange",
        exchange,
        permission="city.use-accounts",
        methods=("POST",),
        request=ToExchange,
        response=PointsDone,
        summary="Turn points of one partner into those of another.",
    ),
    endpoint(
        "/subsidies",
        programmes_page,
        permission="city.read-subsidies",
        page=True,
        summary="The subsidy programmes and where their money is.",
    ),
    endpoint(
        "/subsidies/{programme}",
        programme_page,
        permission="city.read-subsidies",
        page=True,
        summary="A subsidy programme and its newest grants.",
    ),
)
