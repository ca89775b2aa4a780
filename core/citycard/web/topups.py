"""The endpoints of top-ups: orders of a card, its automatic top-up, and what the provider tells."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import attrs
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from citycard import registry
from citycard.city.orders import notified, order_top_up, send_back
from citycard.errors import OrderUnknown, PermissionMissing
from citycard.store import reading, writing
from citycard.wallet.autotopup import AutoTopUp, change_rule, find_rule, remove_rule
from citycard.wallet.online import find_account
from citycard.wallet.order import OrderState, PaymentOrder
from citycard.wallet.orderbook import find_order, orders
from citycard.web.bodies import read_bytes, read_json
from citycard.web.context import actor_of, web_of
from citycard.web.endpoints import Endpoint, endpoint, json_answer
from citycard.web.permissions import OWN
from citycard.web.sessions import require

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["ENDPOINTS", "OrderView", "order_view", "rule_of", "whoever"]


@attrs.frozen(kw_only=True)
class NewTopUp:
    """An order to make: ``id`` is yours, and sent again it is the same order.

    ``account`` is the online account that gets the money, empty for the purse of the card.
    """

    id: UUID
    amount_fen: int
    account: str = ""


@attrs.frozen(kw_only=True)
class OrderView:
    """An order of a top-up and where it is; ``pay_url`` is where it is paid as long as it waits for that."""

    id: UUID
    asn: str
    account: str
    amount_fen: int
    state: OrderState
    pay_url: str
    created_at: datetime
    expires_at: datetime
    paid_at: datetime | None
    ended_at: datetime | None
    trouble: str


@attrs.frozen(kw_only=True)
class OrderList:
    """The orders of a card, newest first."""

    orders: tuple[OrderView, ...]


@attrs.frozen(kw_only=True)
class RefundOrder:
    """Send an order's money back; ``id`` is yours. A second request finds it done."""

    id: UUID


@attrs.frozen(kw_only=True)
class NewRule:
    """Automatic top-up: below ``threshold_fen`` load ``amount_fen``, at most ``daily_limit_fen`` a day.

    ``id`` is yours: sent again with it, nothing is changed, and the answer is the rule that the card has.
    ``source`` is ``account/`` and the number of an online account, or ``agreement/`` and the provider's
    agreement. A citizen lets the card's own account pay.
    """

    id: UUID
    threshold_fen: int
    amount_fen: int
    daily_limit_fen: int
    source: str


@attrs.frozen(kw_only=True)
class RuleView:
    """The automatic top-up of a card, or null when it has none."""

    rule: AutoTopUp | None


@attrs.frozen(kw_only=True)
class Heard:
    """The answer to a notification: the order's number and its state here."""

    number: str
    state: OrderState


def order_view(order: PaymentOrder) -> OrderView:
    """Give what of an order is told outside."""
    shown = {field.name: getattr(order, field.name) for field in attrs.fields(OrderView)}
    return OrderView(**shown | {"pay_url": order.pay_url if order.state is OrderState.CREATED else ""})


def whoever(request: Request) -> str:
    """Name who asks, as orders and histories keep it: the role and the token's name."""
    return actor_of(request).name


async def make(request: Request) -> Response:
    web, asn = web_of(request), request.path_params["asn"]
    require(actor_of(request), "city.order-topups", asn)
    wanted = await read_json(request, NewTopUp)

    def work() -> PaymentOrder:
        return order_top_up(
            web.city, wanted.id, asn, wanted.amount_fen, account=wanted.account, actor=whoever(request)
        )

    return json_answer(order_view(await run_in_threadpool(work)))


async def of_card(request: Request) -> Response:
    web, asn = web_of(request), request.path_params["asn"]
    require(actor_of(request), "city.read-topups", asn)

    def read() -> list[PaymentOrder]:
        with reading(web.city.engine) as conn:
            return orders(conn, asn=asn, limit=100)

    found = await run_in_threadpool(read)
    return json_answer(OrderList(orders=tuple(order_view(one) for one in found)))


async def show(request: Request) -> Response:
    return json_answer(order_view(await _known(request, "city.read-topups")))


async def refund(request: Request) -> Response:
    order = await _known(request, "city.refund-topups")
    await read_json(request, RefundOrder)
    reason = f"sent back by {whoever(request)}"
    return json_answer(order_view(await run_in_threadpool(send_back, web_of(request).city, order.id, reason)))


