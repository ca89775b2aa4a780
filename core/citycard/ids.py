"""128-bit ids: made by the client, remembered for ever."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping
from uuid import UUID

from citycard.errors import QueryInvalid

__all__ = ["derived_hex", "derived_id", "new_id", "uuid_in"]


def new_id() -> UUID:
    """Make a fresh id that sorts by time: 48 bits of Unix milliseconds, then 80 random bits."""
    return UUID(int=(time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10)))


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
