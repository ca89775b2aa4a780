"""What partners charge to online accounts: payments, holds and what is given back, each in its own name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import attrs
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from citycard.city.accounts import payee
from citycard.city.accountview import PaymentLine, payment_line
from citycard.errors import ChargeRefused, FundsMissing, LimitExceeded, PageNotFound
from citycard.store import reading
from citycard.wallet.holds import AccountHold, Holds, holds_of
from citycard.wallet.paymentbook import payments_of
from citycard.wallet.payments import Payments
from citycard.web.accounts import ToDo, ToPay, charged_number, paid, post
from citycard.web.bodies import read_json
from citycard.web.context import actor_of, city_of
from citycard.web.endpoints import Endpoint, endpoint, json_answer
from citycard.web.permissions import Actor, Role
from citycard.web.sessions import require

__all__ = ["ENDPOINTS"]

_HALF_HOUR = 30


@attrs.frozen(kw_only=True)
class ToHold:
    """A hold for a partner; it ends by itself after ``minutes``."""

    id: UUID
    partner: str
    amount_fen: int
    minutes: int = _HALF_HOUR
    note: str = attrs.field(default="", validator=attrs.validators.max_len(100))


@attrs.frozen(kw_only=True)
class ToCapture:
    """What is taken of a hold: all of it, unless an amount is given."""

    id: UUID
    amount_fen: int | None = None


@attrs.frozen(kw_only=True)
class ToGiveBack:
    """What is given back of a payment."""

    id: UUID
    amount_fen: int
    note: str = attrs.field(default="", validator=attrs.validators.max_len(100))


@attrs.frozen(kw_only=True)
class ChargeList:
    """What a partner was paid and holds on accounts, newest first."""

    partner: str
    payments: tuple[PaymentLine, ...]
    holds: tuple[AccountHold, ...]


async def charge(request: Request) -> Response:
    body = await read_json(request, ToPay)
    actor = actor_of(request)
    require(actor, "city.charge-accounts", body.partner)
    number = await charged_number(request)
    with _without_sums(actor, number):
        return await paid(request, number, body)


async def hold(request: Request) -> Response:
    body = await read_json(request, ToHold)
    actor, city = actor_of(request), city_of(request)
    require(actor, "city.charge-accounts", body.partner)
    number = await charged_number(request)

    def work() -> AccountHold:
        to, lasts = payee(city, body.partner), timedelta(minutes=body.minutes)
        holds = Holds(city.wallet)
        return holds.authorise(
            body.id, number, to.partner, body.amount_fen, lasts, note=body.note, actor=actor.name
        )

    with _without_sums(actor, number):
        return json_answer(await run_in_threadpool(work))


async def show_hold(request: Request) -> Response:
    return json_answer(await _own_hold(request, "city.read-charges"))


async def capture(request: Request) -> Response:
    body, actor = await read_json(request, ToCapture), actor_of(request)
    found = await _own_hold(request, "city.charge-accounts")
    holds = Holds(city_of(request).wallet)
    done = await run_in_threadpool(holds.capture, body.id, found.id, body.amount_fen, actor=actor.name)
    return json_answer(done)


async def release(request: Request) -> Response:
    body, actor = await read_json(request, ToDo), actor_of(request)
    found = await _own_hold(request, "city.charge-accounts")
    holds = Holds(city_of(request).wallet)
    return json_answer(await run_in_threadpool(holds.release, body.id, found.id, actor=actor.name))


async def give_back(request: Request) -> Response:
    body, actor = await read_json(request, ToGiveBack), actor_of(request)
    identity, payments = _id(request, "payment"), Payments(city_of(request).wallet)
    found = await run_in_threadpool(payments.find, identity)
    require(actor, "city.charge-accounts", found.partner)
    done = await run_in_threadpool(
        payments.give_back, body.id, identity, body.amount_fen, note=body.note, actor=actor.name
    )
    return json_answer(payment_line(done))


async def charges(request: Request) -> Response:
    partner, city = request.path_params["partner"], city_of(request)
    require(actor_of(request), "city.read-charges", partner)

    def work() -> ChargeList:
        with reading(city.engine) as conn:
            return ChargeList(
                partner=partner,
                payments=tuple(payment_line(one) for one in payments_of(conn, partner=partner)),
                holds=tuple(holds_of(conn, city.wallet, partner=partner)),
            )

    return json_answer(await run_in_threadpool(work))


async def _own_hold(request: Request, permission: str) -> AccountHold:
    holds = Holds(city_of(request).wallet)
    found = await run_in_threadpool(holds.find, _id(request, "hold"))
    require(actor_of(request), permission, found.partner)
    return found


@contextmanager
def _without_sums(actor: Actor, number: str) -> Iterator[None]:
    """Let a partner learn that an account does not pay, and not what it has or has used of its limits."""
    try:
        yield
    except (FundsMissing, LimitExceeded):
        if actor.role is not Role.PARTNER:
            raise
        raise ChargeRefused(number=number) from None


def _id(request: Request, what: str) -> UUID:
    text = request.path_params[what]
    try:
        return UUID(text)
    except ValueError as wrong:
        raise PageNotFound(thing=what, name=text[:40]) from wrong


ENDPOINTS: tuple[Endpoint, ...] = (
    post(
        "/api/accounts/{number}/charges",
        charge,
        "city.charge-accounts",
        ToPay,
        PaymentLine,
        "Charge an account for a partner.",
    ),
    post(
        "/api/accounts/{number}/holds",
        hold,
        "city.charge-accounts",
        ToHold,
        AccountHold,
        "Hold an amount on an account for a partner.",
    ),
    endpoint(
        "/api/accounts/holds/{hold}",
        show_hold,
        permission="city.read-charges",
        response=AccountHold,
        summary="A hold of a partner, as it stands.",
    ),
    post(
        "/api/accounts/holds/{hold}/capture",
        capture,
        "city.charge-accounts",
        ToCapture,
        AccountHold,
        "Take what is held, or a part of it, once.",
    ),
    post(
        "/api/accounts/holds/{hold}/release",
        release,
        "city.charge-accounts",
        ToDo,
        AccountHold,
        "Free what is held.",
    ),
    post(
        "/api/accounts/payments/{payment}/refunds",
        give_back,
        "city.charge-accounts",
        ToGiveBack,
        PaymentLine,
        "Give back a payment or a part of it, to where it came from.",
    ),
    endpoint(
        "/api/accounts/partners/{partner}/charges",
        charges,
        permission="city.read-charges",
        response=ChargeList,
        summary="What a partner was paid and holds on accounts.",
    ),
)
