"""Refund a purchase, a cleared record or a payment of an online account; never more than was paid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from attrs import evolve
from sqlalchemy import select

from citycard import registry
from citycard.bank import BankAccount, Payment, PaymentKind, order_payment
from citycard.clearing.adjusting import adjustments_about
from citycard.clearing.codes import State
from citycard.clearing.explanation import explain
from citycard.clearing.postings import transfer_ids
from citycard.clearing.standing import holdings
from citycard.errors import AccountNotOpen, Phrase, PurchaseRefundRefused
from citycard.ids import derived_id
from citycard.ledger.chart import AccountCode
from citycard.ledger.records import Transfer
from citycard.ledger.tables import account
from citycard.store import reading, writing
from citycard.store.engine import write_alone
from citycard.wallet.addresses import account_refund, card_refund, online_account
from citycard.wallet.online import OnlineAccount, hold_accounts
from citycard.wallet.onward import brought_back
from citycard.wallet.paymentbook import Payment as AccountPayment
from citycard.wallet.paymentbook import add_returned, find_payment, payment_named
from citycard.wallet.refunds import (
    Destination,
    Purchase,
    PurchaseShare,
    Refund,
    known_refund,
    parts_of,
    post_refund,
    refunds_of,
    write_refund,
)
from citycard.wallet.tables import account_hold, purchase_refund

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from citycard.city.city import City

__all__ = ["give_refund", "left_fen", "purchase_name", "purchase_of"]


def purchase_of(city: City, name: str) -> Purchase:
    """Find a purchase by the id of its record (``990100000001-1-3``), or a payment of an online account.

    A payment is found by its own id, by that of the hold that it captured, or of its transfer (UUIDs). Raise
    RecordUnknown, or PurchaseRefundRefused when it is none that money was paid for.
    """
    try:
        identity = UUID(name)
    except ValueError:
        return _of_record(city, name)
    with reading(city.engine) as conn:
        paid = payment_named(conn, identity)
        if paid is not None:
            return _of_payment(city, conn, paid)
        if conn.scalar(select(account_hold.c.id).where(account_hold.c.id == identity)) is not None:
            raise PurchaseRefundRefused(purchase=name, reason="it is a hold that was not captured")
    return _of_transfer(city, identity)


def purchase_name(conn: Connection, name: str) -> str:
    """Give the id under which refunds of a purchase are kept, by any id that ``purchase_of`` takes."""
    try:
        paid = payment_named(conn, UUID(name))
    except ValueError:
        return name
    return name if paid is None else str(paid.id)


def left_fen(conn: Connection, purchase: Purchase) -> int:
    """Say what can be given back of a purchase: of a payment, whatever way a part of it was given back."""
    if purchase.payment is not None:
        paid = find_payment(conn, purchase.payment)
        return sum(part.left_fen for part in paid.parts if not part.programme)
    left = purchase.amount_fen - sum(one.amount_fen for one in refunds_of(conn, purchase=purchase.id))
    return left - _disputed_fen(conn, purchase)


def give_refund(
    city: City,
    identity: UUID,
    purchase: Purchase,
    amount_fen: int,
    destination: Destination,
    *,
    reason: str,
    approved_by: str,
    evidence: str,
    actor: str,
    account_number: str = "",
    creditor: BankAccount | None = None,
) -> Refund:
    """Give a refund; asked again under the same id, it is the one that was given.

    ``account_number`` names an online account, ``creditor`` a bank account, where it goes to one. The
    partners give back what they got, in the shares in which they have it; the fee of clearing stays. Raise
    PurchaseRefundRefused, PurchaseRefundConflict, BankDetailsInvalid.
    """
    _check(purchase, amount_fen, destination, reason, approved_by, evidence)
    wanted = Refund(
        id=identity,
        purchase=purchase.id,
        owner=purchase.owner,
        amount_fen=amount_fen,
        destination=destination,
        target=_target(purchase, destination, account_number, creditor),
        reason=reason,
        approved_by=approved_by,
        evidence=evidence,
        actor=actor,
        at=city.clock.now(),
    )
    online = account_number or purchase.owner
    with writing(city.engine) as conn:
        # Whoever pays from an account holds it before its money: so does a refund to one.
        touched = [online] if destination is Destination.ACCOUNT else []
        held = hold_accounts(conn, [*touched, *([] if purchase.payment is None else [purchase.owner])])
        _hold(conn, purchase)
        # A dispute of the same record is decided before or after this, never at the same time.
        write_alone(conn, purchase_refund)
        known = known_refund(conn, wanted)
        if known is not None:
            return known
        left = left_fen(conn, purchase)
        if amount_fen > left:
            told = Phrase(
                "{left} fen of it are left, less than {amount_fen}", left=left, amount_fen=amount_fen
            )
            raise PurchaseRefundRefused(purchase=purchase.id, reason=told)
        address = _online(purchase, online, held) if destination is Destination.ACCOUNT else ""
        refund = evolve(wanted, parts=parts_of(wanted, _undisputed(conn, purchase, amount_fen)))
        others: list[Transfer] = []
        if purchase.payment is not None:
            others = brought_back(conn, city.wallet, identity, purchase.payment, amount_fen, None)
        post_refund(conn, city.ledger, refund, purchase, address, at=city.now_local(), before=others)
        write_refund(conn, refund)
        if purchase.payment is not None:
            _note_returned(conn, purchase.payment, amount_fen)
        if creditor is not None and destination is Destination.BANK:
            _order(city, conn, refund, purchase, creditor)
        return refund


def _disputed_fen(conn: Connection, purchase: Purchase) -> int:
    """Say what disputes gave back to the holder of a record, whoever bore it."""
    moved = adjustments_about(conn, about=purchase.id)
    return sum(one.change_fen(purchase.owed) for one in moved)


def _undisputed(conn: Connection, purchase: Purchase, amount_fen: int) -> Purchase:
    """Give a purchase with what each partner still has of it after disputes and refunds.

    A refund goes back the way on which the money came. What a dispute gave to a partner that the purchase
    did not pay came on another way, and whoever passed it on has it no more.
    """
    got = holdings(conn, purchase.id, [(share.partner, share.amount_fen) for share in purchase.shares])
    paid = {share.partner for share in purchase.shares}
    others = sorted(partner for partner, fen in got.items() if fen > 0 and partner not in paid)
    has_fen = sum(max(0, got[partner]) for partner in paid)
    if others or amount_fen > has_fen:
        told = Phrase("the partners that it paid have {has_fen} fen of it", has_fen=has_fen)
        if others:
            told = Phrase(
                "after a dispute {others} has of it, and {what}", others=", ".join(others), what=told
            )
        raise PurchaseRefundRefused(
            purchase=purchase.id, reason=Phrase("{reason}: let its holder dispute it", reason=told)
        )
    shares = tuple(evolve(share, amount_fen=max(0, got[share.partner])) for share in purchase.shares)
    return evolve(purchase, shares=shares)


def _check(
    purchase: Purchase,
    amount_fen: int,
    destination: Destination,
    reason: str,
    approved_by: str,
    evidence: str,
) -> None:
    if amount_fen <= 0:
        raise PurchaseRefundRefused(
            purchase=purchase.id, reason=Phrase("{amount_fen} fen is not an amount", amount_fen=amount_fen)
        )
    if destination is Destination.PURSE and purchase.owed != card_refund(purchase.owner):
        told = "an online account paid it, not a purse: give it to the account, to a bank account or in cash"
        raise PurchaseRefundRefused(purchase=purchase.id, reason=told)
    for field, text in (("reason", reason), ("approved_by", approved_by), ("evidence", evidence)):
        if not text.strip() or len(text) > 200:  # noqa: PLR2004 - what the column holds
            told = Phrase(
                "its {field} is {text!r}: expected 1 to 200 characters", field=field, text=text[:40]
            )
            raise PurchaseRefundRefused(purchase=purchase.id, reason=told)


def _target(
    purchase: Purchase, destination: Destination, account_number: str, creditor: BankAccount | None
) -> str:
    if destination is Destination.BANK:
        if creditor is None:
            reason = "a bank account is needed: its holder and number"
            raise PurchaseRefundRefused(purchase=purchase.id, reason=reason)
        return f"{creditor.name} {creditor.account} {creditor.bic}".strip()[:200]
    return (account_number or purchase.owner) if destination is Destination.ACCOUNT else ""


def _hold(conn: Connection, purchase: Purchase) -> None:
    """Let nobody else refund anything of this card or account until the transaction ends."""
    query = select(account.c.id).where(account.c.address == purchase.shares[0].posted.credit_address)
    conn.execute(query.with_for_update())


def _online(purchase: Purchase, number: str, held: Mapping[str, OnlineAccount]) -> str:
    if number not in held:
        reason = Phrase("there is no online account {number}: name another destination", number=number)
        raise PurchaseRefundRefused(purchase=purchase.id, reason=reason)
    try:
        held[number].must_take()
    except AccountNotOpen as closed:
        reason = Phrase("{reason}: name another destination", reason=closed)
        raise PurchaseRefundRefused(purchase=purchase.id, reason=reason) from closed
    return online_account(number)


def _order(
    city: City, conn: Connection, refund: Refund, purchase: Purchase, creditor: BankAccount
) -> Payment:
    at = city.now_local()
    payment = Payment(
        id=derived_id("refund", refund.id, "payment"),
        kind=PaymentKind.REFUND,
        amount_fen=refund.amount_fen,
        creditor=creditor,
        source=purchase.owed,
        text=f"refund of {purchase.id}: {refund.reason}",
    )
    return order_payment(conn, city.ledger, payment, event_time=at, business_date=at.date())


def _of_record(city: City, name: str) -> Purchase:
    found = explain(city, name)
    outcome, record = found.outcome, found.record
    if record is None or outcome is None or outcome.state is not State.ACCEPTED or not record.amount_fen:
        ended = "waits to be cleared" if outcome is None else Phrase("ended {state}", state=outcome.state)
        paid_fen = record.amount_fen if record is not None else 0
        raise PurchaseRefundRefused(
            purchase=name,
            reason=Phrase("it {ended}, and {paid_fen} fen were paid", ended=ended, paid_fen=paid_fen),
        )
    with reading(city.engine) as conn:
        registry.find_card(conn, record.asn)
        ids = {partner: transfer_ids(outcome.run, partner)["payable"] for partner, _ in outcome.parts}
        posted = city.ledger.find(conn, list(ids.values()))
    shares = tuple(
        PurchaseShare(partner=partner, amount_fen=part_fen, posted=posted[ids[partner]].transfer)
        for partner, part_fen in outcome.parts
        if part_fen
    )
    return Purchase(
        id=found.id,
        owner=record.asn,
        amount_fen=record.amount_fen,
        owed=card_refund(record.asn),
        shares=shares,
    )


def _note_returned(conn: Connection, identity: UUID, amount_fen: int) -> None:
    """Note in a payment that is held that more of the account's own money came back."""
    paid = find_payment(conn, identity)
    assert paid.own_place is not None
    add_returned(conn, paid, paid.own_place, amount_fen)


