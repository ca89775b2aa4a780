"""A load of money onto a card: begun by the host, proven by the card."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import attrs

__all__ = ["Load", "LoadState", "Proof"]


class LoadState(StrEnum):
    """``pending``: MAC2 was given out and nobody knows; ``proven``: on the card; ``reversed``: never was."""

    PENDING = "pending"
    PROVEN = "proven"
    REVERSED = "reversed"


class Proof(StrEnum):
    """What settled a load: its TAC, or the card's online counter seen under a later valid MAC1."""

    NONE = ""
    TAC = "tac"
    COUNTER = "counter"


@attrs.frozen(kw_only=True)
class Load:
    """One load. ``online_atc`` is the card's counter before it, ``at`` the city's local time under MAC2.

    ``asn`` has 20 digits, ``terminal`` 12, ``tac`` is 8 hexadecimal digits or empty; ``agent`` is who
    took the citizen's money, empty for the city itself.
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
    state: LoadState = attrs.field(default=LoadState.PENDING, converter=LoadState)
    proof: Proof = attrs.field(default=Proof.NONE, converter=Proof)
    tac: str = ""
