"""Two pages: what a citizen has and buys at venues, and what venues and the city see of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from uuid import UUID

from citycard.ids import new_id, uuid_in
from citycard.kernel.outside import MenuItem, Route
from citycard_tourism.settings import TourismSettings
from citycard_tourism.web import BUY, READ, VISITS

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from citycard_tourism.office import Office

__all__ = ["menu", "pages"]

_MINE = "/tourism/mine"
_PERIOD = dt.timedelta(days=29)
# How the states of tickets and passes are said; the words are translated as the rest of the page is.
_SAID = {
    "held": "being paid",
    "paid": "paid, waits at a counter",
    "card": "on the card",
    "used": "used",
    "returned": "given back",
    "lapsed": "not bought",
    "active": "in force",
    "frozen": "frozen",
    "cancelled": "cancelled",
}
_SHOWN = 100


def menu(settings: TourismSettings) -> Iterator[MenuItem]:
    """Give the entries of the menu: a citizen's, and the venues'."""
    venues = tuple(one.id for one in settings.venues)
    yield MenuItem(path="/mine", title="Culture and leisure", title_zh="旅游娱乐", permission=READ, own=True)
    yield MenuItem(path="/office", title="Venues", title_zh="场馆", permission=VISITS, partners=venues)


def pages(settings: TourismSettings) -> Iterator[Route]:
    """Declare the pages of a city with these settings."""

    def office_of(request: Request) -> Office:
        from citycard.web import city_of
        from citycard_tourism.office import Office

        return Office(city_of(request), settings)

    def mine(request: Request) -> Response:
        return _mine(office_of(request), request)

    async def act(request: Request) -> Response:
        return await _act(office_of(request), request)

    def office(request: Request) -> Response:
        return _office(office_of(request), request)

    yield Route(path="/mine", endpoint=mine, permission=READ, summary="What a card has at venues, as a page.")
    yield Route(
        path="/mine",
        endpoint=act,
        permission=BUY,
        methods=("POST",),
        summary="Do what a form of that page asks for.",
    )
    yield Route(
        path="/office", endpoint=office, permission=VISITS, summary="Venues: slots, visits, refunds due."
    )


def _mine(office: Office, request: Request) -> Response:
    from citycard.store import reading
    from citycard.web import actor_of, language_of, render, require
    from citycard_tourism.slots import slots_of
    from citycard_tourism.views import rights_of

    actor, settings = actor_of(request), office.settings
    asn = request.query_params.get("card", "") or actor.subject
    values: dict[str, Any] = {"asn": asn, "rights": None, "slots": [], "plans": []}
    if asn:
        require(actor, READ, asn)
        from citycard import registry

        now = office.now
        with reading(office.engine) as conn:
            registry.find_card(conn, asn)
            values["rights"] = rights_of(conn, settings, asn)
            days = (now.date(), now.date() + dt.timedelta(days=1))
            found = [one for show in settings.shows for day in days for one in slots_of(conn, show, day)]
        values["slots"] = [one for one in found if one.ends > now and one.left > 0]
        values["plans"] = settings.plans
    titles = _titles(settings, chinese=language_of(request).code == "zh")
    may_buy = bool(asn) and actor.may(BUY, asn)
    return render(
        request, "tourism/mine.html", titles=titles, said=_SAID, may_buy=may_buy, new_id=new_id, **values
    )


async def _act(office: Office, request: Request) -> Response:
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import RedirectResponse

    from citycard.web import actor_of, read_form, require

    form = await read_form(request)
    asn = form.get("card", "")
    require(actor_of(request), BUY, asn)
    await run_in_threadpool(_done, office, form, asn)
    return RedirectResponse(f"{_MINE}?card={asn}", HTTPStatus.SEE_OTHER)


def _done(office: Office, form: dict[str, str], asn: str) -> None:
    from citycard.web import whole_in
    from citycard_tourism.changes import give_back_online, move_online
    from citycard_tourism.library import pay_fees, renew
    from citycard_tourism.passes import buy_pass
    from citycard_tourism.tickets import buy

    what = form.get("do", "")
    if what == "ticket":
        show = office.settings.show(form.get("show", ""))
        people = whole_in(form, "people")
        buy(office, uuid_in(form, "id"), asn, show, _moment(form), people)
    elif what == "pass":
        buy_pass(office, uuid_in(form, "id"), asn, office.settings.plan(form.get("plan", "")))
    elif what == "return":
        give_back_online(office, uuid_in(form, "id"), _own(office, form, asn))
    elif what == "move":
        move_online(office, uuid_in(form, "id"), _own(office, form, asn), _moment(form))
    elif what == "renew":
        renew(office, asn, whole_in(form, "loan"))
    elif what == "fees":
        pay_fees(office, asn)
    else:
        raise _bad(form, "do", "ticket, pass, return, move, renew or fees")


def _own(office: Office, form: dict[str, str], asn: str) -> UUID:
    """Give the ticket of a form when it is the card's own."""
    from citycard.store import reading
    from citycard_tourism.errors import RightUnknown
    from citycard_tourism.tickets import find_ticket

    ticket = uuid_in(form, "ticket")
    with reading(office.engine) as conn:
        if find_ticket(conn, ticket).asn != asn:
            raise RightUnknown(what="ticket", id=ticket)
    return ticket


def _office(office: Office, request: Request) -> Response:
    from citycard.store import reading
    from citycard.web import actor_of, language_of, render
    from citycard_tourism.slots import slots_of
    from citycard_tourism.takings import refunds_due
    from citycard_tourism.visits import visits_between

    actor, settings, today = actor_of(request), office.settings, office.now.date()
    venues = [one for one in settings.venues if actor.may(VISITS, one.id)]
    every = actor.may(VISITS, "every venue")
    names = {one.id for one in venues}
    with reading(office.engine) as conn:
        slots = [one for show in settings.shows if show.venue in names for one in slots_of(conn, show, today)]
        visits = [
            line for line in visits_between(conn, settings, today - _PERIOD, today) if line.venue in names
        ]
        refunds = refunds_due(conn)[:_SHOWN] if every else []
    titles = _titles(settings, chinese=language_of(request).code == "zh")
    return render(
        request,
        "tourism/office.html",
        venues=venues,
        slots=slots,
        visits=visits,
        refunds=refunds,
        every=every,
        titles=titles,
        today=today,
    )


def _titles(settings: TourismSettings, *, chinese: bool) -> dict[str, str]:
    """Give what shows, plans and venues are called in the reader's language, by name."""
    found = {one.name: one.title_zh if chinese and one.title_zh else one.title for one in settings.shows}
    found |= {one.name: one.title_zh if chinese and one.title_zh else one.title for one in settings.plans}
    return found | {one.id: one.name_zh if chinese and one.name_zh else one.name for one in settings.venues}


def _bad(form: dict[str, str], field: str, expected: str) -> Exception:
    from citycard.errors import QueryInvalid

    return QueryInvalid(field=field, text=form.get(field, "")[:40], expected=expected)


def _moment(form: dict[str, str]) -> dt.datetime:
    try:
        found = dt.datetime.fromisoformat(form.get("starts", ""))
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None:
        raise _bad(form, "starts", "a local time such as 2018-09-01T10:00")
    return found
