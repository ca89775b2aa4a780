"""A load of money onto a card: begun by the desk, settled by what the card proves."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import attrs

from citycard.ids import derived_id

__all__ = ["Load", "LoadState", "Proof", "load_id", "refund_agent", "refunded_card"]

# No partner's id has a slash in it.
_REFUND = "refund/"


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


@attrs.frozen(kw_only=True)
class Load:
    """One attempt to put money on a card. ``at`` is the city's local time under MAC2, to the second.

    ``asn`` has 20 digits, ``online_atc`` is the card's counter before the load, ``terminal`` has 12 digits;
    ``agent`` took the citizen's money (empty: the city itself); ``mac1`` and ``tac`` are hexadecimal.
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

    @property
    def open(self) -> bool:
        """Say whether the card may still show something else than what is written here."""
        return self.proof is Proof.NONE

    def settled(self, state: LoadState, proof: Proof, tac: str = "") -> Load:
        """Give this load in another state."""
        return attrs.evolve(self, state=state, proof=proof, tac=tac)


def refund_agent(asn: str) -> str:
    """Give the agent of a load that is paid with what is owed for the card ``asn``, which was given up."""
    return _REFUND + asn


def refunded_card(agent: str) -> str | None:
    """Give the card that was given up and pays for a load with this agent, or None."""
    return agent.removeprefix(_REFUND) if agent.startswith(_REFUND) else None


def load_id(asn: str, online_atc: int, mac1: bytes, terminal: str, at: datetime) -> UUID:
    """Give the id of an attempt: asked again in the same words it is the same one."""
    return derived_id("load", asn, online_atc, mac1.hex(), terminal, at)
