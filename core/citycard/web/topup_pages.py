"""The pages of top-ups: amounts to choose on a citizen's own card, and a load agent's quota and days."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from citycard import registry
from citycard.city import agents
from citycard.city.orders import look_after, order_top_up
from citycard.city.providing import has_provider
from citycard.errors import CitycardError, ProviderUnavailable, QueryInvalid
from citycard.ids import new_id
from citycard.store import reading
from citycard.wallet.order import OrderState, PaymentOrder
from citycard.wallet.orderbook import orders
from citycard.web.agents import read_agent
from citycard.web.context import actor_of, web_of
from citycard.web.endpoints import Endpoint, endpoint
from citycard.web.forms import read_form
from citycard.web.languages import Language
from citycard.web.rendering import language_of, render
from citycard.web.sessions import require
from citycard.web.topups import rule_of, whoever
from citycard.web.words import order_state

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["ENDPOINTS"]

_SHOWN = 20


async def top_up(request: Request) -> Response:
    """Show what can be loaded, what was ordered, and where that is."""
    web, say, asn = web_of(request), language_of(request), request.path_params["asn"]
    require(actor_of(request), "city.read-topups", asn)

    def read() -> list[PaymentOrder]:
        with reading(web.city.engine) as conn:
            return orders(conn, asn=asn, limit=_SHOWN)

    found = await run_in_threadpool(read)
    waiting = next((order for order in found if order.state is OrderState.CREATED), None)
    if waiting is not None:
        asked = await run_in_threadpool(_asked_again, request, waiting)
        found = [asked if order.id == asked.id else order for order in found]
    rule = await run_in_threadpool(rule_of, web.city, asn)
    return render(
        request,
        "topup.html",
        asn=asn,
        asn_words=" ".join(asn[place : place + 4] for place in range(0, len(asn), 4)),
        amounts=[{"fen": fen, "words": say.money(fen), "id": new_id()} for fen in _amounts(request)],
        may_order=actor_of(request).may("city.order-topups", asn),
        orders=[_order_line(order, request, say) for order in found],
        to_pay=next((_order_line(one, request, say) for one in found if _payable(one)), None),
        rule=rule,
    )


async def make_order(request: Request) -> Response:
    """Make the order of an amount button, and lead on to where it is paid."""
    web, asn = web_of(request), request.path_params["asn"]
    require(actor_of(request), "city.order-topups", asn)
    form = await read_form(request)
    try:
        identity, amount_fen = UUID(form.get("id", "")), int(form.get("amount_fen", ""))
    except ValueError:
        raise QueryInvalid(field="amount_fen", text="…", expected="one of the amounts of the page") from None
    if amount_fen not in _amounts(request):
        raise QueryInvalid(
            field="amount_fen", text=str(amount_fen), expected="one of the amounts of the page"
        )

    def work() -> None:
        try:
            order_top_up(web.city, identity, asn, amount_fen, actor=whoever(request))
        except ProviderUnavailable:
            # The order stands; its page asks again.
            return

    await run_in_threadpool(work)
    return RedirectResponse(f"/cards/{quote(asn)}/topup", HTTPStatus.SEE_OTHER)


async def agent_page(request: Request) -> Response:
    """Show a load agent its quota, what it owes, and its days."""
    say = language_of(request)
    shown = await run_in_threadpool(read_agent, request)
    web, name = web_of(request), request.path_params["agent"]
    title = await run_in_threadpool(_partner_name, web.city, name)
    today = web.city.now_local().date()
    closed = {one.day for one in shown.days}
    return render(
        request,
        "agent.html",
        agent=name,
        name=title,
        standing=shown.standing,
        today=today,
        today_words=say.day(today),
        may_close=actor_of(request).may("city.close-days", name) and today not in closed,
        id=new_id(),
        days=[
            {
                "day": say.day(one.day),
                "loads": f"{one.loads:,}",
                "late": one.late,
                "amount": say.money(one.amount_fen),
                "commission": say.money(one.commission_fen),
                "hand_over": say.money(one.hand_over_fen),
            }
            for one in shown.days
        ],
    )


async def close_agent_day(request: Request) -> Response:
    """Close the day that the agent's page showed."""
    name = request.path_params["agent"]
    require(actor_of(request), "city.close-days", name)
    form = await read_form(request)
    try:
        day = date.fromisoformat(form.get("day", ""))
    except ValueError:
        raise QueryInvalid(field="day", text="…", expected="a day such as 2018-09-01") from None
    await run_in_threadpool(_close, request, name, day)
    return RedirectResponse(f"/agents/{quote(name)}", HTTPStatus.SEE_OTHER)


def _partner_name(city: City, name: str) -> str:
    with reading(city.engine) as conn:
        return registry.find_partner(conn, name).name


def _close(request: Request, name: str, day: date) -> None:
    agents.close_day(web_of(request).city, name, day, actor=whoever(request))


def _amounts(request: Request) -> tuple[int, ...]:
    city = web_of(request).city
    return city.config.topup.amounts_fen if has_provider(city) else ()


def _payable(order: PaymentOrder) -> bool:
    return order.state is OrderState.CREATED and bool(order.pay_url)


def _asked_again(request: Request, order: PaymentOrder) -> PaymentOrder:
    """Ask about an order that waits, so that who comes back from paying sees it paid."""
    if not has_provider(web_of(request).city):
        return order
    try:
        return look_after(web_of(request).city, order.id)
    except CitycardError:
        return order


def _order_line(order: PaymentOrder, request: Request, say: Language) -> dict[str, Any]:
    zone = web_of(request).city.timezone
    return {
        "at": say.moment(order.created_at.astimezone(zone)),
        "amount": say.money(order.amount_fen),
        "state": order_state(order.state, say),
        "account": order.account,
        "pay_url": order.pay_url if _payable(order) else "",
    }


ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint(
        "/cards/{asn}/topup",
        top_up,
        permission="city.read-topups",
        page=True,
        summary="Top up a card: amounts, orders, automatic top-up.",
    ),
    endpoint(
        "/cards/{asn}/topup",
        make_order,
        permission="city.order-topups",
        methods=("POST",),
        page=True,
        summary="Order a top-up.",
    ),
    endpoint(
        "/agents/{agent}",
        agent_page,
        permission="city.read-agents",
        page=True,
        summary="A load agent: quota, what it owes, closed days.",
    ),
    endpoint(
        "/agents/{agent}",
        close_agent_day,
        permission="city.close-days",
        methods=("POST",),
        page=True,
        summary="Close a load agent's day.",
    ),
)
