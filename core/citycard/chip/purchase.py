"""Debits with a SAM: purchase 消费, composite purchase 复合消费 and withdrawal 取现 (FMCOS 8.8 to 8.11)."""

from __future__ import annotations

from hmac import compare_digest

from citycard.chip.capp import cached_entries
from citycard.chip.keystore import PURCHASE, key_bytes, suite, version_and_algorithm
from citycard.chip.purse import check_counter, claim, read_purse, start, tac_key, transaction_entries
from citycard.chip.state import CardState, Pending
from citycard.chip.status import INSUFFICIENT_FUNDS, MAC_INVALID, OK, RefusedError
from citycard.keys.purse import (
    TTI_CAPP,
    TTI_PURCHASE_ED,
    TTI_PURCHASE_EP,
    TTI_WITHDRAW,
    purchase_session,
    purchase_tac,
)

__all__ = ["debit", "initialize_for_purchase"]

_DEBIT_DATA = 15
_TYPES = (TTI_PURCHASE_EP, TTI_CAPP, TTI_PURCHASE_ED, TTI_WITHDRAW)


def initialize_for_purchase(card: CardState, p2: int, data: bytes, le: int | None, tti: int) -> bytes:
    """Answer balance, offline counter, overdraft limit, key version, algorithm and random.

    The key index is checked (``9403``) before the funds (``9401``). A CAPP opens its record cache here.
    """
    file, key, amount_fen, terminal = start(card, p2, data, le, PURCHASE, 15)
    purse = read_purse(card, file)
    check_counter(purse.offline)
    if amount_fen > purse.balance_fen:
        raise RefusedError(INSUFFICIENT_FUNDS)
    random = card.random(4)
    card.powered.pending = Pending(
        tti=tti,
        key=key,
        amount_fen=amount_fen,
        terminal=terminal,
        random=random,
        purse=file,
        cache=[] if tti == TTI_CAPP else None,
    )
    counter = purse.offline.to_bytes(2, "big")
    head = purse.balance_fen.to_bytes(4, "big") + counter + purse.limit
    return head + version_and_algorithm(card, key) + random + OK


def debit(card: CardState, data: bytes, le: int | None) -> bytes:
    """Take the money, with the cached records of a CAPP in the same commit, when the SAM's MAC1 is right.

    Answers TAC and MAC2. A wrong MAC1 is ``9302`` and changes nothing.
    """
    pending = claim(card, _TYPES, data, _DEBIT_DATA, le, 8)
    serial, when, mac1 = int.from_bytes(data[:4], "big"), data[4:11], data[11:]
    purse = read_purse(card, pending.purse)
    counter, amount_fen, tti = purse.offline, pending.amount_fen, pending.tti
    key, terminal = pending.key, pending.terminal
    session = purchase_session(
        key_bytes(card, key), pending.random, counter, serial, amount_fen, suite(card, key)
    )
    if not compare_digest(session.mac1(tti, terminal, when), mac1):
        raise RefusedError(MAC_INVALID)
    purse.balance_fen -= amount_fen
    purse.offline += 1
    mac2 = session.mac2()
    dtk, tac_suite = tac_key(card)
    tac = purchase_tac(dtk, amount_fen, tti, terminal, serial, when, suite=tac_suite)
    proof = (tti, counter, mac2, tac)
    entries = transaction_entries(card, pending.purse, purse, proof, amount_fen, terminal, when)
    if pending.cache:
        entries += cached_entries(card, pending.cache)
    card.eeprom.commit(entries)
    return tac + mac2 + OK
