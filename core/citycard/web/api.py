"""The endpoints for programs, under ``/api``: the same records as the pages, as JSON."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus

import attrs
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from citycard.clearing.statements import Statement
from citycard.web import sources
from citycard.web.context import actor_of, web_of
from citycard.web.endpoints import Endpoint, endpoint, json_answer, read_query
from citycard.web.sessions import require
from citycard.web.sources.health import STORE
from citycard.web.views import CardView, DayView, HealthView, PartnerView, PluginView, RecordView

__all__ = ["ENDPOINTS", "DayQuery"]


@attrs.frozen(kw_only=True)
class DayQuery:
    """Which day to look at; the latest one when left out."""

    day: date | None = attrs.field(default=None, metadata={"expected": "a day such as 2018-09-01"})


@attrs.frozen(kw_only=True)
class PartnerList:
    """All partners, by name."""

    partners: tuple[PartnerView, ...]


@attrs.frozen(kw_only=True)
class StatementList:
    """A partner and its latest statements, one per clearing run, newest first."""

    partner: PartnerView
    statements: tuple[Statement, ...]


@attrs.frozen(kw_only=True)
class PluginList:
    """All plugins that were found, by name."""

    plugins: tuple[PluginView, ...]


@attrs.frozen(kw_only=True)
class Health:
    """Whether everything works, and each part by itself. Without its store the status is 503."""

    well: bool
    parts: tuple[HealthView, ...]


async def day(request: Request) -> Response:
    query: DayQuery = read_query(request, DayQuery)
    return json_answer(await run_in_threadpool(web_of(request).days.read, query.day))


async def partners(request: Request) -> Response:
    found = await run_in_threadpool(sources.read_partners, web_of(request).city)
    return json_answer(PartnerList(partners=found))


async def statement(request: Request) -> Response:
    name = request.path_params["partner"]
    require(actor_of(request), "city.read-statements", name)
    partner, found = await run_in_threadpool(sources.read_statement, web_of(request).city, name)
    return json_answer(StatementList(partner=partner, statements=found))


async def plugins(request: Request) -> Response:
    found = await run_in_threadpool(sources.read_plugins, web_of(request).city)
    return json_answer(PluginList(plugins=found))


async def card(request: Request) -> Response:
    web, asn = web_of(request), request.path_params["asn"]
    require(actor_of(request), "city.read-cards", asn)
    shown, _ = await run_in_threadpool(
        sources.open_card, web.city, asn, actor_of(request), page="api", at=web.clock.now()
    )
    return json_answer(shown)


async def record(request: Request) -> Response:
    web, asn = web_of(request), request.path_params["asn"]
    require(actor_of(request), "city.read-cards", asn)
    shown = await run_in_threadpool(
        sources.open_record,
        web.city,
        asn,
        request.path_params["record"],
        actor_of(request),
        page="api record",
        at=web.clock.now(),
    )
    return json_answer(shown)


_HIDDEN = "not well; who has the permission city.read-health is told why"


async def health(request: Request) -> Response:
    """Anybody may ask whether the server is well; why it is not is told to those who may know."""
    parts = await run_in_threadpool(sources.read_health, web_of(request).city)
    serves = next(part.well for part in parts if part.name == STORE)
    if not actor_of(request).may("city.read-health"):
        parts = tuple(attrs.evolve(part, words="" if part.well else _HIDDEN) for part in parts)
    status = HTTPStatus.OK if serves else HTTPStatus.SERVICE_UNAVAILABLE
    return json_answer(Health(well=all(part.well for part in parts), parts=parts), status=status)


ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint(
        "/api/day", day, query=DayQuery, response=DayView, summary="The city's day, as sums that name nobody."
    ),
    endpoint(
        "/api/partners",
        partners,
        permission="city.read-partners",
        response=PartnerList,
        summary="Every partner with its gross, fees, net, and what is not yet paid.",
    ),
    endpoint(
        "/api/partners/{partner}/statement",
        statement,
        permission="city.read-statements",
        response=StatementList,
        summary="A partner's statements, run by run.",
    ),
    endpoint(
        "/api/plugins",
        plugins,
        permission="city.read-plugins",
        response=PluginList,
        summary="Every plugin with its state, its reason, and what it claims.",
    ),
    endpoint(
        "/api/cards/{asn}",
        card,
        permission="city.read-cards",
        response=CardView,
        summary="A card with its purse and journeys; the look is recorded.",
    ),
    endpoint(
        "/api/cards/{asn}/records/{record}",
        record,
        permission="city.read-cards",
        response=RecordView,
        summary="One record of a card explained, from the file to the bank; the look is recorded.",
    ),
    endpoint("/api/health", health, response=Health, summary="Whether the server and its plugins work."),
)
