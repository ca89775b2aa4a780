"""The code at the end of every right on a card: this city wrote it, for this card.

AES-CMAC (NIST SP 800-38B), its first eight bytes, under the card's key of purpose ``tourism-right``. It
covers the sector's name, the card's number and every byte of the record before it. A gate's SAM has the key.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Protocol, TypeVar

from citycard.card.codec import encode, evolve
from citycard.errors import KeyVersionUnknown
from citycard.keys import Algorithm, KeyPurpose, KeyStatus
from citycard.keys.cipher import aes_cmac
from citycard_tourism.errors import RightForged
from citycard_tourism.sectors import PassRecord, ReaderRecord, TicketRecord

if TYPE_CHECKING:
    from citycard.keys import Vault

__all__ = ["PURPOSE", "Chip", "Seals"]

PURPOSE = KeyPurpose(
    name="tourism-right",
    kind=0x50,
    title="Codes over passes, tickets and readers' rights",
    owner="tourism",
    algorithm=Algorithm.AES,
)
_MAC = 8

Right = TypeVar("Right", PassRecord, TicketRecord, ReaderRecord)


class Chip(Protocol):
    """A card as far as its codes need it: its number, and the eight bytes that diversify its keys."""

    @property
    def asn(self) -> str: ...
    @property
    def asn8(self) -> bytes: ...


class Seals:
    """What a gate's SAM computes with the city's keys."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def stamp(self, sector: str, card: Chip, record: Right) -> Right:
        """Give a record with the code that lets a gate of this city trust it."""
        version = next(
            row.version
            for row in self._vault.versions()
            if row.purpose == PURPOSE.name and row.status is KeyStatus.CURRENT
        )
        bare = evolve(record, key_version=version, mac=bytes(_MAC))
        return evolve(bare, mac=self._mac(sector, card, bare))

    def check(self, sector: str, card: Chip, record: Right) -> Right:
        """Give a record back that this city wrote for this card; raise RightForged for any other."""
        bare = evolve(record, mac=bytes(_MAC))
        try:
            expected = self._mac(sector, card, bare)
        except KeyVersionUnknown:
            expected = bytes(_MAC + 1)
        if not hmac.compare_digest(expected, record.mac):
            raise RightForged(sector=sector, asn=card.asn)
        return record

    def _mac(self, sector: str, card: Chip, bare: Right) -> bytes:
        key = self._vault.card_key(PURPOSE.name, card.asn8, bare.key_version)
        return aes_cmac(key, sector.encode() + b"\0" + bytes.fromhex(card.asn) + encode(bare))[:_MAC]
