"""128-bit ids: made by the client, remembered for ever."""

from __future__ import annotations

import hashlib
import os
import time
from collections import deque
from collections.abc import Mapping
from uuid import UUID

from citycard.errors import QueryInvalid

__all__ = ["derived_hex", "derived_id", "new_id", "uuid_in"]

_TAIL, _DRAWN = 10, 400
#: Random tails of ids to come: to ask the system for each lets every other thread go first, which costs more
#: than the id. Threads take them one by one, and a forked process draws its own.
_TAILS: deque[bytes] = deque()
os.register_at_fork(after_in_child=_TAILS.clear)


def new_id() -> UUID:
    """Make a fresh id that sorts by time: 48 bits of Unix milliseconds, then 80 random bits."""
    try:
        tail = _TAILS.popleft()
    except IndexError:
        drawn = os.urandom(_TAIL * _DRAWN)
        _TAILS.extend(drawn[at : at + _TAIL] for at in range(_TAIL, len(drawn), _TAIL))
        tail = drawn[:_TAIL]
    return UUID(int=(time.time_ns() // 1_000_000) << 80 | int.from_bytes(tail))


def uuid_in(values: Mapping[str, str], field: str, expected: str = "a UUID") -> UUID:
    """Read the id in a field of a form or an address; raise QueryInvalid for what is none or missing."""
    text = values.get(field, "")
    try:
        return UUID(text)
    except ValueError:
        raise QueryInvalid(field=field, text=text[:40], expected=expected) from None


def derived_id(*parts: object) -> UUID:
    """Make the id that always belongs to these parts, so that work run again finds its own traces."""
    return UUID(hex=derived_hex(*parts))


def derived_hex(*parts: object) -> str:
    """Give the hexadecimal digits of a derived id, where very many are wanted."""
    text = "\x1f".join(map(str, parts))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
