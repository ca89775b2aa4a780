"""The electronic purse: its 22 bytes, GET BALANCE, and what load, purchase and CAPP have in common.

Body: balance (4), overdraft limit (3), online counter (2), offline counter (2), then the proof of the last
transaction: TTI (1), its counter (2), MAC (4), TAC (4). Purse, proof and log record are written in one
commit. The balance of the file counts the overdraft limit in, as INITIALIZE answers it.
"""

from __future__ import annotations

from struct import Struct

import attrs

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
    "EP_FID",
    "LAST_COUNTER",
    "Purse",
    "claim",
    "get_balance",
    "purse_file",
    "read_purse",
    "start",
    "tac_key",
    "transaction_entries",
]

EP_FID = 0x02
LAST_COUNTER = 0xFFFF
START_DATA = 11
_BODY = Struct(">I3sHHBH4s4s")


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


def purse_file(card: CardState, p2: int) -> File:
    """Return the purse that P2 names (02, the electronic purse); refuse with ``6A86`` or ``6A82``."""
    if p2 != EP_FID:
        raise RefusedError(WRONG_PARAMETERS)
    file = card.powered.directory.files.get(p2)
    if file is None:
        raise RefusedError(FILE_NOT_FOUND)
    if file.kind != PURSE:
        raise RefusedError(CONDITIONS_NOT_SATISFIED)
    return file


def read_purse(card: CardState, file: File) -> Purse:
    """Read the numbers of a purse."""
    return Purse(*_BODY.unpack_from(card.eeprom.cells, file.body))


def get_balance(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Return 4 bytes: P1 00 balance, 01 overdraft limit, 02 overdraft in use, 03 usable balance."""
    if data:
        raise RefusedError(WRONG_LENGTH)
    if p1 > 3:  # noqa: PLR2004  # the four questions of the docstring
        raise RefusedError(WRONG_PARAMETERS)
    file = purse_file(card, p2)
    require(card, file.read_right)
    expect_le(le, 4)
    purse = read_purse(card, file)
    limit = int.from_bytes(purse.limit, "big")
    usable = purse.balance_fen
    answers = (max(0, usable - limit), limit, max(0, limit - usable), usable)
    return answers[p1].to_bytes(4, "big") + OK


def start(
    card: CardState, p2: int, data: bytes, le: int | None, kind: int, size: int
) -> tuple[File, Key, int, bytes]:
    """Check what every INITIALIZE command has: purse, lengths, rights, then the key index (``9403``).

    Returns the purse file, the key, the amount in fen and the six bytes of the terminal number. ``size`` is
    the length of the answer.
    """
    if len(data) != START_DATA:
        raise RefusedError(WRONG_LENGTH)
    file = purse_file(card, p2)
    expect_le(le, size)
    require(card, file.read_right)
    directory = card.powered.directory
    key = directory.key(kind, data[0])
    if key is None or directory.tac_key is None:
        raise RefusedError(KEY_INDEX_NOT_SUPPORTED)
    require(card, card.eeprom.cells[key.place + 1])
    return file, key, int.from_bytes(data[1:5], "big"), data[5:]


def claim(card: CardState, *ttis: int) -> Pending:
    """Take the pending transaction away: one INITIALIZE is good for one second command, right or wrong.

    Refuses with ``6901`` when nothing is pending and ``6985`` when it is another kind of transaction.
    """
    ram = card.powered
    pending, ram.pending = ram.pending, None
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
    card: CardState, pending: Pending, purse: Purse, counter: int, when: bytes
) -> list[Entry]:
    """Return the writes of a finished transaction: the purse with its proof, and the log record.

    ``counter`` is the transaction's own before it was raised, ``when`` seven BCD bytes of date and time.
    """
    profile = card.profile
    purse.tti = pending.tti
    purse.proved = counter + profile.prove_offset
    logged = counter + 1 if profile.log_after_increment else counter
    entries = log_entries(
        card, pending.purse, logged, purse.limit, pending.amount_fen, pending.tti, pending.terminal, when
    )
    entries.append(purse.written(pending.purse))
    return entries
