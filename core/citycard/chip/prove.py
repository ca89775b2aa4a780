"""GET TRANSACTION PROVE 取交易认证: did a transaction happen, with which MAC and TAC (FMCOS 8.13)."""

from __future__ import annotations

from citycard.chip import hidden
from citycard.chip.purse import PROOF, purses, read_purse
from citycard.chip.state import CardState
from citycard.chip.status import (
    OK,
    PROOF_NOT_AVAILABLE,
    WRONG_LENGTH,
    WRONG_PARAMETERS,
    RefusedError,
    expect_le,
)

__all__ = ["get_transaction_prove"]

_COUNTER_SIZE = 2


def get_transaction_prove(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Answer MAC and TAC of the last transaction of type P2 when the counter is its own, else ``9406``.

    The last four bytes are the code that the card had answered: TAC, GTAC, or MAC3 where there is no TAC. The
    MAC is the other one: the chip's own MAC2 of a debit or lock, the host's of a load, unload, limit or
    online unlock, the terminal's GMAC. All survive power loss, as they are in the transaction's commit.
    """
    if p1:
        raise RefusedError(WRONG_PARAMETERS)
    if len(data) != _COUNTER_SIZE:
        raise RefusedError(WRONG_LENGTH)
    expect_le(le, 8)
    found = _proof(card, p2)
    if found is None or found[0] != int.from_bytes(data, "big"):
        raise RefusedError(PROOF_NOT_AVAILABLE)
    return found[1] + found[2] + OK


def _proof(card: CardState, tti: int) -> tuple[int, bytes, bytes] | None:
    if tti == 0:
        return None
    older = None
    for file in purses(card):
        purse = read_purse(card, file)
        if purse.tti == tti:
            return purse.proved, purse.mac, purse.tac
        older = older or hidden.find(card.eeprom, tti, file.body)
    if older is None:
        return None
    counter, mac, tac = PROOF.unpack(older)
    return counter, mac, tac
