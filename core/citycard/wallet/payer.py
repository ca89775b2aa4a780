"""Who pays for a load: the words by which a load names its payer, and the account that the money is on."""

from __future__ import annotations

from enum import StrEnum
from typing import Self
from uuid import UUID

import attrs

from citycard.errors import PayerInvalid
from citycard.ledger.chart import AccountCode, Guard
from citycard.ledger.records import AccountSpec
from citycard.wallet.addresses import (
    TOP_UPS_IN_FLIGHT,
    TRUST_BANK,
    agent_receivable,
    card_refund,
    online_account,
    subsidy_fund,
)

__all__ = ["Payer", "PayerKind"]

_LONGEST = 100


class PayerKind(StrEnum):
    """Kinds of payer. Each but ``cash`` and ``agent`` is the first word of the payer's own words."""

    CASH = "cash"
    AGENT = "agent"
    REFUND = "refund"
    ORDER = "order"
    ACCOUNT = "account"
    SUBSIDY = "subsidy"


_NAMED = frozenset({PayerKind.REFUND, PayerKind.ORDER, PayerKind.ACCOUNT, PayerKind.SUBSIDY})
_RESERVED_AHEAD = frozenset({PayerKind.ORDER, PayerKind.ACCOUNT, PayerKind.SUBSIDY})


@attrs.frozen
class Payer:
    """A payer: its kind and its name, which is empty for cash at the city's own counter.

    In words: empty for cash, a partner's id for an agent, and ``refund/<card>``, ``order/<id>``,
    ``account/<number>`` or ``subsidy/<programme>`` for the rest. No partner's id has a slash in it.
    """

    kind: PayerKind
    name: str = ""

    @classmethod
    def read(cls, words: str) -> Self:
        """Read a payer from its words; raise PayerInvalid."""
        first, slash, name = words.partition("/")
        kinds = [kind for kind in _NAMED if kind == first]
        if len(words) > _LONGEST or (slash and not (kinds and name)):
            raise PayerInvalid(words=words[:_LONGEST])
        if slash:
            return cls(kinds[0], name)
        return cls(PayerKind.AGENT, words) if words else cls(PayerKind.CASH)

    @classmethod
    def order(cls, identity: UUID) -> Self:
        """Give the payer that an order paid online is."""
        return cls(PayerKind.ORDER, str(identity))

    @property
    def words(self) -> str:
        """Give the words that ``read`` reads."""
        return f"{self.kind}/{self.name}" if self.kind in _NAMED else self.name

    @property
    def reserved_ahead(self) -> bool:
        """Say whether this payer's money is held before a MAC2 leaves the desk."""
        return self.kind in _RESERVED_AHEAD

    @property
    def address(self) -> str:
        """Give the address of the account that pays."""
        return self.account.address

    @property
    def account(self) -> AccountSpec:
        """Give the account that pays. Those that are reserved from never go below zero."""
        if self.kind is PayerKind.AGENT:
            code = AccountCode.LOAD_AGENTS_RECEIVABLE
            return AccountSpec(address=agent_receivable(self.name), code=code, owner=self.name)
        if self.kind is PayerKind.REFUND:
            code = AccountCode.REFUNDS_DUE
            return AccountSpec(address=card_refund(self.name), code=code, owner=self.name)
        address, code = {
            PayerKind.CASH: (TRUST_BANK, AccountCode.TRUST_BANK),
            PayerKind.ORDER: (TOP_UPS_IN_FLIGHT, AccountCode.TOP_UPS_IN_FLIGHT),
            PayerKind.ACCOUNT: (online_account(self.name), AccountCode.ONLINE_ACCOUNTS),
            PayerKind.SUBSIDY: (subsidy_fund(self.name), AccountCode.SUBSIDIES_HELD),
        }[self.kind]
        guard = Guard.DEBITS_WITHIN_CREDITS if self.reserved_ahead else Guard.NONE
        return AccountSpec(address=address, code=code, guard=guard)
