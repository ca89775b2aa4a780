"""GET TRANSACTION PROVE 取交易认证: did the last transaction happen, with which MAC and TAC (FMCOS 8.13)."""

from __future__ import annotations

from citycard.chip.files import PURSE
from citycard.chip.purse import EP_FID, read_purse
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
    """Answer MAC and TAC of the last transaction when type (P2) and counter are its own, else ``9406``.

    The MAC is MAC2: the chip's own of a purchase, the host's of a load. Both survive power loss, because they
    are written in the transaction's commit.
    """
    if p1:
        raise RefusedError(WRONG_PARAMETERS)
    if len(data) != _COUNTER_SIZE:
        raise RefusedError(WRONG_LENGTH)
    expect_le(le, 8)
    file = card.powered.directory.files.get(EP_FID)
    if file is None or file.kind != PURSE:
        raise RefusedError(PROOF_NOT_AVAILABLE)
    purse = read_purse(card, file)
    if purse.tti == 0 or purse.tti != p2 or purse.proved != int.from_bytes(data, "big"):
        raise RefusedError(PROOF_NOT_AVAILABLE)
    return purse.mac + purse.tac + OK
