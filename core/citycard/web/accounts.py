"""Online accounts for programs: what a citizen does with the own one, and what a partner charges."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import attrs
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from citycard.bank import BankAccount
from citycard.city.accountpayouts import AccountPaid, pay_account
from citycard.city.accounts import open_account, payee
from citycard.city.accountview import AccountView, PaymentLine, payment_line, read_account
from citycard.errors import OnlineAccountUnknown
from citycard.store import reading, writing
from citycard.wallet.accounts import Accounts
from citycard.wallet.limits import ActKind, LimitRule
from citycard.wallet.online import find_account
from citycard.wallet.payments import Payments
from citycard.web.bodies import read_json
from citycard.web.context import actor_of, city_of, web_of
from citycard.web.endpoints import Endpoint, endpoint, json_answer
from citycard.web.readings import record_reading
from citycard.web.sessions import require

__all__ = ["ENDPOINTS", "ToDo", "ToPay", "account_number", "charged_number", "paid", "post"]


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
class ToLimit:
    """The limits that an owner wants for one kind of act; they replace the earlier ones."""

    id: UUID
    act: ActKind
    rule: LimitRule


@attrs.frozen(kw_only=True)
class ToPayOut:
    """A payment of what is owed to a holder: all without an amount, in cash without a bank account."""

    id: UUID
    amount_fen: int | None = None
    to_name: str = ""
    to_account: str = ""
    to_bic: str = ""


async def open_one(request: Request) -> Response:
    body, actor, city = await read_json(request, AccountToOpen), actor_of(request), city_of(request)
    await run_in_threadpool(open_account, city, body.id, body.card, actor=actor.name)
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
    return await paid(request, number, await read_json(request, ToPay))


async def limit(request: Request) -> Response:
    number = await account_number(request, "city.use-accounts")
    body, accounts = await read_json(request, ToLimit), Accounts(city_of(request).wallet)
    actor = actor_of(request).name
    await run_in_threadpool(accounts.limit, body.id, number, body.act, body.rule, actor=actor)
    return json_answer(await run_in_threadpool(read_account, city_of(request), number))


async def freeze(request: Request) -> Response:
    return await _become(request, "freeze", "city.use-accounts")


async def unfreeze(request: Request) -> Response:
    return await _become(request, "unfreeze", "city.manage-accounts")


async def close(request: Request) -> Response:
    return await _become(request, "close", "city.manage-accounts")


async def pay_out(request: Request) -> Response:
    number = await account_number(request, "city.pay-holders")
    body, city, actor = await read_json(request, ToPayOut), city_of(request), actor_of(request).name
    to = BankAccount(name=body.to_name, account=body.to_account, bic=body.to_bic)
    creditor = to if body.to_name or body.to_account else None

    def work() -> AccountPaid:
        return pay_account(city, body.id, number, body.amount_fen, creditor=creditor, actor=actor)

    return json_answer(await run_in_threadpool(work))


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


async def _become(request: Request, what: str, permission: str) -> Response:
    number = await account_number(request, permission)
    body, city = await read_json(request, ToDo), city_of(request)
    act = getattr(Accounts(city.wallet), what)
    await run_in_threadpool(act, body.id, number, actor=actor_of(request).name)
    return json_answer(await run_in_threadpool(read_account, city, number))


async def charged_number(request: Request) -> str:
    """Give the number of the account in the address, which a partner may charge whoever owns it."""
    accounts = Accounts(city_of(request).wallet)
    return (await run_in_threadpool(accounts.find, request.path_params["number"])).number


async def paid(request: Request, number: str, body: ToPay) -> Response:
    """Pay as a body says, and answer with the payment."""
    city, actor = city_of(request), actor_of(request).name

    def work() -> PaymentLine:
        to = payee(city, body.partner)
        payments = Payments(city.wallet)
        return payment_line(payments.pay(body.id, number, to, body.amount_fen, note=body.note, actor=actor))

    return json_answer(await run_in_threadpool(work))


def post(
    path: str, handler: Any, permission: str, body: type[Any], response: type[Any], summary: str
) -> Endpoint:
    """Declare an endpoint that does something, with the class of its body."""
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
    post(
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
    post(
        "/api/accounts/{number}/payments",
        pay,
        "city.use-accounts",
        ToPay,
        PaymentLine,
        "Pay a partner from one's own account.",
    ),
    post(
        "/api/accounts/{number}/limits",
        limit,
        "city.use-accounts",
        ToLimit,
        AccountView,
        "Limit an account more tightly than the city does.",
    ),
    post(
        "/api/accounts/{number}/freeze",
        freeze,
        "city.use-accounts",
        ToDo,
        AccountView,
        "Let nothing be paid from an account.",
    ),
    post(
        "/api/accounts/{number}/unfreeze",
        unfreeze,
        "city.manage-accounts",
        ToDo,
        AccountView,
        "Let a frozen account pay again.",
    ),
    post(
        "/api/accounts/{number}/close",
        close,
        "city.manage-accounts",
        ToDo,
        AccountView,
        "Close an account; its money becomes a refund that is due.",
    ),
    post(
        "/api/accounts/{number}/payouts",
        pay_out,
        "city.pay-holders",
        ToPayOut,
        AccountPaid,
        "Pay the holder what is owed for an account, in cash or by bank.",
    ),
)
