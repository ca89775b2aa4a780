"""A load of money onto a card: begun by the desk, settled by what the card proves, paid by somebody."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import attrs

from citycard.ids import derived_id
from citycard.wallet.payer import Payer, PayerKind

__all__ = ["Load", "LoadMoney", "LoadState", "Proof", "load_id", "refund_agent", "refunded_card"]


class LoadState(StrEnum):
    """Where a load is.

    ``pending``: MAC2 was given out and nobody knows yet; ``proven``: the money is on the card and in the
    ledger; ``reversed``: it is not on the card, as far as anybody knows.
    """

    PENDING = "pending"
    PROVEN = "proven"
    REVERSED = "reversed"


class Proof(StrEnum):
    """What settled a load for good.

    ``tac``: the card's TAC. ``counter``: the card's online counter, seen under a valid MAC1. ``terminal``:
    the terminal's word that the card shows the load, which is believed because the agent pays for it.
    A load that is reversed without proof becomes proven when the card shows later that it was done.
    """

    NONE = ""
    TAC = "tac"
    COUNTER = "counter"
    TERMINAL = "terminal"


class LoadMoney(StrEnum):
    """Where the payer's money for a load is.

    ``none``: nothing was reserved, the payer owes it when the load is proven; ``held``: reserved for it, and
    for nothing else; ``taken``: paid; ``returned``: the reservation was given back; ``lost``: the card shows
    the load and the payer's money was gone by then, so that the city bore it.
    """

    NONE = "none"
    HELD = "held"
    TAKEN = "taken"
    RETURNED = "returned"
    LOST = "lost"


@attrs.frozen(kw_only=True)
class Load:
    """One attempt to put money on a card. ``at`` is the city's local time under MAC2, to the second.

    ``asn`` has 20 digits, ``online_atc`` is the card's counter before the load, ``terminal`` has 12 digits;
    ``agent`` says who pays, in the words of a ``Payer`` (empty: cash at the city's counter); ``mac1`` and
    ``tac`` are hexadecimal; ``hold`` is the id under which the money is reserved. Attempts in the same words
    under the same counter share a hold: the card can do one of them.
    """

    id: UUID
    asn: str
    online_atc: int
    key_version: int
    amount_fen: int
    balance_before_fen: int
    terminal: str
    agent: str
    at: datetime
    mac1: str
    state: LoadState = attrs.field(default=LoadState.PENDING, converter=LoadState)
    proof: Proof = attrs.field(default=Proof.NONE, converter=Proof)
    tac: str = ""
    money: LoadMoney = attrs.field(default=LoadMoney.NONE, converter=LoadMoney)
    hold: UUID | None = None

    @property
    def payer(self) -> Payer:
        """Give who pays for it."""
        return Payer.read(self.agent)

    @property
    def open(self) -> bool:
        """Say whether the card may still show something else than what is written here."""
        return self.proof is Proof.NONE

    @property
    def closed_without_doing(self) -> bool:
        """Say whether it is proven that this attempt was not done."""
        return self.state is LoadState.REVERSED and not self.open

    def settled(self, state: LoadState, proof: Proof, tac: str = "") -> Load:
        """Give this load in another state."""
        return attrs.evolve(self, state=state, proof=proof, tac=tac)


def refund_agent(asn: str) -> str:
    """Give the agent of a load that is paid with what is owed for the card ``asn``, which was given up."""
    return Payer(PayerKind.REFUND, asn).words


def refunded_card(agent: str) -> str | None:
    """Give the card that was given up and pays for a load with this agent, or None."""
    payer = Payer.read(agent)
    return payer.name if payer.kind is PayerKind.REFUND else None


def load_id(asn: str, online_atc: int, mac1: bytes, terminal: str, at: datetime) -> UUID:
    """Give the id of an attempt: asked again in the same words it is the same one."""
    return derived_id("load", asn, online_atc, mac1.hex(), terminal, at)
