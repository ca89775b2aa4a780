"""A chip behind a T=0 interface: answers to data wait for GET RESPONSE, a wrong Le is told (ISO 7816-3).

Over T=0 a command carries data or fetches data, never both. Contactless chips and T=1 answer directly.
"""

from __future__ import annotations

from citycard.chip.state import Ram
from citycard.chip.status import CONDITIONS_NOT_SATISFIED, OK, WRONG_LENGTH, WRONG_PARAMETERS

__all__ = ["GET_RESPONSE", "get_response", "held_back"]

GET_RESPONSE = b"\x00\xc0"
_HEAD_AND_LENGTH, _MORE = 5, 256


def held_back(ram: Ram, apdu: bytes, answer: bytes) -> bytes:
    """Return what a T=0 chip says instead of ``answer``: ``61xx`` to data, ``6Cxx`` to a wrong Le."""
    size = len(answer) - len(OK)
    if size == 0:
        return answer
    if len(apdu) > _HEAD_AND_LENGTH:
        ram.waiting, ram.waiting_status = answer[:-2], answer[-2:]
        return bytes((0x61, size & 0xFF))
    wanted = apdu[4] if len(apdu) == _HEAD_AND_LENGTH else 0
    return answer if wanted == size % _MORE else bytes((0x6C, size & 0xFF))


def get_response(ram: Ram, apdu: bytes) -> bytes:
    """Answer GET RESPONSE: all that waits, or the part that Le asks for and how much is left."""
    if len(apdu) != _HEAD_AND_LENGTH:
        return WRONG_LENGTH
    if apdu[2] or apdu[3]:
        return WRONG_PARAMETERS
    if not ram.waiting:
        return CONDITIONS_NOT_SATISFIED
    size = len(ram.waiting)
    wanted = apdu[4] or size
    if wanted > size:
        return bytes((0x6C, size))
    given, ram.waiting = ram.waiting[:wanted], ram.waiting[wanted:]
    return given + (bytes((0x61, size - wanted)) if ram.waiting else ram.waiting_status)
