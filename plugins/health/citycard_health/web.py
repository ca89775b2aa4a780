"""The endpoints of health: visits, sports and what insurers owe."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import attrs

from citycard.store import reading
from citycard_health import access
from citycard_health.asking import HealthAct, answered, path_id
from citycard_health.claims import ClaimStatement, claim_file, close_month, find_statement, statements_of
from citycard_health.errors import NotFound
from citycard_health.returns import VisitReturned, return_lines
from citycard_health.sports import SportPayment, find_sport, pay_sport, return_sport
from citycard_health.visitlines import VisitLine, lines_of
from citycard_health.visits import ClinicVisit, VisitItem, charge_visit, visit_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from citycard.city import City
    from citycard_health.settings import HealthSettings

__all__ = ["SportToPay", "StatementList", "VisitToCharge", "VisitToReturn", "VisitView"]

_LONGEST = 100


@attrs.frozen(kw_only=True)
class VisitToCharge:
    """A visit; ``id`` is made by the client and names it. Without ``use_account`` subsidies alone pay."""

    id: UUID
    card: str
    clinic: str
    items: tuple[VisitItem, ...]
    use_account: bool = True


@attrs.frozen(kw_only=True)
class VisitView:
    """A visit, what the purse still has to pay of it, and its lines as they were charged."""

    visit: ClinicVisit
    left_fen: int
    lines: tuple[VisitLine, ...]


@attrs.frozen(kw_only=True)
class VisitToReturn:
    """Lines of a visit to give back, counted from 1; all that are left when none is named."""

    id: UUID
    lines: tuple[int, ...] = ()
    reason: str = attrs.field(validator=attrs.validators.max_len(_LONGEST))


@attrs.frozen(kw_only=True)
class SportToPay:
    """An entrance at a venue, paid from the social-security account; ``id`` is made by the client."""

    id: UUID
    card: str
    venue: str


@attrs.frozen(kw_only=True)
class StatementList:
    """The statements of an insurer, the newest month first."""

    insurer: str
    statements: tuple[ClaimStatement, ...]


# ── visits ───────────────────────────────────────────────────────────────────────────────────────


async def charge(settings: HealthSettings, request: Request) -> Response:
    from citycard.web import actor_of, city_of, read_json

    body, city, actor = await read_json(request, VisitToCharge), city_of(request), actor_of(request)
    access.require_own(actor, access.CHARGE, partner=body.clinic)

    def work() -> VisitView:
        made = charge_visit(
            city,
            settings,
            body.id,
            body.card,
            body.clinic,
            body.items,
            use_account=body.use_account,
            actor=actor.name,
        )
        return _view(city, made)

    return await answered(work)


async def show(request: Request) -> Response:
    from citycard.web import actor_of, city_of

    city, actor, identity = city_of(request), actor_of(request), path_id(request, what="visit")

    def work() -> VisitView:
        found = visit_of(city, identity)
        access.require_own(actor, access.READ_DESK, partner=found.clinic)
        return _view(city, found)

    return await answered(work)


async def give_back(request: Request) -> Response:
    from citycard.web import actor_of, city_of, read_json

    body, city, actor = await read_json(request, VisitToReturn), city_of(request), actor_of(request)
    identity = path_id(request, what="visit")

    def work() -> VisitReturned:
        access.require_own(actor, access.RETURN, partner=visit_of(city, identity).clinic)
        who = actor.name
        return return_lines(city, body.id, identity, body.lines, reason=body.reason, actor=who)

    return await answered(work)


def _view(city: City, visit: ClinicVisit) -> VisitView:
    with reading(city.engine) as conn:
        return VisitView(visit=visit, left_fen=visit.left_fen, lines=tuple(lines_of(conn, visit.id)))


# ── sports, insurers ─────────────────────────────────────────────────────────────────────────────


async def pay(settings: HealthSettings, request: Request) -> Response:
    from citycard.web import actor_of, city_of, read_json

    body, city, actor = await read_json(request, SportToPay), city_of(request), actor_of(request)
    access.require_own(actor, access.SPEND, card=body.card, partner=body.venue)
    who = actor.name
    return await answered(lambda: pay_sport(city, settings, body.id, body.card, body.venue, actor=who))


async def back(request: Request) -> Response:
    from citycard.web import actor_of, city_of, read_json

    body, city, actor = await read_json(request, HealthAct), city_of(request), actor_of(request)
    identity = path_id(request, what="payment for sports")

    def work() -> SportPayment:
        access.require_own(actor, access.SPEND, partner=find_sport(city, identity).venue)
        return return_sport(city, identity, reason=body.reason or "given back", actor=actor.role.value)

    return await answered(work)


async def statements(settings: HealthSettings, request: Request) -> Response:
    from citycard.web import actor_of, city_of

    city, insurer = city_of(request), request.path_params["insurer"]
    access.require_own(actor_of(request), access.READ_CLAIMS, partner=insurer)
    if all(one.id != insurer for one in settings.insurers):
        raise NotFound(what="insurer", name=repr(insurer[:40]))

    def work() -> StatementList:
        with reading(city.engine) as conn:
            return StatementList(insurer=insurer, statements=tuple(statements_of(conn, insurer)))

    return await answered(work)


async def close(settings: HealthSettings, request: Request) -> Response:
    from citycard.web import city_of, read_json

    await read_json(request, HealthAct)
    city, named = city_of(request), request.path_params
    return await answered(lambda: close_month(city, settings, named["insurer"], named["month"]))


async def claims(request: Request) -> Response:
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import PlainTextResponse

    from citycard.web import actor_of, city_of

    city, actor = city_of(request), actor_of(request)
    identity = path_id(request, what="statement")

    def work() -> str:
        found = find_statement(city, identity)
        access.require_own(actor, access.READ_CLAIMS, partner=found.insurer)
        with reading(city.engine) as conn:
            return claim_file(conn, found)

    return PlainTextResponse(await run_in_threadpool(work), media_type="text/csv")
