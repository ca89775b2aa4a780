"""The endpoints for money that goes out: refunds of purchases, payouts of partners, charge-backs."""

from __future__ import annotations

import datetime as dt
from typing import TypeVar
from uuid import UUID

import attrs
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from citycard.bank import BankAccount, Payment
from citycard.city.chargebacks import open_chargeback, take_step
from citycard.city.payouts import pay_partner
from citycard.city.refunds import give_refund, purchase_name, purchase_of
from citycard.errors import BodyInvalid, ChargebackUnknown, Phrase, PurchaseRefundUnknown
from citycard.store import reading
from citycard.wallet.chargebacks import (
    Chargeback,
    ChargebackState,
    ChargebackStep,
    chargebacks,
    find_chargeback,
    steps_of,
)
from citycard.wallet.refunds import Destination, Refund, find_refund, refunds_of
from citycard.web.bankapi import actor_name
from citycard.web.bodies import read_json
from citycard.web.context import city_of
from citycard.web.endpoints import Endpoint, endpoint, json_answer, read_query

__all__ = ["ENDPOINTS"]

Choice = TypeVar("Choice", Destination, ChargebackState)

_READ, _GIVE = "city.read-refunds", "city.give-refunds"
_PAY, _CHARGE = "city.pay-partners", "city.keep-chargebacks"


@attrs.frozen(kw_only=True)
class RefundQuery:
    """Whose refunds: those of a purchase, or of a card or online account."""

    purchase: str = attrs.field(default="", metadata={"expected": "the id of a purchase", "range": (0, 64)})
    card: str = attrs.field(default="", metadata={"expected": "a card's number", "range": (0, 20)})


@attrs.frozen(kw_only=True)
class RefundList:
    """Refunds, oldest first."""

    refunds: tuple[Refund, ...]


@attrs.frozen(kw_only=True)
class RefundBody:
    """A refund to give; ``id`` is made by who gives it. ``destination`` is account, bank, cash or purse."""

    id: UUID
    purchase: str
    amount_fen: int
    destination: str
    reason: str
    approved_by: str
    evidence: str
    number: str = ""
    to_name: str = ""
    to_account: str = ""
    to_bic: str = ""


@attrs.frozen(kw_only=True)
class PayoutBody:
    """A payout to order; ``id`` is made by who orders it. Without an amount it is all that is owed."""

    id: UUID
    amount_fen: int | None = None


@attrs.frozen(kw_only=True)
class Ordered:
    """A payment that was ordered from the bank, and how far it is."""

    id: UUID
    partner: str
    amount_fen: int
    end_to_end: str
    state: str


@attrs.frozen(kw_only=True)
class ChargebackBody:
    """A charge-back to open; ``topup`` is the transfer that is taken back, without an amount all of it."""

    id: UUID
    topup: UUID
    reason: str
    deadline: dt.date
    amount_fen: int | None = None
    taken_from: str = ""


@attrs.frozen(kw_only=True)
class StepBody:
    """A step of a case: ``state`` is accepted, disputed, won or lost. A case takes each step once."""

    id: UUID
    state: str
    evidence: str = ""


@attrs.frozen(kw_only=True)
class ChargebackList:
    """Cases, the nearest deadline first."""

    chargebacks: tuple[Chargeback, ...]


@attrs.frozen(kw_only=True)
class ChargebackHistory:
    """A case and its steps, oldest first."""

    chargeback: Chargeback
    steps: tuple[ChargebackStep, ...]


async def refunds(request: Request) -> Response:
    query: RefundQuery = read_query(request, RefundQuery)

    def read() -> list[Refund]:
        with reading(city_of(request).engine) as conn:
            name = purchase_name(conn, query.purchase) if query.purchase else None
            return refunds_of(conn, purchase=name, owner=query.card)

    return json_answer(RefundList(refunds=tuple(await run_in_threadpool(read))))


async def refund(request: Request) -> Response:
    identity = _identity(request, "refund", PurchaseRefundUnknown)

    def read() -> Refund:
        with reading(city_of(request).engine) as conn:
            return find_refund(conn, identity)

    return json_answer(await run_in_threadpool(read))


async def give(request: Request) -> Response:
    body, city = await read_json(request, RefundBody), city_of(request)
    destination = _one_of(Destination, "destination", body.destination)
    to = BankAccount(name=body.to_name, account=body.to_account, bic=body.to_bic)

    def work() -> Refund:
        return give_refund(
            city,
            body.id,
            purchase_of(city, body.purchase),
            body.amount_fen,
            destination,
            reason=body.reason,
            approved_by=body.approved_by,
            evidence=body.evidence,
            actor=actor_name(request),
            account_number=body.number,
            creditor=to if body.to_name or body.to_account else None,
        )

    return json_answer(await run_in_threadpool(work))


