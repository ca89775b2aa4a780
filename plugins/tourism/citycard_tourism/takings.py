"""What was paid for rights, and what of it is given back: from an online account, or from a purse.

A payment has the id that follows from its act's, so that it happens once. What is given back of an account's
payment comes back at once. A purse paid offline: what comes back of it waits until its record was cleared,
and a job asks again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, select, update

from citycard.card.codec import decode
from citycard.city.charging import Onward, charge, give_back, price
from citycard.city.refunds import give_refund, purchase_of
from citycard.clearing.codes import State
from citycard.clearing.finding import find_record
from citycard.clearing.queries import card_taps
from citycard.errors import (
    CitycardError,
    OnlineAccountUnknown,
    PaymentUnknown,
    Phrase,
    RecordUnknown,
)
from citycard.ids import derived_id
from citycard.money import split
from citycard.store import publish, reading, writing
from citycard.store.bulk import insert_missing
from citycard.wallet.online import AccountStatus, find_account
from citycard.wallet.onward import shares_of
from citycard.wallet.paymentbook import find_payment
from citycard.wallet.refunds import Destination
from citycard_tourism.office import Office
from citycard_tourism.sectors import PassFacts, TicketFacts
from citycard_tourism.services import NUMBERS, PASS_SALE
from citycard_tourism.tables import payment, refund

__all__ = [
    "Paid",
    "RefundLine",
    "Taken",
    "give_due",
    "note_paid",
    "order_refund",
    "paid_of",
    "pay_online",
    "payment_id",
    "refunds_due",
    "taken_online",
]

_TAPS_MOST = 2000


@attrs.frozen(kw_only=True)
class Paid:
    """What was paid for a right: ``way`` is ``account`` or ``purse``; ``onward`` what others got of it."""

    id: UUID
    asn: str
    service: str
    serial: int
    turn: int
    days: int
    way: str
    amount_fen: int
    partner: str
    onward: Mapping[str, int]
    at: dt.datetime


@attrs.frozen(kw_only=True)
class Taken:
    """What an online account paid: ``partner`` was paid, and ``onward`` is what others got of it.

    ``left_fen`` is what did not come back yet.
    """

    amount_fen: int
    left_fen: int
    partner: str
    onward: Mapping[str, int]


@attrs.frozen(kw_only=True)
class RefundLine:
    """What is given back of a payment; ``waits_for`` says why it was not given yet."""

    payment: UUID
    id: UUID
    asn: str
    amount_fen: int
    reason: str
    state: str
    waits_for: str
    at: dt.datetime


def payment_id(act: UUID) -> UUID:
    """Give the id of the payment that an act makes."""
    return derived_id("tourism", "pay", act)


def pay_online(
    office: Office,
    act: UUID,
    asn: str,
    service: str,
    facts: Mapping[str, Any],
    rights: int,
    weights: Mapping[str, int],
) -> Taken:
    """Charge the online account of a card, once for each act; what was charged before is given again.

    The price goes to the partners by ``weights``: the first is paid and passes on what is the others'.
    Raise what ``price`` and ``charge`` raise; nothing was paid then.
    """
    before = taken_online(office, act, service)
    if before is not None:
        return before
    first, *others = weights
    entitlements = office.settings.entitlements(rights)
    try:
        quote = price(
            office.city, asn, service=service, partner=first, facts=facts, entitlements=entitlements
        )
        parts = split(quote.amount_fen, list(weights.values()))
        done = charge(
            office.city,
            payment_id(act),
            asn,
            service=service,
            partner=first,
            facts=facts,
            entitlements=entitlements,
            onward=[Onward.share(name, fen) for name, fen in zip(others, parts[1:], strict=True) if fen],
        )
    except CitycardError:
        # The same act may have come twice at once, and the other one paid.
        meanwhile = taken_online(office, act, service)
        if meanwhile is None:
            raise
        return meanwhile
    if done.payment is None:
        return Taken(amount_fen=0, left_fen=0, partner=first, onward={})
    taken = taken_online(office, act, service)
    assert taken is not None
    return taken


def taken_online(office: Office, act: UUID, service: str) -> Taken | None:
    """Give what an act's payment took from an account and whom it went to; None when it paid nothing.

    What went on is read from the ledger: prices and shares may have changed since it was paid.
    """
    identity = payment_id(act)
    with reading(office.engine) as conn:
        try:
            paid = find_payment(conn, identity)
        except PaymentUnknown:
            return None
        _, *others = shares_of(conn, office.city.ledger, identity)
    if paid.service != service:
        return None
    onward = {_partner_of(one.address): one.amount_fen for one in others}
    left_fen = paid.amount_fen - paid.returned_fen
    return Taken(amount_fen=paid.amount_fen, left_fen=left_fen, partner=paid.partner, onward=onward)


def _partner_of(payable: str) -> str:
    return payable.removeprefix("partner/").removesuffix("/payable")


def note_paid(conn: Connection, paid: Paid) -> None:
    """Write down what was paid; again without harm."""
    insert_missing(conn, payment, [attrs.asdict(paid)])


def paid_of(conn: Connection, service: str, serial: int) -> list[Paid]:
    """Give what was paid for a right, in the order in which it was."""
    query = select(payment).where(payment.c.service == service, payment.c.serial == serial)
    return [Paid(**row._mapping) for row in conn.execute(query.order_by(payment.c.turn))]  # noqa: SLF001 - a Row's way


def order_refund(
    conn: Connection, paid: Paid, act: UUID, amount_fen: int, reason: str, *, asn: str, at: dt.datetime
) -> None:
    """Write down that a part of a payment comes back to a card, once; nothing where that is 0 fen."""
    if amount_fen <= 0:
        return
    # An act may give back several payments, each with an id of its own.
    identity = derived_id("tourism", "refund", act, paid.id)
    row = {"payment": paid.id, "id": identity, "asn": asn, "amount_fen": amount_fen, "reason": reason}
    insert_missing(conn, refund, [row | {"state": "due", "waits_for": "", "at": at}])


def refunds_due(conn: Connection, asn: str | None = None) -> list[RefundLine]:
    """Give what is still to be given back, the oldest first."""
    columns = [refund.c[field.name] for field in attrs.fields(RefundLine)]
    query = select(*columns).where(refund.c.state == "due").order_by(refund.c.at)
    if asn is not None:
        query = query.where(refund.c.asn == asn)
    return [RefundLine(**row._mapping) for row in conn.execute(query)]  # noqa: SLF001 - a Row's own way


def give_due(office: Office, asn: str | None = None) -> int:
    """Give back what is due, of one card or of all; what cannot yet says why. Return how many were."""
    with reading(office.engine) as conn:
        due = refunds_due(conn, asn)
        query = select(payment).where(payment.c.id.in_([line.payment for line in due]))
        paid = {row.id: Paid(**row._mapping) for row in conn.execute(query)} if due else {}  # noqa: SLF001 - a Row's way
    return sum(_give(office, line, paid[line.payment]) for line in due)


def _give(office: Office, line: RefundLine, paid: Paid) -> bool:
    try:
        if paid.way == "account":
            _to_account(office, line, paid)
        else:
            _of_purse(office, line, paid)
    except CitycardError as waits:
        with writing(office.engine) as conn:
            mine = refund.c.payment == line.payment
            conn.execute(update(refund).where(mine).values(waits_for=str(waits)[:300]))
        return False
    with writing(office.engine) as conn:
        mine = (refund.c.payment == line.payment) & (refund.c.state == "due")
        given = update(refund).where(mine).values(state="given", waits_for="", given_at=office.now)
        if conn.execute(given).rowcount:
            body = {"asn": line.asn, "serial": paid.serial, "amount_fen": line.amount_fen}
            publish(conn, "tourism.refund-given", [body])
    return True


def _to_account(office: Office, line: RefundLine, paid: Paid) -> None:
    """Give back what an account paid; each partner gives back its share."""
    give_back(office.city, line.id, paid.id, line.amount_fen, note=line.reason)


def _of_purse(office: Office, line: RefundLine, paid: Paid) -> None:
    """Give back a cleared debit: to the account of the card when it has one, else onto its purse."""
    with reading(office.engine) as conn:
        try:
            account = find_account(conn, line.asn)
            number = account.number if account.status is AccountStatus.OPEN else ""
        except OnlineAccountUnknown:
            number = ""
    give_refund(
        office.city,
        line.id,
        purchase_of(office.city, _record_of(office, paid)),
        line.amount_fen,
        Destination.ACCOUNT if number else Destination.PURSE,
        reason=line.reason,
        approved_by="rules of the venue",
        evidence=f"{paid.service} {paid.serial}",
        actor="tourism",
        account_number=number,
    )


def _record_of(office: Office, paid: Paid) -> str:
    """Find the cleared record that a purse paid for a right; raise RecordUnknown when none is cleared yet."""
    layout: type[Any] = PassFacts if paid.service == PASS_SALE else TicketFacts
    for tap in card_taps(office.city, paid.asn, limit=_TAPS_MOST):
        if tap.service != NUMBERS[paid.service] or tap.state is not State.ACCEPTED:
            continue
        with reading(office.engine) as conn:
            record = find_record(office.city, conn, tap.id).record
        if record is None:
            continue
        facts = decode(layout, record.facts)
        if (facts.serial, getattr(facts, "turn", 0)) == (paid.serial, paid.turn):
            return tap.id
    raise RecordUnknown(
        record=Phrase(
            "{service} {serial} of card {asn}", service=paid.service, serial=paid.serial, asn=paid.asn
        )
    )
