"""How a command goes over each protocol: T=0 or T=1 for a card, and what T=0 leaves out (ISO 7816-3)."""

from __future__ import annotations

from collections.abc import Callable

from citycard.terminal.answering import whole_answer

__all__ = ["exchange_t0", "prefers_t1"]

_HEADER, _SHORTEST = 5, 2


def exchange_t0(send: Callable[[bytes], bytes], apdu: bytes) -> bytes:
    """Carry one command over T=0 and return data and status word.

    A command with data and Le goes without its Le; what waits behind ``61xx`` is fetched, and a command
    without data is asked again with the length that ``6Cxx`` names. No command that authenticates is.
    """
    with_le = len(apdu) > _HEADER and len(apdu) == _HEADER + apdu[4] + 1
    return whole_answer(send, apdu[:-1] if with_le else apdu)


def prefers_t1(atr: bytes) -> bool:
    """Say whether an answer to reset wants T=1.

    A reader that puts a contactless card's answer together writes ``3B 8n 80 01`` (PC/SC part 3): there T=0
    is only a name. Otherwise T=0 is taken where it is offered, as terminals do; without it, T=1.
    """
    if len(atr) < _SHORTEST:
        return False
    offered = _protocols(atr)
    contactless = atr[:1] == b"\x3b" and atr[1] >> 4 == 8 and atr[2:4] == b"\x80\x01"  # noqa: PLR2004
    return contactless or (0 not in offered and 1 in offered)


def _protocols(atr: bytes) -> list[int]:
    """Read the protocols that the TD bytes name; none of them means T=0."""
    found: list[int] = []
    place, following = 1, atr[1] >> 4
    while following & 8:
        place += following.bit_count()
        if place >= len(atr):
            break
        found.append(atr[place] & 0x0F)
        following = atr[place] >> 4
    return found or [0]
