"""Grey lock 灰锁 and debit for unlock 解扣: what happens to a card at a fuel pump (FMCOS 9; CJ/T 304).

The card is locked before the pump runs, and debited afterwards, here or at another pump, with a GMAC that
only the SAM which locked it can make. Until then no other transaction starts. Both halves are one sale and
carry one number: the offline counter grows at the unlock.
"""

from __future__ import annotations

from hmac import compare_digest

import attrs

from citycard.chip.access import require
from citycard.chip.eeprom import Entry
from citycard.chip.files import BLOCKED, STATE_OFFSET
from citycard.chip.keystore import PURCHASE, key_bytes, suite, version_and_algorithm
from citycard.chip.lockstate import LOCKED, TAC_UNREAD, TRIES, Lock, read_lock
from citycard.chip.purse import (
    check_counter,
    claim,
    grey_locked,
    purse_file,
    read_purse,
    start,
    tac_key,
    transaction_entries,
)
from citycard.chip.state import CardState, Pending
from citycard.chip.status import (
    CONDITIONS_NOT_SATISFIED,
    INSUFFICIENT_FUNDS,
    MAC_INVALID,
    OK,
    PROOF_NOT_AVAILABLE,
    STATE_INVALID,
    WRONG_LENGTH,
    RefusedError,
    expect_le,
)
from citycard.keys.greylock import (
    gmac,
    grey_lock_gtac,
    grey_lock_mac1,
    grey_lock_mac2,
    grey_session_key,
    unlock_tac,
)

__all__ = ["debit_for_unlock", "grey_lock", "initialize_for_grey_lock"]

_INIT_DATA, _LOCK_DATA, _UNLOCK_DATA = 7, 19, 27


def initialize_for_grey_lock(card: CardState, p2: int, data: bytes, le: int | None) -> bytes:
    """Answer balance, offline counter, overdraft limit, key version, algorithm and random."""
    file, key, _, terminal = start(card, p2, data, le, PURCHASE, 15, _INIT_DATA)
    purse = read_purse(card, file)
    check_counter(purse.offline)
    random = card.random(4)
    tti = card.profile.grey_types.lock[p2 - 1]
    card.powered.pending = Pending(
        tti=tti, key=key, amount_fen=0, terminal=terminal, random=random, purse=file
    )
    head = purse.balance_fen.to_bytes(4, "big") + purse.offline.to_bytes(2, "big") + purse.limit
    return head + version_and_algorithm(card, key) + random + OK


def grey_lock(card: CardState, data: bytes, le: int | None) -> bytes:
    """Lock the card when the SAM's MAC1 is right, and answer GTAC and MAC2."""
    pending = claim(card, card.profile.grey_types.lock, data, _LOCK_DATA, le, 8)
    serial, term_random = int.from_bytes(data[:4], "big"), data[4:8]
    when, mac1 = data[8:15], data[15:]
    file, key, tti, terminal = pending.purse, pending.key, pending.tti, pending.terminal
    purse, own = read_purse(card, file), suite(card, key)
    counter, balance_fen = purse.offline, purse.balance_fen
    session = grey_session_key(key_bytes(card, key), pending.random, counter, serial, term_random, suite=own)
    if not compare_digest(grey_lock_mac1(session, tti, terminal, when, suite=own), mac1):
        raise RefusedError(MAC_INVALID)
    mac2 = grey_lock_mac2(session, balance_fen, counter, tti, terminal, suite=own)
    dtk, tac_suite = tac_key(card)
    gtac = grey_lock_gtac(dtk, balance_fen, counter, tti, terminal, serial, when, suite=tac_suite)
    lock = Lock(
        status=LOCKED,
        tti=tti,
        key_version=version_and_algorithm(card, key)[0],
        balance_fen=balance_fen,
        counter=counter,
        terminal=terminal,
        when=when,
        mac2=mac2,
        tac=gtac,
        algorithm=own.algorithm,
        session=session.ljust(16, b"\0"),
    )
    proof = (tti, counter, mac2, gtac)
    entries = transaction_entries(card, file, purse, proof, 0, terminal, when, lock.record(card))
    card.eeprom.commit(entries)
    return gtac + mac2 + OK


def debit_for_unlock(card: CardState, p2: int, data: bytes, le: int | None) -> bytes:
    """Debit and unlock when the GMAC is right, and answer the TAC.

    The counter of the lock is checked (``9406``), then the funds (``9401``), then the GMAC (``9302``). Three
    wrong ones block the application until APPLICATION UNBLOCK, and the lock stays.
    """
    card.powered.pending = None
    if len(data) != _UNLOCK_DATA:
        raise RefusedError(WRONG_LENGTH)
    file = purse_file(card, p2)
    expect_le(le, 4)
    require(card, file.read_right)
    locked = grey_locked(card)
    if locked is None:
        raise RefusedError(STATE_INVALID)
    if locked is not file:
        raise RefusedError(CONDITIONS_NOT_SATISFIED)
    amount_fen, terminal = int.from_bytes(data[:4], "big"), data[6:12]
    serial, when = int.from_bytes(data[12:16], "big"), data[16:23]
    lock, purse = read_lock(card), read_purse(card, file)
    if int.from_bytes(data[4:6], "big") != lock.counter:
        raise RefusedError(PROOF_NOT_AVAILABLE)
    if amount_fen > purse.balance_fen:
        raise RefusedError(INSUFFICIENT_FUNDS)
    reopened = _check_gmac(card, lock, amount_fen, data[23:])
    tti, counter = card.profile.grey_types.unlock[p2 - 1], purse.offline
    purse.balance_fen -= amount_fen
    purse.offline += 1
    dtk, tac_suite = tac_key(card)
    tac = unlock_tac(dtk, amount_fen, tti, terminal, serial, when, suite=tac_suite)
    opened = Lock(
        status=TAC_UNREAD,
        tti=tti,
        key_version=lock.key_version,
        balance_fen=purse.balance_fen,
        counter=counter,
        terminal=terminal,
        when=when,
        tac=tac,
    )
    proof = (tti, counter, data[23:], tac)
    entries = transaction_entries(card, file, purse, proof, amount_fen, terminal, when, opened.record(card))
    card.eeprom.commit(entries + reopened)
    return tac + OK


def _check_gmac(card: CardState, lock: Lock, amount_fen: int, given: bytes) -> list[Entry]:
    # The try is taken, and the last one blocks, before the comparison: without power nobody tries for free.
    left = lock.tries - 1
    taken = attrs.evolve(lock, tries=left or TRIES).written(card)
    if left == 0:
        taken.append(_application_state(card, BLOCKED))
    card.eeprom.commit(taken)
    if not compare_digest(gmac(lock.session_key, amount_fen, suite=lock.suite), given):
        raise RefusedError(MAC_INVALID)
    return [_application_state(card, 0)] if left == 0 else []


def _application_state(card: CardState, state: int) -> Entry:
    return card.powered.directory.address + STATE_OFFSET, bytes((state,))
