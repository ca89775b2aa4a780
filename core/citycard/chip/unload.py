"""Unload 圈提 of the passbook: INITIALIZE FOR UNLOAD and DEBIT FOR UNLOAD (FMCOS manual 8.10)."""

from __future__ import annotations

from hmac import compare_digest

from citycard.chip.keystore import key_bytes, suite, version_and_algorithm
from citycard.chip.purse import UNLOAD, check_counter, claim, read_purse, start, transaction_entries
from citycard.chip.state import CardState, Pending
from citycard.chip.status import INSUFFICIENT_FUNDS, MAC_INVALID, OK, RefusedError
from citycard.keys.purse import TTI_UNLOAD, unload_mac1, unload_mac2, unload_mac3, unload_session_key

__all__ = ["debit_for_unload", "initialize_for_unload"]

_DEBIT_DATA = 11


def initialize_for_unload(card: CardState, p2: int, data: bytes, le: int | None) -> bytes:
    """Answer balance, online counter, key version, algorithm, random and MAC1, the card's proof."""
    file, key, amount_fen, terminal = start(card, p2, data, le, UNLOAD, 16)
    purse = read_purse(card, file)
    check_counter(purse.online)
    if amount_fen > purse.balance_fen:
        raise RefusedError(INSUFFICIENT_FUNDS)
    random = card.random(4)
    own = suite(card, key)
    session = unload_session_key(key_bytes(card, key), random, purse.online, suite=own)
    mac1 = unload_mac1(session, purse.balance_fen, amount_fen, TTI_UNLOAD, terminal, suite=own)
    card.powered.pending = Pending(
        tti=TTI_UNLOAD, key=key, amount_fen=amount_fen, terminal=terminal, random=random, purse=file
    )
    counter = purse.online.to_bytes(2, "big")
    head = purse.balance_fen.to_bytes(4, "big") + counter + version_and_algorithm(card, key)
    return head + random + mac1 + OK


def debit_for_unload(card: CardState, data: bytes, le: int | None) -> bytes:
    """Give the money back to the host when its MAC2 is right, and answer MAC3."""
    pending = claim(card, (TTI_UNLOAD,), data, _DEBIT_DATA, le, 4)
    when, mac2 = data[:7], data[7:]
    file, amount_fen, terminal = pending.purse, pending.amount_fen, pending.terminal
    purse = read_purse(card, file)
    own = suite(card, pending.key)
    session = unload_session_key(key_bytes(card, pending.key), pending.random, purse.online, suite=own)
    expected = unload_mac2(session, amount_fen, TTI_UNLOAD, terminal, when, suite=own)
    if not compare_digest(expected, mac2):
        raise RefusedError(MAC_INVALID)
    counter = purse.online
    purse.balance_fen -= amount_fen
    purse.online += 1
    mac3 = unload_mac3(session, purse.balance_fen, counter, amount_fen, TTI_UNLOAD, terminal, when, suite=own)
    proof = (TTI_UNLOAD, counter, mac2, mac3)
    card.eeprom.commit(transaction_entries(card, file, purse, proof, amount_fen, terminal, when))
    return mac3 + OK
