"""What a card keeps of its grey lock, and GET LOCK PROOF 取灰锁状态, which tells it (docs/chip.md).

One record in the hidden area for each application, written in the commits of lock and unlock: the 30 bytes
of the answer, the tries that are left, and the session key S, which opens the lock and so outlives the power.
"""

from __future__ import annotations

from struct import Struct
from typing import Any

import attrs

from citycard.chip import hidden
from citycard.chip.eeprom import Entry
from citycard.chip.purse import purses
from citycard.chip.state import CardState
from citycard.chip.status import FILE_NOT_FOUND, OK, WRONG_LENGTH, WRONG_PARAMETERS, RefusedError, expect_le
from citycard.keys.cipher import Algorithm
from citycard.keys.suite import TDES_SUITE, Suite, suite_of

__all__ = ["FREE", "LOCKED", "TAC_UNREAD", "TRIES", "Lock", "get_lock_proof", "read_lock"]

FREE, LOCKED, TAC_UNREAD = 0x00, 0x01, 0x10
TRIES = 3
PROOF_SIZE = 30
_RECORD = Struct(">BBBIH6s7s4s4sBB16s")
_SESSION, _DES_SESSION = 16, 8


@attrs.frozen(kw_only=True)
class Lock:
    """Hold one application's grey lock, or the TAC of the debit that opened it and was not read yet.

    ``balance_fen`` and ``counter`` (offline) are those at the lock, ``when`` seven BCD bytes, ``tac`` the
    GTAC while locked. ``algorithm`` says what the session key computes with.
    """

    status: int = FREE
    tti: int = 0
    key_version: int = 0
    balance_fen: int = 0
    counter: int = 0
    terminal: bytes = bytes(6)
    when: bytes = bytes(7)
    mac2: bytes = bytes(4)
    tac: bytes = bytes(4)
    tries: int = TRIES
    algorithm: int = Algorithm.TDES
    session: bytes = attrs.field(default=bytes(_SESSION), repr=False)

    @classmethod
    def of(cls, content: bytes) -> Lock:
        """Return the lock that a record of the hidden area holds."""
        names = (field.name for field in attrs.fields(cls))
        values: dict[str, Any] = dict(zip(names, _RECORD.unpack(content), strict=True))
        return cls(**values)

    @property
    def suite(self) -> Suite:
        """Return what the session key computes with."""
        return suite_of(Algorithm(self.algorithm))

    @property
    def session_key(self) -> bytes:
        """Return S: 8 bytes for 3DES, 16 for the others."""
        return self.session[:_DES_SESSION] if self.suite is TDES_SUITE else self.session

    def record(self, card: CardState) -> tuple[int, int, bytes]:
        """Return the record of the hidden area, for the application that is selected."""
        content = _RECORD.pack(*attrs.astuple(self))
        return hidden.GREY_LOCK, card.powered.directory.address, content

    def written(self, card: CardState) -> list[Entry]:
        """Return the writes that keep this lock."""
        return hidden.kept(card.eeprom, [self.record(card)])


def read_lock(card: CardState) -> Lock:
    """Return the lock of the application that is selected; a free one when it never had any."""
    content = hidden.find(card.eeprom, hidden.GREY_LOCK, card.powered.directory.address)
    return Lock() if content is None else Lock.of(content)


def get_lock_proof(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Answer the state of the lock in 30 bytes; P1 01 first forgets a TAC that was not read.

    Status (00 free, 01 locked, 10 TAC unread), TTI, key version, balance (4), offline counter (2), terminal
    (6), date (4), time (3), MAC2 (4), GTAC or TAC (4); all zeros when free.
    """
    if p1 not in {0, 1} or p2:
        raise RefusedError(WRONG_PARAMETERS)
    if data:
        raise RefusedError(WRONG_LENGTH)
    expect_le(le, PROOF_SIZE)
    if not purses(card):
        raise RefusedError(FILE_NOT_FOUND)
    lock = read_lock(card)
    if p1 and lock.status == TAC_UNREAD:
        lock = Lock()
        card.eeprom.commit(lock.written(card))
    return _RECORD.pack(*attrs.astuple(lock))[:PROOF_SIZE] + OK
