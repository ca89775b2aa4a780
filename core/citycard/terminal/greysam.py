"""What a fuel pump asks of its SAM: lock a card, be sure of it, debit it later (docs/terminal.md).

``SoftGreySam`` does it in software; ``CardGreySam`` asks a PSAM (INIT_SAM_GREY_LOCK, CERTIFY_SAM_GREY_LOCK,
CALC_GMAC). Both remember their locks through power loss: the PSAM in itself, the software in a file that
holds no key.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from hmac import compare_digest
from pathlib import Path
from typing import Protocol

import attrs

from citycard.errors import (
    GreyLockUnknown,
    JournalDamaged,
    KeyVersionUnknown,
    SamOutOfOrder,
    SamSerialExhausted,
    SamUnavailable,
)
from citycard.keys.greylock import gmac, grey_lock_mac1, grey_lock_mac2, grey_session_key
from citycard.keys.records import SamKeys
from citycard.keys.suite import suite_of
from citycard.terminal.answering import whole_answer
from citycard.terminal.reader import Reader
from citycard.terminal.sam import SoftSam

__all__ = ["CardGreySam", "GreySam", "SoftGreySam"]

_SERIAL_MOST = 0xFFFFFFFF
_OK, _WRONG_MAC2, _NO_LOCK, _NO_VERSION = b"\x90\x00", b"\x93\x02", b"\x94\x06", b"\x94\x03"
_OUT_OF_ORDER = {b"\x69\x01", b"\x69\x85"}


class GreySam(Protocol):
    """What a pump asks of its SAM, soft or hard. Shapes are those of ``Sam``."""

    @property
    def terminal(self) -> str:
        """The terminal number: 12 digits."""

    def init_for_grey_lock(
        self,
        rnd4: bytes,
        atc: int,
        balance_fen: int,
        tti: int,
        datetime7: bytes,
        key_version: int,
        algorithm: int,
        asn8: bytes,
    ) -> tuple[int, bytes, bytes]:
        """Begin a lock; return the terminal's next serial, its random (4 bytes) and MAC1."""

    def certify_grey_lock(self, mac2: bytes) -> bool:
        """Say whether the card of the lock under way is locked; only then it may be debited."""

    def gmac(self, tti: int, asn8: bytes, atc: int, amount_fen: int) -> tuple[int, bytes]:
        """Return a serial and the GMAC that debits and unlocks; GreyLockUnknown for another's lock."""


@attrs.frozen(kw_only=True)
class _Lock:
    # Enough to make the session key again from the card's key; nothing of it is secret.
    asn8: str
    atc: int
    tti: int
    balance_fen: int
    rnd4: str
    serial: int
    term_rnd4: str
    key_version: int


class SoftGreySam:
    """Lock and debit with the purchase keys of a SAM in software, whose serial is counted on.

    ``path`` keeps the locks; without one they last as long as this object.
    """

    def __init__(
        self,
        sam: SoftSam,
        keys: SamKeys,
        *,
        path: Path | None = None,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._sam = sam
        self._keys = keys.purchase
        self._random = random
        self._path = path
        self._locks: dict[tuple[str, int], _Lock] = {}
        self._begun: tuple[_Lock, bytes] | None = None
        if path is not None and path.exists():
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                lock = _read(path, number, line)
                self._locks[lock.asn8, lock.atc] = lock

    @property
    def terminal(self) -> str:
        """The terminal number: 12 digits."""
        return self._sam.terminal

    def init_for_grey_lock(
        self,
        rnd4: bytes,
        atc: int,
        balance_fen: int,
        tti: int,
        datetime7: bytes,
        key_version: int,
        algorithm: int,  # the key's own algorithm counts: cards say 01 and use 3DES
        asn8: bytes,
    ) -> tuple[int, bytes, bytes]:
        """Begin a lock; raises ``KeyVersionUnknown`` or ``SamSerialExhausted``."""
        self._begun = None
        if key_version not in self._keys:
            usable = ", ".join(map(str, self._keys)) or "none"
            raise KeyVersionUnknown(purpose="purchase", version=key_version, usable=usable)
        lock = _Lock(
            asn8=asn8.hex(),
            atc=atc,
            tti=tti,
            balance_fen=balance_fen,
            rnd4=rnd4.hex(),
            serial=self._next_serial(),
            term_rnd4=self._random(4).hex(),
            key_version=key_version,
        )
        session, suite = self._session(lock), suite_of(self._keys[key_version].algorithm)
        number = bytes.fromhex(self.terminal)
        mac1 = grey_lock_mac1(session, tti, number, datetime7, suite=suite)
        self._begun = lock, grey_lock_mac2(session, balance_fen, atc, tti, number, suite=suite)
        return lock.serial, bytes.fromhex(lock.term_rnd4), mac1

    def certify_grey_lock(self, mac2: bytes) -> bool:
        """Check the card's MAC2 and remember the lock; ``SamOutOfOrder`` without one under way."""
        begun, self._begun = self._begun, None
        if begun is None:
            raise SamOutOfOrder(terminal=self.terminal)
        lock, expected = begun
        if not compare_digest(expected, mac2):
            return False
        for known in [key for key in self._locks if key[0] == lock.asn8]:
            del self._locks[known]  # a card has one lock: it was opened since
        self._locks[lock.asn8, lock.atc] = lock
        self._keep()
        return True

    def gmac(self, tti: int, asn8: bytes, atc: int, amount_fen: int) -> tuple[int, bytes]:
        """Return a serial and the GMAC; ``GreyLockUnknown``, also for an amount above the locked balance."""
        lock = self._locks.get((asn8.hex(), atc))
        if lock is None or amount_fen > lock.balance_fen:
            raise GreyLockUnknown(terminal=self.terminal, asn=asn8.hex(), counter=atc)
        suite = suite_of(self._keys[lock.key_version].algorithm)
        return self._next_serial(), gmac(self._session(lock), amount_fen, suite=suite)

    def _session(self, lock: _Lock) -> bytes:
        keys = self._keys[lock.key_version]
        return grey_session_key(
            keys.derive(bytes.fromhex(lock.asn8)),
            bytes.fromhex(lock.rnd4),
            lock.atc,
            lock.serial,
            bytes.fromhex(lock.term_rnd4),
            suite=suite_of(keys.algorithm),
        )

    def _next_serial(self) -> int:
        if self._sam.serial >= _SERIAL_MOST:
            raise SamSerialExhausted(terminal=self.terminal)
        self._sam.serial += 1
        return self._sam.serial

    def _keep(self) -> None:
        if self._path is None:
            return
        fresh = self._path.with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(attrs.asdict(lock)) + "\n" for lock in self._locks.values())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)