async def automatic(request: Request) -> Response:
    web, asn = web_of(request), request.path_params["asn"]
    require(actor_of(request), "city.read-topups", asn)
    return json_answer(RuleView(rule=await run_in_threadpool(rule_of, web.city, asn)))


async def set_automatic(request: Request) -> Response:
    web, asn, actor = web_of(request), request.path_params["asn"], actor_of(request)
    require(actor, "city.order-topups", asn)
    wanted = await read_json(request, NewRule)
    rule = AutoTopUp(
        asn=asn,
        threshold_fen=wanted.threshold_fen,
        amount_fen=wanted.amount_fen,
        daily_limit_fen=wanted.daily_limit_fen,
        source=wanted.source,
        actor=whoever(request),
        set_at=web.clock.now(),
    )

    def work() -> AutoTopUp | None:
        with writing(web.city.engine) as conn:
            registry.find_card(conn, asn)
            # Nobody lets somebody else's account pay; an agreement is noted at a desk.
            if not rule.agreement:
                pays = find_account(conn, rule.source.removeprefix("account/")).asn
            if actor.role in OWN and (rule.agreement or pays != asn):
                raise PermissionMissing(role=actor.role.value, permission="city.order-topups")
            return change_rule(conn, wanted.id, asn, rule, actor=rule.actor, at=rule.set_at)

    return json_answer(RuleView(rule=await run_in_threadpool(work)))


async def stop_automatic(request: Request) -> Response:
    web, asn = web_of(request), request.path_params["asn"]
    require(actor_of(request), "city.order-topups", asn)

    def work() -> None:
        with writing(web.city.engine) as conn:
            registry.find_card(conn, asn)
            remove_rule(conn, asn)

    await run_in_threadpool(work)
    return json_answer(RuleView(rule=None))


async def notification(request: Request) -> Response:
    """Take what a provider tells; its signature is who it is."""
    body = await read_bytes(request)
    provider, path = request.path_params["provider"], request.url.path
    order = await run_in_threadpool(
        notified, web_of(request).city, provider, path, dict(request.headers), body
    )
    return json_answer(Heard(number=order.number, state=order.state))


def rule_of(city: City, asn: str) -> AutoTopUp | None:
    """Give the automatic top-up of a card."""
    with reading(city.engine) as conn:
        return find_rule(conn, asn)


async def _known(request: Request, permission: str) -> PaymentOrder:
    """Find an order for who may see it; whose it is stays hidden from everybody else."""
    web, text = web_of(request), request.path_params["order"]
    try:
        identity = UUID(text)
    except ValueError:
        raise OrderUnknown(order=text[:40]) from None

    def read() -> PaymentOrder:
        with reading(web.city.engine) as conn:
            return find_order(conn, identity)

    order = await run_in_threadpool(read)
    require(actor_of(request), permission, order.asn)
    return order


ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint(
        "/api/cards/{asn}/topups",
        make,
        permission="city.order-topups",
        methods=("POST",),
        request=NewTopUp,
        response=OrderView,
        summary="Order a top-up that is paid online.",
    ),
    endpoint(
        "/api/cards/{asn}/topups",
        of_card,
        permission="city.read-topups",
        response=OrderList,
        summary="The orders of a card.",
    ),
    endpoint(
        "/api/topups/{order}",
        show,
        permission="city.read-topups",
        response=OrderView,
        summary="An order and where it is.",
    ),
    endpoint(
        "/api/topups/{order}/refund",
        refund,
        permission="city.refund-topups",
        methods=("POST",),
        request=RefundOrder,
        response=OrderView,
        summary="Send the money of an order back that was not delivered.",
    ),
    endpoint(
        "/api/cards/{asn}/auto-topup",
        automatic,
        permission="city.read-topups",
        response=RuleView,
        summary="The automatic top-up of a card.",
    ),
    endpoint(
        "/api/cards/{asn}/auto-topup",
        set_automatic,
        permission="city.order-topups",
        methods=("POST",),
        request=NewRule,
        response=RuleView,
        summary="Set the automatic top-up of a card.",
    ),
    endpoint(
        "/api/cards/{asn}/auto-topup",
        stop_automatic,
        permission="city.order-topups",
        methods=("DELETE",),
        response=RuleView,
        summary="Let a card not be topped up by itself any more.",
    ),
    endpoint(
        "/api/providers/{provider}/notifications",
        notification,
        methods=("POST",),
        response=Heard,
        signed=True,
        summary="For payment providers: what became of an order, signed.",
    ),
)
