"""Online unlock 联机解扣: the issuer's host debits a grey-locked card and opens it (FMCOS 9; docs/chip.md).

It is for a card whose SAM is out of reach. It computes under the unload key (kind 3D), like an unload.
"""

from __future__ import annotations

from hmac import compare_digest

from citycard.chip.keystore import key_bytes, suite, version_and_algorithm
from citycard.chip.lockstate import Lock
from citycard.chip.purse import UNLOAD, check_counter, claim, read_purse, start, transaction_entries
from citycard.chip.state import CardState, Pending
from citycard.chip.status import INSUFFICIENT_FUNDS, MAC_INVALID, OK, RefusedError
from citycard.keys.greylock import (
    online_unlock_mac1,
    online_unlock_mac2,
    online_unlock_mac3,
    online_unlock_session_key,
)

__all__ = ["grey_unlock", "initialize_for_grey_unlock"]

_INIT_DATA, _UNLOCK_DATA = 7, 15


def initialize_for_grey_unlock(card: CardState, p2: int, data: bytes, le: int | None) -> bytes:
    """Answer balance, offline and online counter, key version, algorithm, random and MAC1."""
    file, key, _, terminal = start(card, p2, data, le, UNLOAD, 18, _INIT_DATA, unlocking=True)
    purse = read_purse(card, file)
    check_counter(purse.online)
    random = card.random(4)
    own = suite(card, key)
    tti = card.profile.grey_types.online[p2 - 1]
    session = online_unlock_session_key(key_bytes(card, key), random, purse.online, suite=own)
    mac1 = online_unlock_mac1(session, purse.balance_fen, purse.offline, tti, terminal, suite=own)
    card.powered.pending = Pending(
        tti=tti, key=key, amount_fen=0, terminal=terminal, random=random, purse=file
    )
    counters = purse.offline.to_bytes(2, "big") + purse.online.to_bytes(2, "big")
    head = purse.balance_fen.to_bytes(4, "big") + counters + version_and_algorithm(card, key)
    return head + random + mac1 + OK


def grey_unlock(card: CardState, data: bytes, le: int | None) -> bytes:
    """Debit and unlock when the host's MAC2 is right, and answer MAC3.

    Funds are checked (``9401``) before MAC2 (``9302``). Both counters grow: the online one for the unlock,
    the offline one for the lock that it ends.
    """
    pending = claim(card, card.profile.grey_types.online, data, _UNLOCK_DATA, le, 4)
    amount_fen, when, mac2 = int.from_bytes(data[:4], "big"), data[4:11], data[11:]
    file, tti, terminal = pending.purse, pending.tti, pending.terminal
    purse = read_purse(card, file)
    if amount_fen > purse.balance_fen:
        raise RefusedError(INSUFFICIENT_FUNDS)
    own = suite(card, pending.key)
    session = online_unlock_session_key(key_bytes(card, pending.key), pending.random, purse.online, suite=own)
    if not compare_digest(online_unlock_mac2(session, amount_fen, tti, terminal, when, suite=own), mac2):
        raise RefusedError(MAC_INVALID)
    counter = purse.online
    purse.balance_fen -= amount_fen
    purse.online += 1
    purse.offline += 1
    mac3 = online_unlock_mac3(session, purse.balance_fen, counter, amount_fen, tti, terminal, when, suite=own)
    proof = (tti, counter, mac2, mac3)
    entries = transaction_entries(card, file, purse, proof, amount_fen, terminal, when, Lock().record(card))
    card.eeprom.commit(entries)
    return mac3 + OK
