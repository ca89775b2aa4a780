"""The keys of sector cards: each sector of each card has its own, derived in the vault (docs/mifare.md)."""

from __future__ import annotations

import datetime as dt
from typing import Final, Protocol

from citycard.keys.hierarchy import KeyPurpose
from citycard.keys.purse import purchase_tac
from citycard.mifare.access import KeyKind
from citycard.mifare.mad import PUBLIC_KEY_A

__all__ = ["SECTOR_PURPOSES", "CardKeySource", "SectorKeys"]

SECTOR_PURPOSES: Final = (
    KeyPurpose(name="sector-a", kind=0x60, title="Sector card key A: read and charge", family="sector"),
    KeyPurpose(name="sector-b", kind=0x61, title="Sector card key B: load and write", family="sector"),
    KeyPurpose(name="sector-tac", kind=0x34, title="TAC key of sector card trades", family="sector"),
)
_KEY = 6
_UID = 7


class CardKeySource(Protocol):
    """Derive one card's key of a purpose: a vault."""

    def card_key(self, purpose: str, asn8: bytes, version: int | None = None) -> bytes: ...


class SectorKeys:
    """Give the keys of sector cards. It shows none of them.

    The factor of a sector key is the UID, filled with zeros in front to 7 bytes, and the sector's number: a
    reader needs nothing from the card but its UID. The first 6 bytes of the derived key are used. Key A of
    the directory is the public one. Old cards stay as they are, so ``version`` is fixed for a plan's cards.
    """

    def __init__(self, source: CardKeySource, version: int = 1) -> None:
        self._source = source
        self._version = version

    def __repr__(self) -> str:
        return f"<{type(self).__name__} in version {self._version}>"

    def __call__(self, uid: bytes, sector: int, key: KeyKind) -> bytes:
        """Return the 6 bytes of a sector's key A or B."""
        if sector == 0 and key is KeyKind.A:
            return PUBLIC_KEY_A
        factor = uid.rjust(_UID, b"\0") + bytes((sector,))
        return self._source.card_key(f"sector-{key.name.lower()}", factor, self._version)[:_KEY]

    def tac(
        self, number8: bytes, amount_fen: int, kind: int, terminal6: bytes, count: int, on: dt.date
    ) -> bytes:
        """Return the TAC of a trade: that of a CPU card's purchase, with the count as serial and no time.

        The card keeps only the day of a trade, so that a later tap must come to the same TAC without a time.
        """
        key16 = self._source.card_key("sector-tac", number8, self._version)
        moment = bytes.fromhex(on.strftime("%Y%m%d")) + bytes(3)
        return purchase_tac(key16, amount_fen, kind, terminal6, count, moment)
