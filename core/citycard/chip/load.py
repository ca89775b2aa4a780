"""Load 圈存 of passbook and purse: INITIALIZE FOR LOAD and CREDIT FOR LOAD (PBOC; FMCOS manual 8.7)."""

from __future__ import annotations

from hmac import compare_digest

from citycard.chip.keystore import LOAD, key_bytes, suite, version_and_algorithm
from citycard.chip.purse import (
    ED_FID,
    check_counter,
    claim,
    read_purse,
    start,
    tac_key,
    transaction_entries,
)
from citycard.chip.state import CardState, Pending
from citycard.chip.status import (
    CONDITIONS_NOT_SATISFIED,
    MAC_INVALID,
    OK,
    SECURITY_NOT_SATISFIED,
    RefusedError,
)
from citycard.keys.purse import (
    TTI_LOAD_ED,
    TTI_LOAD_EP,
    load_mac1,
    load_mac2,
    load_session_key,
    load_tac,
)

__all__ = ["credit_for_load", "initialize_for_load"]

_CREDIT_DATA = 11
_TYPES = (TTI_LOAD_ED, TTI_LOAD_EP)


def initialize_for_load(card: CardState, p2: int, data: bytes, le: int | None) -> bytes:
    """Answer balance, online counter, key version, algorithm, random and MAC1, the card's proof."""
    file, key, amount_fen, terminal = start(card, p2, data, le, LOAD, 16)
    if card.profile.load_needs_pin and not card.powered.pin_verified:
        raise RefusedError(SECURITY_NOT_SATISFIED)
    purse = read_purse(card, file)
    check_counter(purse.online)
    if purse.balance_fen + amount_fen > card.profile.largest_balance_fen:
        raise RefusedError(CONDITIONS_NOT_SATISFIED)
    tti = TTI_LOAD_ED if p2 == ED_FID else TTI_LOAD_EP
    random = card.random(4)
    own = suite(card, key)
    session = load_session_key(key_bytes(card, key), random, purse.online, suite=own)
    mac1 = load_mac1(session, purse.balance_fen, amount_fen, tti, terminal, suite=own)
    card.powered.pending = Pending(
        tti=tti, key=key, amount_fen=amount_fen, terminal=terminal, random=random, purse=file
    )
    counter = purse.online.to_bytes(2, "big")
    head = purse.balance_fen.to_bytes(4, "big") + counter + version_and_algorithm(card, key)
    return head + random + mac1 + OK


def credit_for_load(card: CardState, data: bytes, le: int | None) -> bytes:
    """Add the money when the host's MAC2 is right, and answer the TAC."""
    pending = claim(card, _TYPES, data, _CREDIT_DATA, le, 4)
    when, mac2 = data[:7], data[7:]
    file, tti, amount_fen, terminal = pending.purse, pending.tti, pending.amount_fen, pending.terminal
    purse = read_purse(card, file)
    own = suite(card, pending.key)
    session = load_session_key(key_bytes(card, pending.key), pending.random, purse.online, suite=own)
    expected = load_mac2(session, amount_fen, tti, terminal, when, suite=own)
    if not compare_digest(expected, mac2):
        raise RefusedError(MAC_INVALID)
    counter = purse.online
    purse.balance_fen += amount_fen
    purse.online += 1
    dtk, tac_suite = tac_key(card)
    tac = load_tac(dtk, purse.balance_fen, counter, amount_fen, tti, terminal, when, suite=tac_suite)
    proof = (tti, counter, mac2, tac)
    card.eeprom.commit(transaction_entries(card, file, purse, proof, amount_fen, terminal, when))
    return tac + OK
