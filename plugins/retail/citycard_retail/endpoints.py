"""Endpoints for merchants: applying and approving, sales and what comes back, hotels, statements."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from citycard.errors import ChargeRefused, FundsMissing, LimitExceeded
from citycard.wallet.refunds import Destination
from citycard.web import Role, actor_of, read_json, read_query, require
from citycard_retail import bodies, hotel
from citycard_retail.errors import RetailRefundRefused
from citycard_retail.market import Market
from citycard_retail.merchants import MerchantWish, applications, apply, decide, merchants
from citycard_retail.refunds import refund_sale, void_sale
from citycard_retail.requests import done, id_in, read
from citycard_retail.sales import Sale, find_sale, sell
from citycard_retail.statement import merchant_statement
from citycard_retail.web import CHARGE, STATEMENTS

__all__ = [
    "applied",
    "ask",
    "capture",
    "decided",
    "hold",
    "listed",
    "refund",
    "release",
    "sell_one",
    "sold",
    "statement",
    "void",
]


async def ask(request: Request) -> Response:
    """Apply for a merchant."""
    body = await read_json(request, MerchantWish)
    return await done(request, lambda market, by: apply(market, body, actor=by))


async def applied(request: Request) -> Response:
    """List applications."""
    query = read_query(request, bodies.StateQuery)

    def work(market: Market, _: str) -> object:
        found = read(market, lambda conn: applications(conn, state=query.state))
        return bodies.MerchantApplicationList(applications=found)

    return await done(request, work)


async def decided(request: Request) -> Response:
    """Approve or reject an application."""
    body, identity = await read_json(request, bodies.MerchantDecision), id_in(request, "application")
    return await done(
        request,
        lambda market, by: decide(market, identity, approve=body.approve, reason=body.reason, actor=by),
    )


async def listed(request: Request) -> Response:
    """List merchants."""

    def work(market: Market, _: str) -> object:
        return bodies.MerchantList(merchants=read(market, lambda conn: merchants(market, conn)))

    return await done(request, work)


async def statement(request: Request) -> Response:
    """Give a merchant's statement to it."""
    partner, query = request.path_params["partner"], read_query(request, bodies.RunQuery)
    require(actor_of(request), STATEMENTS, partner)
    return await done(request, lambda market, _: merchant_statement(market, partner, query.run or None))


# ── sales ────────────────────────────────────────────────────────────────────────────────────────


async def sell_one(request: Request) -> Response:
    """Sell, paid from an account."""
    body = await read_json(request, bodies.SaleToMake)
    require(actor_of(request), CHARGE, body.partner)

    def work(market: Market, by: str) -> object:
        return sell(market, body.id, body.account, body.partner, body.amount_fen, note=body.note, actor=by)

    return await _charged(request, body.account, work)


async def sold(request: Request) -> Response:
    """Show a sale to its merchant."""
    return await _with_sale(request, lambda _market, _by, found: found)


async def void(request: Request) -> Response:
    """Void a sale of today that was paid online."""
    body = await read_json(request, bodies.SaleVoid)

    def work(market: Market, by: str, found: Sale) -> object:
        if found.channel != "online":
            reason = "its till voids it, with the card; or refund it"
            raise RetailRefundRefused(id=found.purchase, reason=reason)
        return void_sale(market, body.id, str(found.id), actor=by)

    return await _with_sale(request, work)


async def refund(request: Request) -> Response:
    """Give a sale back, or a part of it; in cash only by those who may pay at the desk."""
    body = await read_json(request, bodies.SaleRefund)
    if body.to in {Destination.CASH, Destination.BANK}:
        require(actor_of(request), "city.give-refunds")

    def work(market: Market, by: str, found: Sale) -> object:
        return refund_sale(
            market,
            body.id,
            str(found.id),
            body.amount_fen,
            reason=body.reason,
            approved_by=body.approved_by,
            actor=by,
            to=body.to,
        )

    return await _with_sale(request, work)


# ── hotels ───────────────────────────────────────────────────────────────────────────────────────


async def hold(request: Request) -> Response:
    """Hold a deposit."""
    body = await read_json(request, bodies.StayToHold)
    require(actor_of(request), CHARGE, body.partner)

    def work(market: Market, by: str) -> object:
        return hotel.hold(
            market,
            body.id,
            body.account,
            body.partner,
            body.amount_fen,
            days=body.days,
            note=body.note,
            actor=by,
        )

    return await _charged(request, body.account, work)


async def capture(request: Request) -> Response:
    """Take what a stay came to."""
    body, held = await read_json(request, bodies.StayToCapture), id_in(request, "hold")

    def work(market: Market, by: str) -> object:
        require(actor_of(request), CHARGE, hotel.find_hold(market, held).partner)
        return hotel.capture(market, body.id, held, body.amount_fen, actor=by)

    return await done(request, work)


async def release(request: Request) -> Response:
    """Free a deposit."""
    body, held = await read_json(request, bodies.HoldToEnd), id_in(request, "hold")

    def work(market: Market, by: str) -> object:
        require(actor_of(request), CHARGE, hotel.find_hold(market, held).partner)
        return hotel.release(market, body.id, held, actor=by)

    return await done(request, work)


async def _with_sale(request: Request, work: Callable[[Market, str, Sale], object]) -> Response:
    """Work with the sale in the address, for its merchant."""
    actor, name = actor_of(request), request.path_params["sale"]

    def found(market: Market, by: str) -> object:
        sale = find_sale(market, name)
        require(actor, CHARGE, sale.partner)
        return work(market, by, sale)

    return await done(request, found)


async def _charged(request: Request, number: str, work: Callable[[Market, str], object]) -> Response:
    """Let a merchant learn that an account does not pay, and not what it has or has used of its limits."""
    try:
        return await done(request, work)
    except (FundsMissing, LimitExceeded):
        if actor_of(request).role is not Role.PARTNER:
            raise
        raise ChargeRefused(number=number) from None
