"""What went over the air, for people: every command and answer with its time, and no secret in it."""

from __future__ import annotations

import time
from collections.abc import Callable

from citycard.terminal.reader import Reader

__all__ = ["TracedReader", "masked", "masked_answer"]

_HEADER, _STATUS = 5, 2
# Class and instruction of commands whose data are PINs or keys, in plain or enciphered.
_SECRETS = frozenset(
    {
        (0x00, 0x20),  # VERIFY PIN
        (0x80, 0x5E),  # CHANGE PIN, RELOAD PIN
        (0x84, 0x24),  # PIN UNBLOCK
        (0x80, 0xD4),  # WRITE KEY
        (0x84, 0xD4),
        (0xFF, 0x82),  # LOAD KEYS of a MIFARE reader
    }
)
# Commands whose answers are keys or what keys have opened: DES CRYPT and CALCULATE KEY of a SAM.
_SECRET_ANSWERS = frozenset({(0x80, 0xFA), (0x80, 0xFC)})


def masked(apdu: bytes) -> str:
    """Write a command in hex; data that are a PIN or a key are counted, not shown."""
    if tuple(apdu[:2]) in _SECRETS and len(apdu) > _HEADER:
        return f"{_hex(apdu[:_HEADER])} [{len(apdu) - _HEADER} bytes hidden]"
    return _hex(apdu)


def masked_answer(apdu: bytes, answer: bytes) -> str:
    """Write the answer to a command in hex; what a SAM deciphers, and keys it gives, are counted."""
    hidden = len(answer) - _STATUS
    if tuple(apdu[:2]) in _SECRET_ANSWERS and hidden > 0:
        return f"[{hidden} bytes hidden] {_hex(answer[-_STATUS:])}"
    return _hex(answer)


class TracedReader:
    """Do what another reader does, and tell ``write`` one line for each command and each answer.

    Lines: ``A>> command``, ``A<< (milliseconds) answer``, ``ATR answer``. PINs, keys and what a SAM deciphers
    are left out.
    """

    def __init__(self, reader: Reader, write: Callable[[str], None]) -> None:
        self._reader = reader
        self._write = write

    def connect(self) -> bytes:
        """Connect to the card."""
        begun = time.perf_counter()
        atr = self._reader.connect()
        self._write(f"ATR ({_ms(begun)}) {_hex(atr)}")
        return atr

    def transmit(self, apdu: bytes) -> bytes:
        """Send one command; a failure is a line too."""
        self._write(f"A>> {masked(apdu)}")
        begun = time.perf_counter()
        try:
            answer = self._reader.transmit(apdu)
        except BaseException as error:
            self._write(f"A!! ({_ms(begun)}) {type(error).__name__}")
            raise
        self._write(f"A<< ({_ms(begun)}) {masked_answer(apdu, answer)}")
        return answer


def _hex(data: bytes) -> str:
    return data.hex(" ").upper()


def _ms(begun: float) -> str:
    return f"{(time.perf_counter() - begun) * 1000:.1f} ms"
