"""Codes of the grey lock 灰锁: lock, debit for unlock 解扣 and online unlock (``docs/chip.md``).

A fuel card is locked before the pump runs and debited afterwards, at any pump or online. Card and SAM
compute the same things here; pure functions of bytes and ints as in ``keys.purse``. Sources: FMCOS manual,
clause 9, CJ/T 304-2017 8.4.8 and station programs in the field; MAC2 and GTAC of the lock, which none of
them spells out, are this project's own choice (docs/decisions/grey-lock.md).
"""

from __future__ import annotations

from typing import Final

from citycard.keys.purse import (
    load_mac2,
    load_session_key,
    purchase_session_key,
    purchase_tac,
    unload_mac3,
)
from citycard.keys.suite import TDES_SUITE, Suite

__all__ = [
    "TTI_GREY_LOCK_ED",
    "TTI_GREY_LOCK_EP",
    "TTI_ONLINE_UNLOCK_ED",
    "TTI_ONLINE_UNLOCK_EP",
    "TTI_UNLOCK_ED",
    "TTI_UNLOCK_EP",
    "gmac",
    "grey_lock_gtac",
    "grey_lock_mac1",
    "grey_lock_mac2",
    "grey_session_key",
    "online_unlock_mac1",
    "online_unlock_mac2",
    "online_unlock_mac3",
    "online_unlock_session_key",
    "unlock_tac",
]

TTI_GREY_LOCK_ED: Final = 0x91
TTI_GREY_LOCK_EP: Final = 0x92
TTI_UNLOCK_ED: Final = 0x93
TTI_UNLOCK_EP: Final = 0x94
TTI_ONLINE_UNLOCK_ED: Final = 0x95
TTI_ONLINE_UNLOCK_EP: Final = 0x96

_RANDOM_TAIL = b"\x80\x00\x00\x00"


def grey_session_key(
    dpk: bytes,
    rnd4: bytes,
    offline_atc: int,
    term_serial4: int,
    term_rnd4: bytes,
    *,
    suite: Suite = TDES_SUITE,
) -> bytes:
    """Return the session key S of a lock: the terminal's random ‖ 80000000 under a purchase session key.

    The last step is single DES, because the key it takes has 8 bytes. S opens the lock again: SAM and card
    keep it, the card through power loss.
    """
    first = purchase_session_key(dpk, rnd4, offline_atc, term_serial4, suite=suite)
    return suite.session(first, term_rnd4 + _RANDOM_TAIL)


def grey_lock_mac1(
    session: bytes, tti: int, terminal6: bytes, datetime7: bytes, *, suite: Suite = TDES_SUITE
) -> bytes:
    """Return MAC1 of a lock, by which the SAM lets the card lock itself."""
    return suite.mac(session, bytes((tti,)) + terminal6 + datetime7)


def grey_lock_mac2(
    session: bytes,
    balance_fen: int,
    offline_atc: int,
    tti: int,
    terminal6: bytes,
    *,
    suite: Suite = TDES_SUITE,
) -> bytes:
    """Return MAC2 of a lock, by which the SAM knows that the card is locked, and with which balance.

    It is longer than a GMAC, so that no MAC2 opens a lock.
    """
    return suite.mac(session, _state(balance_fen, offline_atc, tti) + terminal6)


def grey_lock_gtac(
    dtk: bytes,
    balance_fen: int,
    offline_atc: int,
    tti: int,
    terminal6: bytes,
    term_serial: int,
    datetime7: bytes,
    *,
    suite: Suite = TDES_SUITE,
) -> bytes:
    """Return the GTAC, by which clearing knows that a card was locked where, when and with which balance."""
    message = _state(balance_fen, offline_atc, tti) + terminal6 + term_serial.to_bytes(4, "big") + datetime7
    return suite.mac(suite.tac_key(dtk), message)


def gmac(session: bytes, amount_fen: int, *, suite: Suite = TDES_SUITE) -> bytes:
    """Return the GMAC, by which the SAM that locked a card debits so much and unlocks it, on any terminal."""
    return suite.mac(session, amount_fen.to_bytes(4, "big"))


def unlock_tac(
    dtk: bytes,
    amount_fen: int,
    tti: int,
    terminal6: bytes,
    term_serial: int,
    datetime7: bytes,
    *,
    suite: Suite = TDES_SUITE,
) -> bytes:
    """Return the TAC of a debit for unlock; terminal, serial and time are the unlocking terminal's."""
    return purchase_tac(dtk, amount_fen, tti, terminal6, term_serial, datetime7, suite=suite)


def online_unlock_session_key(
    dulk: bytes, rnd4: bytes, online_atc: int, *, suite: Suite = TDES_SUITE
) -> bytes:
    """Return the session key of an online unlock: RND ‖ online ATC ‖ 8000 under the unload key."""
    return load_session_key(dulk, rnd4, online_atc, suite=suite)


def online_unlock_mac1(
    session: bytes,
    balance_fen: int,
    offline_atc: int,
    tti: int,
    terminal6: bytes,
    *,
    suite: Suite = TDES_SUITE,
) -> bytes:
    """Return MAC1 of an online unlock, by which a locked card proves itself to the host."""
    return suite.mac(session, _state(balance_fen, offline_atc, tti) + terminal6)


def online_unlock_mac2(
    session: bytes,
    amount_fen: int,
    tti: int,
    terminal6: bytes,
    datetime7: bytes,
    *,
    suite: Suite = TDES_SUITE,
) -> bytes:
    """Return MAC2 of an online unlock, by which the host debits so much and unlocks the card."""
    return load_mac2(session, amount_fen, tti, terminal6, datetime7, suite=suite)


def online_unlock_mac3(
    session: bytes,
    new_balance_fen: int,
    online_atc_before: int,
    amount_fen: int,
    tti: int,
    terminal6: bytes,
    datetime7: bytes,
    *,
    suite: Suite = TDES_SUITE,
) -> bytes:
    """Return MAC3 of an online unlock: the card's proof that it was debited and is free."""
    return unload_mac3(
        session, new_balance_fen, online_atc_before, amount_fen, tti, terminal6, datetime7, suite=suite
    )


def _state(balance_fen: int, offline_atc: int, tti: int) -> bytes:
    return (balance_fen << 24 | offline_atc << 8 | tti).to_bytes(7, "big")