def _of_payment(city: City, conn: Connection, paid: AccountPayment) -> Purchase:
    """What an account itself paid; subsidies go back to where they came from, and nowhere else."""
    if paid.own_place is None:
        told = Phrase("subsidies paid it: citycard account give-back {id} gives it back to them", id=paid.id)
        raise PurchaseRefundRefused(purchase=str(paid.id), reason=told)
    part = paid.parts[paid.own_place]
    posted = city.ledger.find(conn, [part.transfer])[part.transfer].transfer
    return Purchase(
        id=str(paid.id),
        owner=paid.number,
        amount_fen=part.amount_fen,
        owed=account_refund(paid.number),
        shares=(PurchaseShare(partner=paid.partner, amount_fen=part.amount_fen, posted=posted),),
        payment=paid.id,
    )


def _of_transfer(city: City, identity: UUID) -> Purchase:
    """A payment out of an online account to a partner that nothing but its transfer tells of."""
    with reading(city.engine) as conn:
        found = city.ledger.find(conn, [identity])
        moved = found[identity].transfer if identity in found else None
        codes = _codes(conn, moved) if moved is not None else ()
    if moved is None or codes != (AccountCode.ONLINE_ACCOUNTS, AccountCode.PAYABLE_TO_PARTNERS):
        raise PurchaseRefundRefused(
            purchase=str(identity), reason="it is no payment of an online account to a partner"
        )
    number, partner = (address.split("/")[1] for address in (moved.debit_address, moved.credit_address))
    return Purchase(
        id=str(identity),
        owner=number,
        amount_fen=moved.amount_fen,
        owed=account_refund(number),
        shares=(PurchaseShare(partner=partner, amount_fen=moved.amount_fen, posted=moved),),
    )


def _codes(conn: Connection, moved: Transfer) -> tuple[int | None, ...]:
    addresses = (moved.debit_address, moved.credit_address) if moved.kind.moves else ()
    return tuple(
        conn.scalar(select(account.c.code).where(account.c.address == address)) for address in addresses
    )
