"""Whose card it is, the same words for every make: what personalisation writes and a terminal reads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import attrs

from citycard.card.enums import EnableFlag

__all__ = ["CardContents", "CardIdentity"]


@attrs.frozen(kw_only=True)
class CardIdentity:
    """Say whose card it is, whatever its make writes into which file.

    ``issuer`` has 16 hexadecimal digits, ``asn`` 20 digits, ``city`` 4. ``kind`` is the product's card
    kind, 0 on a card that does not say. A number of 8 bytes, as City Union has it, is
    written after four zeros; an issuer of 4 bytes before ``FFFFFFFF`` (docs/card.md, "Makes").
    """

    issuer: str
    asn: str
    start: dt.date | None
    expiry: dt.date | None
    city: str
    kind: int = 1
    enabled: EnableFlag = EnableFlag.ENABLED
    interoperable: bool = True
    has_purse: bool = True

    @property
    def asn8(self) -> bytes:
        """Return the eight bytes that diversify the card's keys: the last of the number, for every make."""
        return bytes.fromhex(self.asn[4:])

    @property
    def issuer8(self) -> bytes:
        """Return the issuer as a SAM takes it for a factor."""
        return bytes.fromhex(self.issuer)

    @property
    def city8(self) -> bytes:
        """Return the city as a SAM takes it for a factor: two bytes of code, ``FF``, zeros."""
        return bytes.fromhex(self.city) + b"\xff" + bytes(5)


@attrs.frozen(kw_only=True)
class CardContents:
    """Hold the records that personalisation writes, by file id: in the master file and in the application."""

    root: Mapping[int, object] = attrs.field(factory=dict)
    application: Mapping[int, object]
