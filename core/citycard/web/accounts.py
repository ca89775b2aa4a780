"""Online accounts for programs: what a citizen does with the own one, and what a partner charges."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import attrs
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from citycard.city.accounts import open_account, payee
from citycard.city.accountview import AccountView, PaymentLine, payment_line, read_account
from citycard.errors import OnlineAccountUnknown, PageNotFound
from citycard.store import reading, writing
from citycard.wallet.accounts import Accounts
from citycard.wallet.holds import AccountHold, Holds, holds_of
from citycard.wallet.limits import ActKind, LimitRule
from citycard.wallet.online import find_account
from citycard.wallet.paymentbook import payments_of
from citycard.wallet.payments import Payments
from citycard.web.bodies import read_json
from citycard.web.context import actor_of, city_of, web_of
from citycard.web.endpoints import Endpoint, endpoint, json_answer
from citycard.web.permissions import Actor
from citycard.web.readings import record_reading
from citycard.web.sessions import require

__all__ = ["ENDPOINTS", "account_number"]

_HALF_HOUR = 30


@attrs.frozen(kw_only=True)
class AccountToOpen:
    """The card whose account is to be opened; ``id`` is made by the client, like that of every request."""

    id: UUID
    card: str


@attrs.frozen(kw_only=True)
class ToDo:
    """A request without anything but its id."""

    id: UUID


@attrs.frozen(kw_only=True)
class ToPay:
    """A payment to a partner."""

    id: UUID
    partner: str
    amount_fen: int
    note: str = attrs.field(default="", validator=attrs.validators.max_len(100))


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
class ToLimit:
    """The limits that an owner wants for one kind of act; they replace the earlier ones."""

    id: UUID
    act: ActKind
    rule: LimitRule


@attrs.frozen(kw_only=True)
class ChargeList:
    """What a partner was paid and holds on accounts, newest first."""

    partner: str
    payments: tuple[PaymentLine, ...]
    holds: tuple[AccountHold, ...]


async def open_one(request: Request) -> Response:
    body, actor, city = await read_json(request, AccountToOpen), actor_of(request), city_of(request)
    await run_in_threadpool(open_account, city, body.id, body.card, actor=_by(actor))
    return json_answer(await run_in_threadpool(read_account, city, body.card))


async def show(request: Request) -> Response:
    """Record the look, then show the account."""
    web = web_of(request)
    number = await account_number(request, "city.read-accounts")

    def look() -> AccountView:
        view = read_account(web.city, number)
        with writing(web.city.engine) as conn:
            record_reading(conn, actor_of(request), asn=view.asn, page="api account", at=web.clock.now())
        return view

    return json_answer(await run_in_threadpool(look))


async def pay(request: Request) -> Response:
    number = await account_number(request, "city.use-accounts")
    return await _paid(request, number, await read_json(request, ToPay))


async def charge(request: Request) -> Response:
    body = await read_json(request, ToPay)
    require(actor_of(request), "city.charge-accounts", body.partner)
    return await _paid(request, await _number(request), body)


async def hold(request: Request) -> Response:
    body = await read_json(request, ToHold)
    actor, city = actor_of(request), city_of(request)
    require(actor, "city.charge-accounts", body.partner)
    number = await _number(request)

    def work() -> AccountHold:
        to, lasts = payee(city, body.partner), timedelta(minutes=body.minutes)
        holds = Holds(city.wallet)
        return holds.authorise(
            body.id, number, to.partner, body.amount_fen, lasts, note=body.note, actor=_by(actor)
        )

    return json_answer(await run_in_threadpool(work))


async def show_hold(request: Request) -> Response:
    return json_answer(await _own_hold(request, "city.read-charges"))


async def capture(request: Request) -> Response:
    body, actor = await read_json(request, ToCapture), actor_of(request)
    found = await _own_hold(request, "city.charge-accounts")
    holds = Holds(city_of(request).wallet)
    done = await run_in_threadpool(holds.capture, body.id, found.id, body.amount_fen, actor=_by(actor))
    return json_answer(done)


async def release(request: Request) -> Response:
    body, actor = await read_json(request, ToDo), actor_of(request)
    found = await _own_hold(request, "city.charge-accounts")
    holds = Holds(city_of(request).wallet)
    return json_answer(await run_in_threadpool(holds.release, body.id, found.id, actor=_by(actor)))


async def give_back(request: Request) -> Response:
    body, actor = await read_json(request, ToGiveBack), actor_of(request)
    identity, payments = _id(request, "payment"), Payments(city_of(request).wallet)
    found = await run_in_threadpool(payments.find, identity)
    require(actor, "city.charge-accounts", found.partner)
    done = await run_in_threadpool(
        payments.give_back, body.id, identity, body.amount_fen, note=body.note, actor=_by(actor)
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


async def limit(request: Request) -> Response:
    number = await account_number(request, "city.use-accounts")
    body, accounts = await read_json(request, ToLimit), Accounts(city_of(request).wallet)
    actor = _by(actor_of(request))
    await run_in_threadpool(accounts.limit, body.id, number, body.act, body.rule, actor=actor)
    return json_answer(await run_in_threadpool(read_account, city_of(request), number))


async def freeze(request: Request) -> Response:
    return await _become(request, "freeze", "city.use-accounts")


async def unfreeze(request: Request) -> Response:
    return await _become(request, "unfreeze", "city.manage-accounts")


async def close(request: Request) -> Response:
    return await _become(request, "close", "city.manage-accounts")


async def account_number(request: Request, permission: str) -> str:
    """Give the number of the account in the address, for those who may do this with it.

    Whoever may only see the own account does not learn which others there are.
    """
    wanted, actor = request.path_params["number"], actor_of(request)

    def work() -> Any:
        with reading(city_of(request).engine) as conn:
            return find_account(conn, wanted)

    try:
        account = await run_in_threadpool(work)
    except OnlineAccountUnknown:
        require(actor, permission, wanted)
        raise
    require(actor, permission, account.asn)
    return str(account.number)


async def _number(request: Request) -> str:
    """Give the number of the account in the address, which a partner may charge whoever owns it."""
    accounts = Accounts(city_of(request).wallet)
    return (await run_in_threadpool(accounts.find, request.path_params["number"])).number


async def _paid(request: Request, number: str, body: ToPay) -> Response:
    city, actor = city_of(request), _by(actor_of(request))

    def work() -> PaymentLine:
        to = payee(city, body.partner)
        payments = Payments(city.wallet)
        return payment_line(payments.pay(body.id, number, to, body.amount_fen, note=body.note, actor=actor))

    return json_answer(await run_in_threadpool(work))


async def _become(request: Request, what: str, permission: str) -> Response:
    number = await account_number(request, permission)
    body, city = await read_json(request, ToDo), city_of(request)
    act = getattr(Accounts(city.wallet), what)
    await run_in_threadpool(act, body.id, number, actor=_by(actor_of(request)))
    return json_answer(await run_in_threadpool(read_account, city, number))


async def _own_hold(request: Request, permission: str) -> AccountHold:
    holds = Holds(city_of(request).wallet)
    found = await run_in_threadpool(holds.find, _id(request, "hold"))
    require(actor_of(request), permission, found.partner)
    return found


def _id(request: Request, what: str) -> UUID:
    text = request.path_params[what]
    try:
        return UUID(text)
    except ValueError as wrong:
        raise PageNotFound(thing=what, name=text[:40]) from wrong


def _by(actor: Actor) -> str:
    return f"{actor.role.value} {actor.token}"[:100]


def _post(
    path: str, handler: Any, permission: str, body: type[Any], response: type[Any], summary: str
) -> Endpoint:
    return endpoint(
        path,
        handler,
        permission=permission,
        methods=("POST",),
        request=body,
        response=response,
        summary=summary,
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    _post(
        "/api/accounts",
        open_one,
        "city.manage-accounts",
        AccountToOpen,
        AccountView,
        "Open the online account of a card.",
    ),
    endpoint(
        "/api/accounts/{number}",
        show,
        permission="city.read-accounts",
        response=AccountView,
        summary="An online account with all its kinds of money; the look is recorded.",
    ),
    _post(
        "/api/accounts/{number}/payments",
        pay,
        "city.use-accounts",
        ToPay,
        PaymentLine,
        "Pay a partner from one's own account.",
    ),
    _post(
        "/api/accounts/{number}/charges",
        charge,
        "city.charge-accounts",
        ToPay,
        PaymentLine,
        "Charge an account for a partner.",
    ),
    _post(
        "/api/accounts/{number}/holds",
        hold,
        "city.charge-accounts",
        ToHold,
        AccountHold,
        "Hold an amount on an account for a partner.",
    ),
    _post(
        "/api/accounts/{number}/limits",
        limit,
        "city.use-accounts",
        ToLimit,
        AccountView,
        "Limit an account more tightly than the city does.",
    ),
    _post(
        "/api/accounts/{number}/freeze",
        freeze,
        "city.use-accounts",
        ToDo,
        AccountView,
        "Let nothing be paid from an account.",
    ),
    _post(
        "/api/accounts/{number}/unfreeze",
        unfreeze,
        "city.manage-accounts",
        ToDo,
        AccountView,
        "Let a frozen account pay again.",
    ),
    _post(
        "/api/accounts/{number}/close",
        close,
        "city.manage-accounts",
        ToDo,
        AccountView,
        "Close an account; its money becomes a refund that is due.",
    ),
    endpoint(
        "/api/accounts/holds/{hold}",
        show_hold,
        permission="city.read-charges",
        response=AccountHold,
        summary="A hold of a partner, as it stands.",
    ),
    _post(
        "/api/accounts/holds/{hold}/capture",
        capture,
        "city.charge-accounts",
        ToCapture,
        AccountHold,
        "Take what is held, or a part of it, once.",
    ),
    _post(
        "/api/accounts/holds/{hold}/release",
        release,
        "city.charge-accounts",
        ToDo,
        AccountHold,
        "Free what is held.",
    ),
    _post(
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
