"""Passbook and purse: their 22 bytes, GET BALANCE, and what all their transactions have in common.

ED 电子存折 is file 0001, EP 电子钱包 file 0002; both have their own money and counters. Body: balance (4),
overdraft limit (3), online counter (2), offline counter (2), then the proof of the last transaction: TTI
(1), its counter (2), MAC (4), TAC (4). When a transaction of another type comes, the proof moves to the
hidden area in the same commit, so that every type keeps its last one. The balance counts the overdraft limit
in: it is what may be spent.
"""

from __future__ import annotations

from struct import Struct

import attrs

from citycard.chip import hidden
from citycard.chip.access import require
from citycard.chip.eeprom import Entry
from citycard.chip.files import PURSE, File, Key
from citycard.chip.keystore import key_bytes, suite
from citycard.chip.log import log_entries
from citycard.chip.state import CardState, Pending
from citycard.chip.status import (
    CONDITIONS_NOT_SATISFIED,
    COUNTER_AT_MAXIMUM,
    FILE_NOT_FOUND,
    KEY_INDEX_NOT_SUPPORTED,
    OK,
    STATE_INVALID,
    WRONG_LENGTH,
    WRONG_PARAMETERS,
    RefusedError,
    expect_le,
)
from citycard.keys.suite import Suite

__all__ = [
    "ED_FID",
    "EP_FID",
    "LAST_COUNTER",
    "PROOF",
    "Purse",
    "check_counter",
    "claim",
    "get_balance",
    "grey_locked",
    "purse_file",
    "purses",
    "read_purse",
    "start",
    "tac_key",
    "transaction_entries",
]

ED_FID, EP_FID = 0x01, 0x02
LAST_COUNTER = 0xFFFF
START_DATA = 11
UNLOAD = 0x3D
_BODY = Struct(">I3sHHBH4s4s")
_TTI = 11
_TERMINAL = 6
PROOF = Struct(">H4s4s")
"""A proof in the hidden area: counter, MAC, TAC."""


@attrs.define
class Purse:
    """Hold the numbers of a purse between reading and writing them; one command's own."""

    balance_fen: int
    limit: bytes
    online: int
    offline: int
    tti: int
    proved: int
    mac: bytes
    tac: bytes

    def written(self, file: File) -> Entry:
        """Return the write that puts these numbers into the purse file."""
        return file.body, _BODY.pack(
            self.balance_fen,
            self.limit,
            self.online,
            self.offline,
            self.tti,
            self.proved,
            self.mac,
            self.tac,
        )


def purses(card: CardState) -> list[File]:
    """Return the purses of the current directory, passbook first."""
    files = card.powered.directory.files
    found = (files.get(ED_FID), files.get(EP_FID))
    return [file for file in found if file is not None and file.kind == PURSE]


def purse_file(card: CardState, p2: int) -> File:
    """Return the purse that P2 names (01 ED, 02 EP); refuse with ``6A86`` or ``6A82``."""
    if p2 not in {ED_FID, EP_FID}:
        raise RefusedError(WRONG_PARAMETERS)
    file = card.powered.directory.files.get(p2)
    if file is None or file.kind != PURSE:
        raise RefusedError(FILE_NOT_FOUND)
    return file


def read_purse(card: CardState, file: File) -> Purse:
    """Read the numbers of a purse."""
    return Purse(*_BODY.unpack_from(card.eeprom.cells, file.body))


def grey_locked(card: CardState) -> File | None:
    """Return the purse that is grey-locked, or none; its last transaction was the lock."""
    locks, cells = card.profile.grey_types.lock, card.eeprom.cells
    for file in purses(card):
        if cells[file.body + _TTI] in locks:
            return file
    return None


