"""The money of a card's life: deposit, price, fees, and what is owed for a card that is given up.

Every transfer is posted in the transaction of the step it belongs to; the step's own row says whether it was
taken, so that taking it again posts nothing. Codes and accounts: docs/ledger.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from citycard.clearing.spent import purse_fen
from citycard.errors import AccountMissing
from citycard.ids import new_id
from citycard.ledger.chart import AccountCode, TransferCode
from citycard.ledger.records import AccountSpec, Transfer
from citycard.wallet.addresses import (
    INCOME_CARDS,
    LOSS_LATE_TAPS,
    TRUST_BANK,
    card_deposit,
    card_purse,
    card_refund,
    holder_claim,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from citycard.city.city import City

__all__ = ["CardMoney"]


class CardMoney:
    """Post what the steps of a card's life cost, in the transaction of a connection."""

    def __init__(self, city: City, conn: Connection) -> None:
        self._city = city
        self._conn = conn

    def sold(self, asn: str, *, deposit_fen: int, price_fen: int) -> None:
        """Take deposit and price of a card from its holder, at the desk."""
        self._move(TRUST_BANK, card_deposit(asn), deposit_fen, TransferCode.DEPOSIT, asn)
        self._move(TRUST_BANK, INCOME_CARDS, price_fen, TransferCode.CARD_SALE, asn)

    def fee(self, asn: str, fee_fen: int) -> None:
        """Take a fee from the holder of a card, at the desk."""
        self._move(TRUST_BANK, INCOME_CARDS, fee_fen, TransferCode.CARD_FEE, asn)

    def deposit_moved(self, old: str, new: str) -> int:
        """Let the deposit of one card stand for another; return how much it is."""
        amount_fen = self.balance_fen(card_deposit(old))
        self._move(card_deposit(old), card_deposit(new), amount_fen, TransferCode.DEPOSIT_MOVED, old)
        return amount_fen

    def purse_closed(self, asn: str, *, with_deposit: bool) -> int:
        """Empty a card's shadow into what is owed for it, and return how much that is now.

        What the card spent beyond its purse comes out of the deposit where that is given back, and is a loss
        of the city otherwise. Afterwards the shadow is zero, the deposit too if it was taken.
        """
        purse, deposit = card_purse(asn), card_deposit(asn)
        balance_fen = self.purse_fen(asn)
        if balance_fen < 0 and with_deposit:
            covered_fen = min(-balance_fen, self.balance_fen(deposit))
            self._move(deposit, purse, covered_fen, TransferCode.LATE_TAPS, asn)
            balance_fen += covered_fen
        self._move(LOSS_LATE_TAPS, purse, -balance_fen, TransferCode.LATE_TAPS, asn)
        self._move(purse, card_refund(asn), balance_fen, TransferCode.OWED, asn)
        if with_deposit:
            self._move(deposit, card_refund(asn), self.balance_fen(deposit), TransferCode.OWED, asn)
        return self.owed_fen(asn)

    def refund_overdrawn(self, asn: str) -> None:
        """Take what was given for a card beyond what was owed as a loss of the city."""
        self._move(LOSS_LATE_TAPS, card_refund(asn), -self.owed_fen(asn), TransferCode.LATE_TAPS, asn)

    def paid_out(self, asn: str) -> int:
        """Pay what is owed for a card to its holder, at the desk, and return how much it was."""
        owed_fen = self.owed_fen(asn)
        self._move(card_refund(asn), TRUST_BANK, owed_fen, TransferCode.PAID_OUT, asn)
        return owed_fen

    def claim_taken(self, asn: str) -> int:
        """Take what the holder of a card owes out of what is owed for it, and return how much that was."""
        taken_fen = min(self.owed_fen(asn), self.balance_fen(holder_claim(asn)))
        self._move(card_refund(asn), holder_claim(asn), taken_fen, TransferCode.CLAIM_PAID, asn)
        return max(taken_fen, 0)

    def claim_paid(self, asn: str, amount_fen: int, *, identity: UUID) -> None:
        """Take what the holder of a card owes from them, at the desk, as the transfer with this id."""
        self._move(TRUST_BANK, holder_claim(asn), amount_fen, TransferCode.CLAIM_PAID, asn, identity)

    def purse_fen(self, asn: str) -> int:
        """Return a card's shadow: what came onto it, less what clearing knows that it spent."""
        return purse_fen(self._city.ledger, self._city.folder, self._conn, asn)

    def owed_fen(self, asn: str) -> int:
        """Return what is owed for a card that was given up."""
        return self.balance_fen(card_refund(asn))

    def balance_fen(self, address: str) -> int:
        """Return the balance of an account; 0 when nobody opened it."""
        try:
            return self._city.ledger.balance_fen(self._conn, address)
        except AccountMissing:
            return 0

    def _move(
        self,
        debit: str,
        credit: str,
        amount_fen: int,
        code: TransferCode,
        asn: str,
        identity: UUID | None = None,
    ) -> None:
        if amount_fen <= 0:
            return
        at = self._city.now_local()
        ledger = self._city.ledger
        ledger.open_accounts(self._conn, [_account(debit, asn), _account(credit, asn)])
        transfer = Transfer(
            id=identity or new_id(),
            debit_address=debit,
            credit_address=credit,
            amount_fen=amount_fen,
            code=code,
            event_time=at,
            business_date=at.date(),
            ref=f"card/{asn}",
        )
        ledger.post_all(self._conn, [transfer])


_CODES = {
    TRUST_BANK: AccountCode.TRUST_BANK,
    INCOME_CARDS: AccountCode.FEES,
    LOSS_LATE_TAPS: AccountCode.CARD_LOSS,
}
_CARD_CODES = {
    "purse": AccountCode.CARD_FLOAT,
    "deposit": AccountCode.DEPOSITS,
    "refund": AccountCode.REFUNDS_DUE,
    "claim": AccountCode.CLAIMS_ON_HOLDERS,
}


def _account(address: str, asn: str) -> AccountSpec:
    if address in _CODES:
        return AccountSpec(address=address, code=_CODES[address])
    owner = address.split("/")[1]
    assert owner == asn or address.endswith("/deposit")
    return AccountSpec(address=address, code=_CARD_CODES[address.rpartition("/")[2]], owner=owner)