def _read(path: Path, number: int, line: str) -> _Lock:
    try:
        return _Lock(**json.loads(line))
    except (ValueError, TypeError):
        raise JournalDamaged(path=path, line=number) from None


class CardGreySam:
    """Ask a PSAM whose application is selected, as ``CardSam`` leaves it in the same reader.

    ``upper`` are the factors above the card's own, as for ``CardSam``.
    """

    def __init__(self, reader: Reader, terminal: str, *, upper: Sequence[bytes] = ()) -> None:
        self._transmit = reader.transmit
        self._upper = b"".join(upper)
        self.terminal = terminal

    def init_for_grey_lock(
        self,
        rnd4: bytes,
        atc: int,
        balance_fen: int,
        tti: int,
        datetime7: bytes,
        key_version: int,
        algorithm: int,
        asn8: bytes,
    ) -> tuple[int, bytes, bytes]:
        """Begin a lock: INIT_SAM_GREY_LOCK. Raises ``KeyVersionUnknown`` or ``SamUnavailable``."""
        data = rnd4 + atc.to_bytes(2, "big") + balance_fen.to_bytes(4, "big") + bytes((tti,)) + datetime7
        data += bytes((key_version, algorithm)) + asn8 + self._upper
        answer = self._send(b"\xe0\x40\x00\x00" + bytes((len(data),)) + data + b"\x0c")
        if answer[-2:] == _NO_VERSION:
            raise KeyVersionUnknown(purpose="purchase", version=key_version, usable="those loaded in the SAM")
        answer = self._fine(answer, "INIT_SAM_GREY_LOCK")
        return int.from_bytes(answer[:4], "big"), answer[4:8], answer[8:12]

    def certify_grey_lock(self, mac2: bytes) -> bool:
        """Check the card's MAC2: CERTIFY_SAM_GREY_LOCK."""
        answer = self._send(b"\xe0\x42\x00\x00\x04" + mac2)
        if answer[-2:] in _OUT_OF_ORDER:
            raise SamOutOfOrder(terminal=self.terminal)
        if answer[-2:] == _WRONG_MAC2:
            return False
        self._fine(answer, "CERTIFY_SAM_GREY_LOCK")
        return True

    def gmac(self, tti: int, asn8: bytes, atc: int, amount_fen: int) -> tuple[int, bytes]:
        """Return a serial and the GMAC: CALC_GMAC. Raises ``GreyLockUnknown`` or ``SamUnavailable``."""
        data = bytes((tti,)) + asn8 + atc.to_bytes(2, "big") + amount_fen.to_bytes(4, "big")
        answer = self._send(b"\xe0\x44\x00\x00\x0f" + data + b"\x08")
        if answer[-2:] in {_NO_LOCK, b"\x94\x01"}:
            raise GreyLockUnknown(terminal=self.terminal, asn=asn8.hex(), counter=atc)
        answer = self._fine(answer, "CALC_GMAC")
        return int.from_bytes(answer[4:8], "big"), answer[:4]

    def _send(self, apdu: bytes) -> bytes:
        return whole_answer(self._transmit, apdu)

    def _fine(self, answer: bytes, command: str) -> bytes:
        if answer[-2:] != _OK:
            problem = f"its SAM answered {answer[-2:].hex().upper()} to {command}"
            raise SamUnavailable(terminal=self.terminal, problem=problem)
        return answer[:-2]
