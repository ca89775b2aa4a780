"""The mark of a record on a card: it was written by this city's terminals, for this card.

AES-CMAC under the card's own campus key, over the sector's name, the card's number and the record's other
bytes; 8 bytes of it stand on the card. Copied to another card it is wrong there, and a changed byte shows.
A record that was set back to an older one of the same card keeps its mark: the count of uses tells that,
when records are cleared (``pots``).
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import Any, TypeVar

from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from citycard.card.codec import encode, evolve
from citycard.keys import KeyPurpose
from citycard_campus.errors import MarkBroken
from citycard_campus.sectors import MARK_SIZE

__all__ = ["KEY", "check", "marked"]

KEY = KeyPurpose(name="campus", kind=0x54, title="Marks enrolments and sessions on cards", owner="campus")

Record = TypeVar("Record")


def marked(record: Record, sector: str, asn: str, key16: bytes) -> Record:
    """Put the mark for a card into its record of a sector; ``key16`` is the card's campus key."""
    return evolve(record, mark=_mark(record, sector, asn, key16))


def check(record: Any, sector: str, asn: str, keys: Iterable[bytes]) -> None:
    """Raise MarkBroken unless the record is marked for this card by one of its keys, or blank as when new."""
    marks = [_mark(record, sector, asn, key16) for key16 in keys]
    if any(encode(record)) and not any(hmac.compare_digest(record.mark, mark) for mark in marks):
        raise MarkBroken(sector=sector, asn=asn)


def _mark(record: Any, sector: str, asn: str, key16: bytes) -> bytes:
    code = CMAC(AES(key16))
    code.update(sector.encode().ljust(40, b"\0") + bytes.fromhex(asn) + encode(record)[:-MARK_SIZE])
    return code.finalize()[:MARK_SIZE]
