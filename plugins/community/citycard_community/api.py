"""The endpoints of communities for programs; ``acts`` does what they ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from citycard.kernel.outside import PUBLIC, Route, imported
from citycard_community.permissions import (
    BUY_PASSES,
    INVITE,
    KEEP_LEASES,
    KEEP_STAFF,
    KEEP_UNITS,
    PAY_FEES,
    READ_FEES,
    READ_HOME,
    READ_OPENINGS,
)

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = ["api_routes"]

# Bodies are named: opening a city does without them, and without what they are made of.
_ASKING, _HOME = "citycard_community.asking", "citycard_community.home"
_LARGEST_BYTES = 1024 * 1024


def _acts() -> Any:
    from citycard_community import acts

    return acts


def _home(request: Request) -> Response:
    from citycard.web import actor_of, city_of, json_answer, read_query
    from citycard_community.asking import HomeQuery

    actor = actor_of(request)
    card = read_query(request, HomeQuery).card or actor.subject
    return json_answer(_acts().home(city_of(request), actor, card))


def _asked(request: Request, kind: type[Any]) -> Any:
    """Read a question about a community; raise QueryInvalid where it names none."""
    from citycard.errors import Phrase, QueryInvalid
    from citycard.web import city_of, read_query
    from citycard_community.running import settings_of

    query = read_query(request, kind)
    if not query.community:
        known = ", ".join(one.id for one in settings_of(city_of(request)).communities) or "none"
        raise QueryInvalid(field="community", text="", expected=Phrase("one of {known}", known=known))
    return query


def _openings(request: Request) -> Response:
    from citycard.web import actor_of, city_of, json_answer
    from citycard_community.asking import OpeningsQuery

    query = _asked(request, OpeningsQuery)
    return json_answer(_acts().openings(city_of(request), actor_of(request), query))


def _fees(request: Request) -> Response:
    from citycard.web import actor_of, city_of, json_answer
    from citycard_community.asking import CommunityQuery

    query = _asked(request, CommunityQuery)
    return json_answer(_acts().fees(city_of(request), actor_of(request), query.community))


def _car_parks(request: Request) -> Response:
    from citycard.web import city_of, json_answer
    from citycard_community.asking import CommunityQuery

    query = _asked(request, CommunityQuery)
    return json_answer(_acts().car_parks(city_of(request), query.community))


def _post(
    path: str,
    permission: str,
    body: str,
    response: str,
    summary: str,
    act: Callable[[Any, Any, Any, Any], Any],
) -> Route:
    """Declare an endpoint that does something: ``act(city, actor, path parameters, body)`` in a thread."""

    async def answer(request: Request) -> Response:
        from starlette.concurrency import run_in_threadpool

        from citycard.web import actor_of, city_of, json_answer, read_json

        sent = await read_json(request, imported(body), limit=_LARGEST_BYTES)
        place = request.path_params
        return json_answer(await run_in_threadpool(act, city_of(request), actor_of(request), place, sent))

    return Route(
        path=path,
        endpoint=answer,
        permission=permission,
        methods=("POST",),
        summary=summary,
        request=body,
        response=response,
    )


def api_routes() -> Iterator[Route]:
    """Declare them."""
    yield Route(
        path="/home",
        endpoint=_home,
        permission=READ_HOME,
        summary="A card's doors, flats, leases, fees due, parking and visitors.",
        request=f"{_ASKING}:HomeQuery",
        response=f"{_HOME}:CommunityHome",
    )
    yield Route(
        path="/openings",
        endpoint=_openings,
        permission=READ_OPENINGS,
        summary="When doors were opened, and for who may see it by which card.",
        request=f"{_ASKING}:OpeningsQuery",
        response=f"{_ASKING}:DoorOpenings",
    )
    yield Route(
        path="/fees",
        endpoint=_fees,
        permission=READ_FEES,
        summary="The property fees that a community is owed.",
        request=f"{_ASKING}:CommunityQuery",
        response=f"{_ASKING}:CommunityBills",
    )
    yield Route(
        path="/car-parks",
        endpoint=_car_parks,
        permission=PUBLIC,
        summary="How full the car parks of a community are.",
        request=f"{_ASKING}:CommunityQuery",
        response=f"{_ASKING}:CarParkState",
    )
    yield from _residents_posts()
    yield from _company_posts()


def _residents_posts() -> Iterator[Route]:
    yield _post(
        "/fees/{bill:int}/payments",
        PAY_FEES,
        f"{_ASKING}:FeeToPay",
        f"{_ASKING}:FeePaid",
        "Pay a property fee from an online account.",
        lambda city, actor, place, body: _acts().pay_fee(city, actor, place["bill"], body),
    )
    yield _post(
        "/passes",
        BUY_PASSES,
        f"{_ASKING}:PassToBuy",
        f"{_ASKING}:PassBought",
        "Buy a parking pass from an online account.",
        lambda city, actor, _, body: _acts().buy_pass(city, actor, body),
    )
    yield _post(
        "/visits",
        INVITE,
        f"{_ASKING}:VisitToInvite",
        f"{_ASKING}:VisitorCode",
        "Give a visitor a right for a day, by card or by a code.",
        lambda city, actor, _, body: _acts().invite_visitor(city, actor, body),
    )
    yield _post(
        "/visits/{visit:uuid}/end",
        INVITE,
        f"{_ASKING}:VisitToEnd",
        f"{_ASKING}:VisitorCode",
        "Take back what a visitor was given.",
        lambda city, actor, place, body: _acts().call_off(city, actor, place["visit"], body.card),
    )


def _company_posts() -> Iterator[Route]:
    yield _post(
        "/leases",
        KEEP_LEASES,
        f"{_ASKING}:LeaseToBegin",
        f"{_HOME}:HomeLease",
        "Begin a lease and give its tenants their rights.",
        lambda city, actor, _, body: _acts().begin(city, actor, body),
    )
    yield _post(
        "/leases/{lease:uuid}/extension",
        KEEP_LEASES,
        f"{_ASKING}:LeaseToExtend",
        f"{_HOME}:HomeLease",
        "Let a lease run until a later day.",
        lambda city, actor, place, body: _acts().extend(city, actor, place["lease"], body.ends_on),
    )
    yield _post(
        "/leases/{lease:uuid}/end",
        KEEP_LEASES,
        f"{_ASKING}:LeaseToEnd",
        f"{_HOME}:HomeLease",
        "End a lease early, and its tenants' rights with it.",
        lambda city, actor, place, body: _acts().end(city, actor, place["lease"], body.last_day),
    )
    yield _post(
        "/units",
        KEEP_UNITS,
        f"{_ASKING}:CommunityUnits",
        f"{_ASKING}:UnitsKept",
        "Take over units with their owners, all or none.",
        lambda city, actor, _, body: _acts().keep(city, actor, body),
    )
    yield _post(
        "/staff",
        KEEP_STAFF,
        f"{_ASKING}:StaffToAdmit",
        f"{_ASKING}:RightGiven",
        "Give a right to somebody who works there.",
        lambda city, actor, _, body: _acts().admit_staff(city, actor, body),
    )
    yield _post(
        "/rights/{serial:int}/end",
        KEEP_STAFF,
        f"{_ASKING}:RightToTakeBack",
        f"{_ASKING}:RightGiven",
        "Take a right back, whoever has it.",
        lambda city, actor, place, _: _acts().take_right_back(city, actor, place["serial"]),
    )
