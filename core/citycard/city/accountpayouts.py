"""Pay the holder of an online account what is owed for it: it was closed, or a payment of it came back."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import attrs
from sqlalchemy import select

from citycard.bank import BankAccount, Payment, PaymentKind, PaymentState, order_payment
from citycard.bank.instruction import check_payable
from citycard.bank.tables import bank_payment
from citycard.errors import AccountMissing, AccountNotOwed, Phrase
from citycard.ids import derived_id
from citycard.ledger.chart import AccountCode, TransferCode
from citycard.ledger.records import AccountSpec
from citycard.ledger.tables import account as ledger_account
from citycard.money import yuan
from citycard.store import reading
from citycard.wallet.acts import Act, once
from citycard.wallet.addresses import TRUST_BANK, account_refund, holder_claim
from citycard.wallet.online import find_account, hold_account

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from citycard.city.city import City

__all__ = ["AccountPaid", "owed_fen", "pay_account"]


@attrs.frozen(kw_only=True)
class AccountPaid:
    """What was paid to the holder of an account under an id; ``claim_fen`` is what they owed, taken first.

    ``end_to_end`` and ``state`` are those of the payment that was ordered from the bank, empty for cash.
    """

    id: UUID
    number: str
    paid_fen: int
    claim_fen: int
    end_to_end: str = ""
    state: str = ""


def owed_fen(city: City, conn: Connection, number: str) -> int:
    """Give what is owed to the holder of an account: what was left when it was closed, and what came back."""
    return _balance_fen(city, conn, account_refund(number))


def pay_account(
    city: City,
    identity: UUID,
    number: str,
    amount_fen: int | None = None,
    *,
    creditor: BankAccount | None = None,
    actor: str = "",
) -> AccountPaid:
    """Pay what is owed for an account, or a part of it; asked again under the same id, it was paid once.

    It is paid in cash at the desk, or ordered from the bank where ``creditor`` is given; a payment that the
    bank gives back is owed again. What the holder owes the city is taken first. ``number`` is the account's,
    or that of its card. Raise OnlineAccountUnknown, AccountNotOwed when nothing or less is owed, ActDiffers
    for another payment under this id, BankDetailsInvalid.
    """
    if creditor is not None:
        check_payable(creditor)
    with reading(city.engine) as conn:
        number = find_account(conn, number).number
    to = None if creditor is None else attrs.asdict(creditor)
    content = {"amount_fen": amount_fen, "creditor": to}
    act = Act(id=identity, kind="pay-out", number=number, actor=actor, content=content)
    once(city.wallet, act, lambda conn: _pay(city, conn, identity, number, amount_fen, creditor))
    with reading(city.engine) as conn:
        return _paid(city, conn, identity, number)


def _pay(
    city: City,
    conn: Connection,
    identity: UUID,
    number: str,
    amount_fen: int | None,
    creditor: BankAccount | None,
) -> None:
    # Held, so that two desks do not both see the same money.
    hold_account(conn, number)
    owed = owed_fen(city, conn, number)
    if owed <= 0:
        raise AccountNotOwed(number=number, reason="nothing is owed for it: close it first")
    left_fen = owed - _take_claim(city, conn, identity, number, owed)
    wanted_fen = left_fen if amount_fen is None else amount_fen
    if not (0 < wanted_fen <= left_fen or wanted_fen == left_fen == 0):
        reason = Phrase(
            "{left_yuan} yuan are owed for it, which does not cover {wanted_yuan}",
            left_yuan=yuan(left_fen),
            wanted_yuan=yuan(wanted_fen),
        )
        raise AccountNotOwed(number=number, reason=reason)
    if not wanted_fen:
        return
    if creditor is None:
        spec = AccountSpec(address=TRUST_BANK, code=AccountCode.TRUST_BANK)
        city.ledger.open_accounts(conn, [spec])
        _move(city, conn, _cash_id(identity), number, TRUST_BANK, wanted_fen, TransferCode.PAID_OUT)
        return
    payment = Payment(
        id=_payment_id(identity),
        kind=PaymentKind.PAYOUT,
        amount_fen=wanted_fen,
        creditor=creditor,
        source=account_refund(number),
        text=f"what is owed for account {number}",
    )
    at = city.now_local()
    order_payment(conn, city.ledger, payment, event_time=at, business_date=at.date())


def _take_claim(city: City, conn: Connection, identity: UUID, number: str, owed: int) -> int:
    """Take what the holder owes the city out of what is owed to them, and return how much that was."""
    claim = holder_claim(number)
    conn.execute(select(ledger_account.c.id).where(ledger_account.c.address == claim).with_for_update())
    taken_fen = min(owed, max(0, _balance_fen(city, conn, claim)))
    if taken_fen:
        _move(city, conn, _claim_id(identity), number, claim, taken_fen, TransferCode.CLAIM_PAID)
    return taken_fen


def _move(
    city: City,
    conn: Connection,
    identity: UUID,
    number: str,
    credit: str,
    amount_fen: int,
    code: TransferCode,
) -> None:
    ref = f"account/{number}"
    moved = city.wallet.transfer(identity, account_refund(number), credit, amount_fen, code, ref=ref)
    city.ledger.post_all(conn, [moved])


def _paid(city: City, conn: Connection, identity: UUID, number: str) -> AccountPaid:
    """Say what was done under an id, from what was written down then."""
    cash, claim = _cash_id(identity), _claim_id(identity)
    posted = {key: one.transfer.amount_fen for key, one in city.ledger.find(conn, [cash, claim]).items()}
    row = conn.execute(select(bank_payment).where(bank_payment.c.id == _payment_id(identity))).one_or_none()
    return AccountPaid(
        id=identity,
        number=number,
        paid_fen=posted.get(cash, 0) if row is None else row.amount_fen,
        claim_fen=posted.get(claim, 0),
        end_to_end="" if row is None else row.end_to_end,
        state="" if row is None else str(PaymentState(row.state)),
    )


def _balance_fen(city: City, conn: Connection, address: str) -> int:
    try:
        return city.ledger.balance_fen(conn, address)
    except AccountMissing:
        return 0


def _cash_id(identity: UUID) -> UUID:
    return derived_id("account pay-out", identity, "cash")


def _claim_id(identity: UUID) -> UUID:
    return derived_id("account pay-out", identity, "claim")


def _payment_id(identity: UUID) -> UUID:
    return derived_id("account pay-out", identity, "payment")
