"""Trades with a sector card: what came of one, and what a reader must remember of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from enum import StrEnum

import attrs

__all__ = ["OpenTrades", "SectorTrade", "TacSource", "TradeOutcome"]


class TradeOutcome(StrEnum):
    """The three ends of a trade: the point of no return is the TRANSFER of the main purse block."""

    DONE = "done"
    NOT_DONE = "not-done"
    UNKNOWN = "unknown"


@attrs.frozen(kw_only=True)
class SectorTrade:
    """A purchase or a load. ``count`` is the card's counter after it, ``terminal`` has 12 hexadecimal digits.

    ``complete`` is false where the backup copies are not written yet: the next tap does that. ``recovered``
    is true where a later tap found it: whoever keeps records takes card and count for its key, because the
    terminal of the first tap may have told it too. ``tac`` is empty unless it is done,
    and where the card does not tell the day.
    """

    outcome: TradeOutcome
    card: str
    kind: int
    amount_fen: int
    balance_before_fen: int
    balance_after_fen: int
    count: int
    terminal: str
    on: dt.date | None
    tac: bytes = attrs.field(default=b"", repr=False)
    complete: bool = True
    recovered: bool = False


class OpenTrades:
    """What one reader remembers: cards that went away at the point of no return, and what they would hold."""

    def __init__(self) -> None:
        self._balances: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._balances)

    def remember(self, card: str, balance_after_fen: int) -> None:
        """Keep the balance that a card has if its last trade here was done."""
        self._balances[card] = balance_after_fen

    def find(self, card: str) -> int | None:
        """Return that balance, or None."""
        return self._balances.get(card)

    def forget(self, card: str) -> None:
        """Forget a card, because its end is known."""
        self._balances.pop(card, None)


TacSource = Callable[[bytes, int, int, bytes, int, dt.date], bytes]
"""Give a TAC: card number (8 bytes), amount in fen, kind, terminal (6 bytes), count, day -> 4 bytes."""
