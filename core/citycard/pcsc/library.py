"""PC/SC as pyscard gives it: the calls, their codes, and what each code means for whoever taps a card.

Only the plain calls (``smartcard.scard``) are used. pyscard's monitors and connection objects keep one
context for the whole process, which goes stale when the service restarts; here every reader has its own.
"""

from __future__ import annotations

from typing import Any

from citycard.errors import (
    CardRemoved,
    CitycardError,
    ReaderBusy,
    ReaderFailed,
    ReaderLibraryMissing,
)

__all__ = ["SUCCESS", "TIMED_OUT", "failure", "no_readers", "scard", "service_gone", "unsigned"]

SUCCESS = 0
TIMED_OUT = 0x8010000A
_MASK = 0xFFFFFFFF

# SCARD_F_COMM_ERROR, SCARD_E_INVALID_HANDLE, SCARD_E_NO_SERVICE, SCARD_E_SERVICE_STOPPED
_SERVICE = frozenset({0x80100013, 0x80100003, 0x8010001D, 0x8010001E})
# SCARD_E_NO_SMARTCARD, SCARD_E_NOT_TRANSACTED, SCARD_W_UNRESPONSIVE_CARD, SCARD_W_UNPOWERED_CARD,
# SCARD_W_RESET_CARD, SCARD_W_REMOVED_CARD
_GONE = frozenset({0x8010000C, 0x80100016, 0x80100066, 0x80100067, 0x80100068, 0x80100069})
# SCARD_E_UNKNOWN_READER, SCARD_E_READER_UNAVAILABLE, SCARD_E_NO_READERS_AVAILABLE
_NO_READER = frozenset({0x80100009, 0x80100017, 0x8010002E})
_SHARING = 0x8010000B
_MISMATCH = 0x8010000F


def scard() -> Any:
    """Return the module of PC/SC calls; raises ReaderLibraryMissing where pyscard is not installed."""
    try:
        from smartcard import scard as calls
    except ImportError:
        raise ReaderLibraryMissing from None
    return calls


def unsigned(code: int) -> int:
    """Return a code as the 32 bits that the documentation prints."""
    return code & _MASK


def service_gone(code: int) -> bool:
    """Say whether this code means that the service went, and with it the context."""
    return code in _SERVICE


def no_readers(code: int) -> bool:
    """Say whether this code means that a reader, or every reader, is missing."""
    return code in _NO_READER


def failure(code: int, reader: str, during: str) -> CitycardError:
    """Return the error that a code stands for, ready to be raised."""
    if code in _GONE:
        return CardRemoved(during=during)
    if code == _SHARING:
        return ReaderBusy(reader=reader)
    if code in _NO_READER:
        return ReaderFailed(reader=reader, problem="the reader is gone", during=during)
    if code in _SERVICE:
        return ReaderFailed(reader=reader, problem=f"the PC/SC service went away ({code:08X})", during=during)
    if code == _MISMATCH:
        problem = "the card does not speak this protocol: leave it to the reader, or name the other one"
        return ReaderFailed(reader=reader, problem=problem, during=during)
    return ReaderFailed(reader=reader, problem=f"PC/SC error {code:08X}", during=during)