async def payout(request: Request) -> Response:
    body, city = await read_json(request, PayoutBody), city_of(request)
    partner = request.path_params["partner"]
    made: Payment = await run_in_threadpool(pay_partner, city, body.id, partner, body.amount_fen)
    return json_answer(
        Ordered(
            id=made.id,
            partner=partner,
            amount_fen=made.amount_fen,
            end_to_end=made.end_to_end,
            state=made.state.value,
        )
    )


async def cases(request: Request) -> Response:
    def read() -> list[Chargeback]:
        with reading(city_of(request).engine) as conn:
            return chargebacks(conn)

    return json_answer(ChargebackList(chargebacks=tuple(await run_in_threadpool(read))))


async def case(request: Request) -> Response:
    identity = _identity(request, "case", ChargebackUnknown)

    def read() -> ChargebackHistory:
        with reading(city_of(request).engine) as conn:
            found = find_chargeback(conn, identity)
            return ChargebackHistory(chargeback=found, steps=tuple(steps_of(conn, identity)))

    return json_answer(await run_in_threadpool(read))


async def open_case(request: Request) -> Response:
    body, city = await read_json(request, ChargebackBody), city_of(request)

    def work() -> Chargeback:
        return open_chargeback(
            city,
            body.id,
            body.topup,
            body.amount_fen,
            reason=body.reason,
            deadline=body.deadline,
            actor=actor_name(request),
            taken_from=body.taken_from,
        )

    return json_answer(await run_in_threadpool(work))


async def step(request: Request) -> Response:
    body, city = await read_json(request, StepBody), city_of(request)
    identity = _identity(request, "case", ChargebackUnknown)
    wanted = _one_of(ChargebackState, "state", body.state)

    def work() -> Chargeback:
        return take_step(city, identity, wanted, evidence=body.evidence, actor=actor_name(request))

    return json_answer(await run_in_threadpool(work))


def _identity(request: Request, name: str, missing: type[ChargebackUnknown | PurchaseRefundUnknown]) -> UUID:
    text = request.path_params[name]
    try:
        return UUID(text)
    except ValueError:
        raise missing(id=text[:40]) from None


def _one_of(kind: type[Choice], field: str, text: str) -> Choice:
    try:
        return kind(text)
    except ValueError:
        expected = ", ".join(kind)
        raise BodyInvalid(
            problems=Phrase("body.{field}: expected one of {expected}", field=field, expected=expected)
        ) from None


ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint(
        "/api/refunds",
        refunds,
        permission=_READ,
        query=RefundQuery,
        response=RefundList,
        summary="The refunds of a purchase, or of a card or online account.",
    ),
    endpoint(
        "/api/refunds",
        give,
        permission=_GIVE,
        methods=("POST",),
        request=RefundBody,
        response=Refund,
        summary="Give back a purchase or a part of it; the same id again changes nothing.",
    ),
    endpoint(
        "/api/refunds/{refund}",
        refund,
        permission=_READ,
        response=Refund,
        summary="One refund: why, who allowed it, and what each partner gave back.",
    ),
    endpoint(
        "/api/partners/{partner}/payouts",
        payout,
        permission=_PAY,
        methods=("POST",),
        request=PayoutBody,
        response=Ordered,
        summary="Order a payment of what a partner is owed beyond the clearing runs.",
    ),
    endpoint(
        "/api/chargebacks",
        cases,
        permission=_READ,
        response=ChargebackList,
        summary="Top-ups that a bank or provider takes back.",
    ),
    endpoint(
        "/api/chargebacks",
        open_case,
        permission=_CHARGE,
        methods=("POST",),
        request=ChargebackBody,
        response=Chargeback,
        summary="Open the charge-back of a top-up; the same id again changes nothing.",
    ),
    endpoint(
        "/api/chargebacks/{case}",
        case,
        permission=_READ,
        response=ChargebackHistory,
        summary="One charge-back and its steps.",
    ),
    endpoint(
        "/api/chargebacks/{case}/steps",
        step,
        permission=_CHARGE,
        methods=("POST",),
        request=StepBody,
        response=Chargeback,
        summary="Let a charge-back be accepted, disputed, won or lost.",
    ),
)
