"""The purse commands by class and instruction, and which of them P1 and P2 name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from citycard.chip.capp import update_cache, update_cache_protected
from citycard.chip.greylock import debit_for_unlock, grey_lock, initialize_for_grey_lock
from citycard.chip.greyunlock import grey_unlock, initialize_for_grey_unlock
from citycard.chip.load import credit_for_load, initialize_for_load
from citycard.chip.lockstate import get_lock_proof
from citycard.chip.overdraft import initialize_for_overdraft, update_overdraft
from citycard.chip.prove import get_transaction_prove
from citycard.chip.purchase import debit, initialize_for_purchase
from citycard.chip.purse import ED_FID, EP_FID, get_balance
from citycard.chip.state import CardState
from citycard.chip.status import WRONG_PARAMETERS, RefusedError
from citycard.chip.unload import debit_for_unload, initialize_for_unload
from citycard.keys.purse import TTI_CAPP, TTI_PURCHASE_ED, TTI_PURCHASE_EP, TTI_WITHDRAW

__all__ = ["PURSE_COMMANDS", "PURSE_KEEP_PENDING"]

_Command = Callable[[CardState, int, int, bytes, int | None], bytes]
_First = Callable[[CardState, int, bytes, int | None], bytes]
_Second = Callable[[CardState, bytes, int | None], bytes]

_DEBITS = {
    (1, ED_FID): TTI_PURCHASE_ED,
    (1, EP_FID): TTI_PURCHASE_EP,
    (2, ED_FID): TTI_WITHDRAW,
    (3, EP_FID): TTI_CAPP,
}
_INITIALIZE: Mapping[tuple[int, int], _First] = {
    (0, ED_FID): initialize_for_load,
    (0, EP_FID): initialize_for_load,
    (4, ED_FID): initialize_for_overdraft,
    (5, ED_FID): initialize_for_unload,
}
_GREY_INITIALIZE: Mapping[tuple[int, int], _First] = {
    (8, ED_FID): initialize_for_grey_lock,
    (8, EP_FID): initialize_for_grey_lock,
    (9, ED_FID): initialize_for_grey_unlock,
    (9, EP_FID): initialize_for_grey_unlock,
}


def _initialize(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    tti = _DEBITS.get((p1, p2))
    if tti is not None:
        return initialize_for_purchase(card, p2, data, le, tti)
    return _first(_INITIALIZE, card, p1, p2, data, le)


def _grey_initialize(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    return _first(_GREY_INITIALIZE, card, p1, p2, data, le)


def _grey_debit(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    if p1 == 8:  # noqa: PLR2004  # DEBIT FOR UNLOCK, which has no INITIALIZE: the lock was it
        return debit_for_unlock(card, p2, data, le)
    return _GREY_UNLOCK(card, p1, p2, data, le)


def _first(
    known: Mapping[tuple[int, int], _First],
    card: CardState,
    p1: int,
    p2: int,
    data: bytes,
    le: int | None,
) -> bytes:
    command = known.get((p1, p2))
    if command is None:
        raise RefusedError(WRONG_PARAMETERS)
    return command(card, p2, data, le)


def _second(known: Mapping[int, _Second]) -> _Command:
    def command(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
        chosen = known.get(p1)
        if chosen is None or p2:
            card.powered.pending = None
            raise RefusedError(WRONG_PARAMETERS)
        return chosen(card, data, le)

    return command


_GREY_UNLOCK = _second({9: grey_unlock})

PURSE_COMMANDS: Mapping[bytes, _Command] = {
    b"\x80\x50": _initialize,
    b"\x80\x52": _second({0: credit_for_load}),
    b"\x80\x54": _second({1: debit, 3: debit_for_unload}),
    b"\x80\x58": _second({0: update_overdraft}),
    b"\x80\x5a": get_transaction_prove,
    b"\x80\x5c": get_balance,
    b"\x80\xdc": update_cache,
    b"\x84\xdc": update_cache_protected,
    b"\xe0\x7a": _grey_initialize,
    b"\xe0\x7c": _second({8: grey_lock}),
    b"\xe0\x7e": _grey_debit,
    b"\xe0\xca": get_lock_proof,
}

PURSE_KEEP_PENDING = frozenset(
    {b"\x80\x52", b"\x80\x54", b"\x80\x58", b"\x80\xdc", b"\x84\xdc", b"\xe0\x7c", b"\xe0\x7e"}
)
"""The commands that a pending transaction waits for."""
