"""What each endpoint does: read, ask for the owner, do it in a thread, answer with records."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from citycard import registry
from citycard.clock import first_and_last
from citycard.errors import Phrase, QueryInvalid
from citycard.ids import uuid_in
from citycard.store import reading, writing
from citycard.web import actor_of, json_answer, read_json, read_query, require
from citycard_tourism import bodies, web
from citycard_tourism.changes import give_back_online, move_online
from citycard_tourism.errors import RightUnknown
from citycard_tourism.library import pay_fees, renew, take_back
from citycard_tourism.loyalty import sell
from citycard_tourism.office import Office
from citycard_tourism.passes import buy_pass
from citycard_tourism.slots import check_slot, set_capacity, slots_of
from citycard_tourism.tickets import buy, find_ticket, release
from citycard_tourism.views import loan_view, pass_view, rights_of, ticket_view
from citycard_tourism.visits import visits_between

__all__ = ["ENDPOINTS"]

_PERIOD = dt.timedelta(days=29)
_DIGITS = len(str(0xFFFFFFFF))

Answer = TypeVar("Answer")
Work = Callable[[Office, Request], Awaitable[Response]]


async def programme(office: Office, _: Request) -> Response:
    settings = office.settings
    venues = [
        bodies.VenueShown(id=one.id, name=one.name, name_zh=one.name_zh, kind=one.kind)
        for one in settings.venues
    ]
    shows = [
        bodies.ShowShown(
            name=one.name,
            title=one.title,
            title_zh=one.title_zh,
            venue=one.venue,
            price_fen=one.price_fen,
            times=one.times,
            minutes=one.minutes,
        )
        for one in settings.shows
    ]
    plans = [
        bodies.PlanShown(
            name=one.name,
            title=one.title,
            title_zh=one.title_zh,
            kind=one.kind,
            venues=one.venues,
            price_fen=one.price_fen,
            days=one.days,
        )
        for one in settings.plans
    ]
    return json_answer(bodies.Programme(venues=venues, shows=shows, plans=plans))


async def slots(office: Office, request: Request) -> Response:
    query: bodies.SlotQuery = read_query(request, bodies.SlotQuery)
    if not query.show:
        known = ", ".join(one.name for one in office.settings.shows) or "none"
        raise QueryInvalid(field="show", text="", expected=Phrase("one of {known}", known=known))
    show, day = office.settings.show(query.show), query.day or office.now.date()
    found = await run_in_threadpool(_read, office, lambda conn: slots_of(conn, show, day))
    return json_answer([_slot_line(one) for one in found])


async def set_slot(office: Office, request: Request) -> Response:
    body = await read_json(request, bodies.SlotToSet)
    show = office.settings.show(body.show)
    require(actor_of(request), web.SLOTS, show.venue)
    check_slot(show, body.starts, office.now)

    def work() -> Any:
        with writing(office.engine) as conn:
            return set_capacity(conn, show, body.starts, body.capacity)

    return json_answer(_slot_line(await run_in_threadpool(work)))


async def rights(office: Office, request: Request) -> Response:
    asn = request.path_params["asn"]
    require(actor_of(request), web.READ, asn)

    def work(conn: Any) -> Any:
        registry.find_card(conn, asn)
        return rights_of(conn, office.settings, asn)

    return json_answer(await run_in_threadpool(_read, office, work))


async def buy_one(office: Office, request: Request) -> Response:
    body = await read_json(request, bodies.TicketToBuy)
    require(actor_of(request), web.BUY, body.card)
    show = office.settings.show(body.show)

    def work() -> Any:
        return buy(
            office,
            body.id,
            body.card,
            show,
            body.starts,
            body.people,
            scheme=body.scheme,
            points=body.points,
        )

    return json_answer(ticket_view(office.settings, await run_in_threadpool(work)))


async def move(office: Office, request: Request) -> Response:
    body = await read_json(request, bodies.TicketToMove)
    ticket = await _own_ticket(office, request, web.BUY)
    moved = await run_in_threadpool(move_online, office, body.id, ticket, body.starts)
    return json_answer(ticket_view(office.settings, moved))


async def give_back(office: Office, request: Request) -> Response:
    body = await read_json(request, bodies.ActOnRight)
    ticket = await _own_ticket(office, request, web.BUY)
    done = await run_in_threadpool(give_back_online, office, body.id, ticket)
    return json_answer(ticket_view(office.settings, done))


async def free_held(office: Office, request: Request) -> Response:
    await read_json(request, bodies.ActOnRight)
    ticket = uuid_in(request.path_params, "ticket")
    found = await run_in_threadpool(_read, office, lambda conn: find_ticket(conn, ticket))
    require(actor_of(request), web.SLOTS, office.settings.show(found.show).venue)
    return json_answer(ticket_view(office.settings, await run_in_threadpool(release, office, ticket)))


async def buy_plan(office: Office, request: Request) -> Response:
    body = await read_json(request, bodies.PassToBuy)
    require(actor_of(request), web.BUY, body.card)
    plan = office.settings.plan(body.plan)
    found = await run_in_threadpool(buy_pass, office, body.id, body.card, plan)
    return json_answer(pass_view(office.settings, found))


async def sell_goods(office: Office, request: Request) -> Response:
    body = await read_json(request, bodies.GoodsToSell)
    require(actor_of(request), web.SELL, body.venue)
    sold = await run_in_threadpool(sell, office, body.id, body.card, body.venue, body.list_price_fen)
    return json_answer(bodies.GoodsSold(id=sold.id, amount_fen=sold.amount_fen, points=sold.points))


async def visits(office: Office, request: Request) -> Response:
    query: bodies.VisitQuery = read_query(request, bodies.VisitQuery)
    actor = actor_of(request)
    venue = query.venue or (actor.subject if not actor.may(web.VISITS, "every venue") else "")
    if venue:
        require(actor, web.VISITS, office.settings.venue(venue).id)
    since, until = first_and_last(query.since, query.until, today=office.now.date(), back=_PERIOD)
    settings = office.settings
    found = await run_in_threadpool(
        _read, office, lambda conn: visits_between(conn, settings, since, until, venue or None)
    )
    return json_answer(found)


async def renew_loan(office: Office, request: Request) -> Response:
    body = await read_json(request, bodies.LoanToRenew)
    require(actor_of(request), web.BUY, body.card)
    written = request.path_params["loan"]
    plain = written.isascii() and written.isdecimal() and len(written) <= _DIGITS
    serial = int(written) if plain else 0
    return json_answer(loan_view(await run_in_threadpool(renew, office, body.card, serial)))


async def pay_loans(office: Office, request: Request) -> Response:
    body = await read_json(request, bodies.FeesToPay)
    require(actor_of(request), web.BUY, body.card)
    paid_fen = await run_in_threadpool(pay_fees, office, body.card)
    return json_answer(bodies.FeesPaid(card=body.card, amount_fen=paid_fen))


async def book_back(office: Office, request: Request) -> Response:
    body = await read_json(request, bodies.BookBack)
    require(actor_of(request), web.BOOKS, body.venue)
    office.settings.library(body.venue)
    found = await run_in_threadpool(take_back, office, body.venue, body.item, body.day)
    return json_answer(loan_view(found))


def _read(office: Office, work: Callable[[Any], Answer]) -> Answer:
    with reading(office.engine) as conn:
        return work(conn)


async def _own_ticket(office: Office, request: Request, permission: str) -> UUID:
    """Give the id of the ticket in the address to whoever may do this with it; others learn nothing of it."""
    ticket = uuid_in(request.path_params, "ticket")
    try:
        found = await run_in_threadpool(_read, office, lambda conn: find_ticket(conn, ticket))
    except RightUnknown:
        require(actor_of(request), permission, "nobody's")
        raise
    require(actor_of(request), permission, found.asn)
    return ticket


def _slot_line(one: Any) -> bodies.SlotLine:
    return bodies.SlotLine(
        show=one.show, starts=one.starts, ends=one.ends, capacity=one.capacity, left=one.left
    )


ENDPOINTS: dict[str, Work] = {
    "programme": programme,
    "slots": slots,
    "set_slot": set_slot,
    "rights": rights,
    "buy": buy_one,
    "move": move,
    "give_back": give_back,
    "free_held": free_held,
    "buy_plan": buy_plan,
    "sell_goods": sell_goods,
    "visits": visits,
    "renew_loan": renew_loan,
    "pay_loans": pay_loans,
    "book_back": book_back,
}
