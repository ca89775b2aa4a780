"""The overdraft limit 透支限额 of the passbook: INITIALIZE FOR UPDATE and UPDATE OVERDRAW LIMIT (FMCOS 8.12).

The balance counts the limit in, so a new limit moves the balance by the difference of the two limits.
"""

from __future__ import annotations

from hmac import compare_digest

from citycard.chip.keystore import key_bytes, suite, version_and_algorithm
from citycard.chip.purse import check_counter, claim, read_purse, start, tac_key, transaction_entries
from citycard.chip.state import CardState, Pending
from citycard.chip.status import (
    CONDITIONS_NOT_SATISFIED,
    INSUFFICIENT_FUNDS,
    MAC_INVALID,
    OK,
    RefusedError,
)
from citycard.keys.purse import (
    TTI_OVERDRAFT,
    overdraft_mac1,
    overdraft_mac2,
    overdraft_session_key,
    overdraft_tac,
)

__all__ = ["initialize_for_overdraft", "update_overdraft"]

_KEY = 0x3C
_INIT_DATA, _UPDATE_DATA = 7, 14


def initialize_for_overdraft(card: CardState, p2: int, data: bytes, le: int | None) -> bytes:
    """Answer balance, online counter, the limit now, key version, algorithm, random and MAC1."""
    file, key, _, terminal = start(card, p2, data, le, _KEY, 19, _INIT_DATA)
    purse = read_purse(card, file)
    check_counter(purse.online)
    random = card.random(4)
    own = suite(card, key)
    session = overdraft_session_key(key_bytes(card, key), random, purse.online, suite=own)
    limit = int.from_bytes(purse.limit, "big")
    mac1 = overdraft_mac1(session, purse.balance_fen, limit, TTI_OVERDRAFT, terminal, suite=own)
    card.powered.pending = Pending(
        tti=TTI_OVERDRAFT, key=key, amount_fen=0, terminal=terminal, random=random, purse=file
    )
    head = purse.balance_fen.to_bytes(4, "big") + purse.online.to_bytes(2, "big") + purse.limit
    return head + version_and_algorithm(card, key) + random + mac1 + OK


def update_overdraft(card: CardState, data: bytes, le: int | None) -> bytes:
    """Set the limit when the host's MAC2 is right, and answer the TAC.

    Refuses with ``9401`` a limit below what is overdrawn now, with ``6985`` one that the balance cannot hold.
    """
    pending = claim(card, (TTI_OVERDRAFT,), data, _UPDATE_DATA, le, 4)
    new, when, mac2 = int.from_bytes(data[:3], "big"), data[3:10], data[10:]
    file, terminal = pending.purse, pending.terminal
    purse = read_purse(card, file)
    own = suite(card, pending.key)
    session = overdraft_session_key(key_bytes(card, pending.key), pending.random, purse.online, suite=own)
    expected = overdraft_mac2(session, new, TTI_OVERDRAFT, terminal, when, suite=own)
    if not compare_digest(expected, mac2):
        raise RefusedError(MAC_INVALID)
    balance_fen = purse.balance_fen - int.from_bytes(purse.limit, "big") + new
    if balance_fen < 0:
        raise RefusedError(INSUFFICIENT_FUNDS)
    if balance_fen > card.profile.largest_balance_fen:
        raise RefusedError(CONDITIONS_NOT_SATISFIED)
    counter = purse.online
    purse.balance_fen, purse.limit = balance_fen, data[:3]
    purse.online += 1
    dtk, tac_suite = tac_key(card)
    tac = overdraft_tac(dtk, balance_fen, counter, new, TTI_OVERDRAFT, terminal, when, suite=tac_suite)
    proof = (TTI_OVERDRAFT, counter, mac2, tac)
    card.eeprom.commit(transaction_entries(card, file, purse, proof, new, terminal, when))
    return tac + OK
