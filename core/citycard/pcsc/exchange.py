"""Commands as each protocol carries them: T=0 in one place, everything else as it stands (ISO 7816-3, -4)."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["exchange", "prefers_t1"]

_SIZE_OF_ANSWER, _HEADER = 2, 5
_MORE, _WRONG_LE = 0x61, 0x6C
_GET_RESPONSE = 0xC0
# VERIFY, EXTERNAL and INTERNAL AUTHENTICATE, CHANGE or RELOAD PIN, PIN UNBLOCK: a second one may cost a try.
_ONCE = frozenset({0x20, 0x82, 0x88, 0x5E, 0x24})
_PROPRIETARY = 0x80


def exchange(send: Callable[[bytes], bytes], apdu: bytes) -> bytes:
    """Carry one command over T=0 and return data and status word.

    A command with data and Le goes without its Le; ``61xx`` is followed by GET RESPONSE until the data are
    there; ``6Cxx`` is followed by the same command with the right Le, once, and never for a command that
    authenticates. Fewer than two bytes of answer are handed on for the caller to judge.
    """
    answer = send(_without_le(apdu))
    if _status(answer) == _WRONG_LE and len(answer) == _SIZE_OF_ANSWER and apdu[1] not in _ONCE:
        answer = send(_with_le(apdu, answer[1]))
    data = b""
    while _status(answer) == _MORE:
        data += answer[:-2]
        answer = send(
            bytes((apdu[0] & 0x03 if apdu[0] < _PROPRIETARY else 0, _GET_RESPONSE, 0, 0, answer[-1]))
        )
    return data + answer if len(answer) >= _SIZE_OF_ANSWER else answer


def prefers_t1(atr: bytes) -> bool:
    """Say whether an answer to reset wants T=1.

    A reader that puts a contactless card's answer together writes ``3B 8n 80 01`` (PC/SC part 3): there T=0
    is only a name. Otherwise T=0 is taken where it is offered, as terminals do; without it, T=1.
    """
    if len(atr) < _SIZE_OF_ANSWER:
        return False
    offered = _protocols(atr)
    contactless = atr[:1] == b"\x3b" and atr[1] & 0xF0 == 0x80 and atr[2:4] == b"\x80\x01"  # noqa: PLR2004
    return contactless or (0 not in offered and 1 in offered)


def _protocols(atr: bytes) -> list[int]:
    """Read the protocols that the TD bytes name; none of them means T=0."""
    found: list[int] = []
    place, following = 1, atr[1] >> 4
    while following and place < len(atr):
        place += (following & 0x7).bit_count() + (following >> 3)
        if not following & 8 or place >= len(atr):
            break
        found.append(atr[place] & 0x0F)
        following = atr[place] >> 4
    return found or [0]


def _status(answer: bytes) -> int:
    return answer[-2] if len(answer) >= _SIZE_OF_ANSWER else 0


def _without_le(apdu: bytes) -> bytes:
    if len(apdu) > _HEADER and len(apdu) == _HEADER + apdu[4] + 1:
        return apdu[:-1]
    return apdu


def _with_le(apdu: bytes, le: int) -> bytes:
    if len(apdu) > _HEADER:
        return _without_le(apdu)
    return apdu[:4] + bytes((le,))
