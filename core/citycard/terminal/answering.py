"""The whole answer to a command, also from T=0 cards that hand it out in pieces (ISO 7816-3)."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["whole_answer"]

_MORE, _WRONG_LE = 0x61, 0x6C
_WITH_LE, _STATUS = 5, 2
_GET_RESPONSE = b"\x00\xc0\x00\x00"
_PIECES = 16


def whole_answer(transmit: Callable[[bytes], bytes], apdu: bytes) -> bytes:
    """Send a command and return data and status word; ``61xx`` is fetched, ``6Cxx`` is asked again once.

    Commands that bring data and expect some are sent as they are: T=1 and contactless cards answer at once,
    T=0 cards with ``61xx``. Only a command without data is repeated with the length that ``6Cxx`` names.
    """
    answer = _corrected(transmit, apdu)
    data = b""
    for _ in range(_PIECES):
        if answer[-2] != _MORE:
            break
        data += answer[:-2]
        answer = _corrected(transmit, _GET_RESPONSE + answer[-1:])
    return data + answer


def _corrected(transmit: Callable[[bytes], bytes], apdu: bytes) -> bytes:
    answer = transmit(apdu)
    if len(apdu) == _WITH_LE and len(answer) == _STATUS and answer[0] == _WRONG_LE:
        return transmit(apdu[:4] + answer[-1:])
    return answer
