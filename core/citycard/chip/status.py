"""Status words of the card, and the refusal that carries one (PBOC and JT/T 978; docs/chip.md lists them)."""

from __future__ import annotations

__all__ = [
    "BLOCKED_SELECTED",
    "CLASS_NOT_SUPPORTED",
    "CONDITIONS_NOT_SATISFIED",
    "COUNTER_AT_MAXIMUM",
    "FILE_NOT_FOUND",
    "INSTRUCTION_NOT_SUPPORTED",
    "INSUFFICIENT_FUNDS",
    "KEY_INDEX_NOT_SUPPORTED",
    "KEY_LOCKED",
    "KEY_NOT_FOUND",
    "LINE_PROTECTION_MISMATCH",
    "LOCKED_FOR_GOOD",
    "MAC_INVALID",
    "NOT_SUPPORTED",
    "NOT_WRITTEN",
    "NO_CHALLENGE",
    "NO_CURRENT_FILE",
    "NO_ROOM",
    "OFFSET_BEYOND_FILE",
    "OK",
    "PROOF_NOT_AVAILABLE",
    "RECORD_NOT_FOUND",
    "SECURE_MESSAGE_MISSING",
    "SECURE_MESSAGE_WRONG",
    "SECURITY_NOT_SATISFIED",
    "STATE_INVALID",
    "WRONG_DATA",
    "WRONG_FILE_KIND",
    "WRONG_LENGTH",
    "WRONG_PARAMETERS",
    "RefusedError",
    "expect_le",
    "tries_left",
]

OK = b"\x90\x00"
WRONG_LENGTH = b"\x67\x00"
LINE_PROTECTION_MISMATCH = b"\x69\x00"
STATE_INVALID = b"\x69\x01"
WRONG_FILE_KIND = b"\x69\x81"
SECURITY_NOT_SATISFIED = b"\x69\x82"
KEY_LOCKED = b"\x69\x83"
NO_CHALLENGE = b"\x69\x84"
CONDITIONS_NOT_SATISFIED = b"\x69\x85"
NO_CURRENT_FILE = b"\x69\x86"
SECURE_MESSAGE_MISSING = b"\x69\x87"
SECURE_MESSAGE_WRONG = b"\x69\x88"
WRONG_DATA = b"\x6a\x80"
NOT_SUPPORTED = b"\x6a\x81"
FILE_NOT_FOUND = b"\x6a\x82"
RECORD_NOT_FOUND = b"\x6a\x83"
NO_ROOM = b"\x6a\x84"
WRONG_PARAMETERS = b"\x6a\x86"
KEY_NOT_FOUND = b"\x6a\x88"
OFFSET_BEYOND_FILE = b"\x6b\x00"
INSTRUCTION_NOT_SUPPORTED = b"\x6d\x00"
CLASS_NOT_SUPPORTED = b"\x6e\x00"
NOT_WRITTEN = b"\x62\x81"
BLOCKED_SELECTED = b"\x62\x83"
MAC_INVALID = b"\x93\x02"
LOCKED_FOR_GOOD = b"\x93\x03"
INSUFFICIENT_FUNDS = b"\x94\x01"
COUNTER_AT_MAXIMUM = b"\x94\x02"
KEY_INDEX_NOT_SUPPORTED = b"\x94\x03"
PROOF_NOT_AVAILABLE = b"\x94\x06"


class RefusedError(Exception):
    """Carry the status word with which the card refuses a command; it never leaves the chip.

    It is not a ``CitycardError``: a refused command is an ordinary answer, and ``Chip.transmit`` turns
    it into two bytes.
    """

    def __init__(self, status_word: bytes) -> None:
        self.status_word = status_word
        super().__init__(status_word.hex())


def tries_left(count: int) -> bytes:
    """Return the status word ``63Cx`` of a wrong PIN or authentication with ``count`` tries left."""
    return bytes((0x63, 0xC0 | count))


def expect_le(le: int | None, size: int) -> None:
    """Refuse with ``6Cxx`` unless Le is absent, 00 ("all") or exactly the ``size`` of the answer."""
    if le is not None and le not in {size, 256}:
        raise RefusedError(bytes((0x6C, size & 0xFF)))
