"""Points for programs: the schemes of partners, and what is done with the points on an account."""

from __future__ import annotations

from uuid import UUID

import attrs
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from citycard.city.accounts import payee
from citycard.store import reading
from citycard.wallet.points import Points, PointsDone
from citycard.wallet.schemes import SchemeReport, acceptances, report_scheme, schemes_by_partner
from citycard.web.accounts import account_number, charged_number
from citycard.web.bodies import read_json
from citycard.web.context import actor_of, city_of
from citycard.web.endpoints import Endpoint, endpoint, json_answer
from citycard.web.sessions import require

__all__ = ["ENDPOINTS"]


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
    actor = actor_of(request).name
    require(actor_of(request), "city.charge-accounts", body.scheme)
    number = await charged_number(request)
    return json_answer(
        await run_in_threadpool(points.earn, body.id, number, body.scheme, body.amount_fen, actor=actor)
    )


async def use(request: Request) -> Response:
    body, city = await read_json(request, ToUse), city_of(request)
    actor = actor_of(request).name
    require(actor_of(request), "city.charge-accounts", body.partner)
    number = await charged_number(request)

    def work() -> PointsDone:
        to = payee(city, body.partner)
        points = Points(city.wallet)
        return points.use(body.id, number, body.scheme, to.partner, body.points, actor=actor)

    return json_answer(await run_in_threadpool(work))


async def exchange(request: Request) -> Response:
    number = await account_number(request, "city.use-accounts")
    body, points = await read_json(request, ToExchange), Points(city_of(request).wallet)
    actor = actor_of(request).name
    return json_answer(
        await run_in_threadpool(
            points.exchange,
            body.id,
            number,
            body.source,
            body.target,
            body.points,
            actor=actor,
        )
    )


_POINTS = "/api/points/accounts/{number}"

ENDPOINTS: tuple[Endpoint, ...] = (
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
)
