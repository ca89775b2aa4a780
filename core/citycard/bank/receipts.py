"""Money that is to come in: who pays, under which reference, and which account it is for."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, Row, insert, select

from citycard.bank.tables import bank_receipt
from citycard.errors import ReceiptConflict, ReceiptInvalid
from citycard.ledger.chart import AccountCode
from citycard.ledger.ledger import Ledger
from citycard.ledger.records import AccountSpec
from citycard.wallet.addresses import agent_receivable, partner_payable
from citycard.wallet.orders import provider_account

__all__ = ["Receipt", "ReceiptKind", "account_for", "expect_receipt", "receipts", "words_of"]

_WORD = re.compile(r"[0-9A-Z][0-9A-Z._/-]{2,34}")
_COMPARED = ("kind", "amount_fen", "credit", "standing")


class ReceiptKind(StrEnum):
    """Who pays in: a load agent, a payment provider, whoever funds subsidies, a partner, the city's desk."""

    AGENT = "agent"
    PROVIDER = "provider"
    SUBSIDY = "subsidy"
    PARTNER = "partner"
    DESK = "desk"


def _upper(text: str) -> str:
    return text.upper()


@attrs.frozen(kw_only=True)
class Receipt:
    """A receipt that is expected.

    ``reference`` (3 to 35 letters, digits and ``. _ / -``, in upper case) is what the payer writes, as
    end-to-end id or within the text; ``amount_fen`` is None where any amount fits; ``credit`` is the ledger
    account that is credited, empty for the desk's cash, which the trust account has already; ``standing``
    says that the reference is used again and again.
    """

    id: UUID
    kind: ReceiptKind = attrs.field(converter=ReceiptKind)
    reference: str = attrs.field(converter=_upper)
    amount_fen: int | None = None
    credit: str = ""
    standing: bool = False
    state: str = "open"

    def __attrs_post_init__(self) -> None:
        if not _WORD.fullmatch(self.reference):
            self._refuse("reference", "3 to 35 letters, digits and . _ / -, a letter or digit first")
        if (self.kind is ReceiptKind.DESK) != (not self.credit):
            self._refuse("credit", "the account that it credits; none for the desk's cash")
        if self.amount_fen is not None and self.amount_fen <= 0:
            self._refuse("amount_fen", "more than 0, or none for any amount")

    def _refuse(self, field: str, expected: str) -> None:
        value = getattr(self, field)
        raise ReceiptInvalid(reference=self.reference, field=field, value=value, expected=expected)

    @classmethod
    def of(cls, row: Row[Any]) -> Receipt:
        """Read a row of ``bank_receipt``."""
        return cls(**{field.name: getattr(row, field.name) for field in attrs.fields(cls)})


def account_for(kind: ReceiptKind | str, owner: str) -> AccountSpec | None:
    """Give the account of an agent, a provider or a partner that what they pay in is for; else None."""
    if kind == ReceiptKind.AGENT:
        code = AccountCode.LOAD_AGENTS_RECEIVABLE
        return AccountSpec(address=agent_receivable(owner), code=code, owner=owner)
    if kind == ReceiptKind.PROVIDER:
        return provider_account(owner)
    if kind == ReceiptKind.PARTNER:
        code = AccountCode.PAYABLE_TO_PARTNERS
        return AccountSpec(address=partner_payable(owner), code=code, owner=owner)
    return None


def expect_receipt(
    conn: Connection, ledger: Ledger, receipt: Receipt, account: AccountSpec | None = None
) -> bool:
    """Expect a receipt, and open the ``account`` that it credits; return whether it is new.

    Raise ReceiptConflict when its reference is expected otherwise.
    """
    query = select(bank_receipt).where(bank_receipt.c.reference == receipt.reference)
    found = conn.execute(query).one_or_none()
    if found is not None:
        before = Receipt.of(found)
        for field in _COMPARED:
            if getattr(before, field) != getattr(receipt, field):
                raise ReceiptConflict(reference=receipt.reference, field=field)
        return False
    if account is not None:
        ledger.open_accounts(conn, [account])
    row = attrs.asdict(receipt) | {"kind": receipt.kind.value, "expected_at": ledger.clock.now()}
    conn.execute(insert(bank_receipt).values(row))
    return True


def receipts(conn: Connection, *, state: str | None = None) -> list[Receipt]:
    """Give the receipts that are or were expected, by reference."""
    query = select(bank_receipt).order_by(bank_receipt.c.reference)
    if state is not None:
        query = query.where(bank_receipt.c.state == state)
    return [Receipt.of(row) for row in conn.execute(query)]


def words_of(*texts: str) -> set[str]:
    """Give the words of texts that may be references."""
    return {word.rstrip(".-_/") for text in texts for word in _WORD.findall(text.upper())}