def get_balance(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Return 4 bytes: P1 00 balance, 01 overdraft limit, 02 overdraft in use, 03 usable balance."""
    if p1 > 3:  # noqa: PLR2004  # the four questions of the docstring
        raise RefusedError(WRONG_PARAMETERS)
    if data:
        raise RefusedError(WRONG_LENGTH)
    file = purse_file(card, p2)
    require(card, file.read_right)
    expect_le(le, 4)
    purse = read_purse(card, file)
    limit, usable = int.from_bytes(purse.limit, "big"), purse.balance_fen
    return (usable, limit, max(0, limit - usable), usable)[p1].to_bytes(4, "big") + OK


def start(
    card: CardState,
    p2: int,
    data: bytes,
    le: int | None,
    kind: int,
    size: int,
    length: int = START_DATA,
    *,
    unlocking: bool = False,
) -> tuple[File, Key, int, bytes]:
    """Check what every INITIALIZE command has: length, purse, rights, grey lock, then the key (``9403``).

    Returns the purse file, the key, the amount in fen (0 where the command has none) and the six bytes of the
    terminal number. ``size`` is the length of the answer. A locked purse refuses with ``6985``, and
    ``unlocking`` one that is not.
    """
    if len(data) != length:
        raise RefusedError(WRONG_LENGTH)
    file = purse_file(card, p2)
    expect_le(le, size)
    require(card, file.read_right)
    if grey_locked(card) is not (file if unlocking else None):
        raise RefusedError(CONDITIONS_NOT_SATISFIED)
    directory = card.powered.directory
    key = directory.key(kind, data[0])
    if key is None or (directory.tac_key is None and kind != UNLOAD):
        raise RefusedError(KEY_INDEX_NOT_SUPPORTED)
    require(card, card.eeprom.cells[key.place + 1])
    return file, key, int.from_bytes(data[1:-_TERMINAL], "big"), data[-_TERMINAL:]


def claim(
    card: CardState, ttis: tuple[int, ...], data: bytes, length: int, le: int | None, size: int
) -> Pending:
    """Take the pending transaction away: one INITIALIZE is good for one second command, right or wrong.

    Refuses with ``6700`` or ``6Cxx`` by the lengths of data and answer, ``6901`` when nothing is pending and
    ``6985`` when it is another kind of transaction.
    """
    ram = card.powered
    pending, ram.pending = ram.pending, None
    if len(data) != length:
        raise RefusedError(WRONG_LENGTH)
    expect_le(le, size)
    if pending is None:
        raise RefusedError(STATE_INVALID)
    if pending.tti not in ttis:
        raise RefusedError(CONDITIONS_NOT_SATISFIED)
    return pending


def check_counter(counter: int) -> None:
    """Refuse with ``9402`` when the transaction counter cannot grow any more."""
    if counter >= LAST_COUNTER:
        raise RefusedError(COUNTER_AT_MAXIMUM)


def tac_key(card: CardState) -> tuple[bytes, Suite]:
    """Return the key of the TAC, kind 34, lowest index, and what it computes with."""
    key = card.powered.directory.tac_key
    assert key is not None, "INITIALIZE checked that there is one"
    return key_bytes(card, key), suite(card, key)


def transaction_entries(
    card: CardState,
    file: File,
    purse: Purse,
    proof: tuple[int, int, bytes, bytes],
    amount_fen: int,
    terminal: bytes,
    when: bytes,
    *also: tuple[int, int, bytes],
) -> list[Entry]:
    """Return the writes of a finished transaction: the purse, the proofs, and the log record.

    ``proof`` is TTI, the transaction's own counter before it was raised, MAC and TAC; ``when`` seven BCD
    bytes of date and time; ``also`` what else goes to the hidden area.
    """
    profile = card.profile
    tti, counter, mac, tac = proof
    logged = counter + 1 if profile.log_after_increment else counter
    entries = log_entries(card, file, logged, purse.limit, amount_fen, tti, terminal, when)
    if purse.tti not in {0, tti}:
        older = PROOF.pack(purse.proved, purse.mac, purse.tac)
        also = (*also, (purse.tti, file.body, older))
    if also:
        entries += hidden.kept(card.eeprom, also)
    purse.tti, purse.proved = tti, counter + profile.prove_offset
    purse.mac, purse.tac = mac, tac
    entries.append(purse.written(file))
    return entries
