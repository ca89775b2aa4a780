"""The key of a POS: 16 bytes by which it and the city put a MAC on messages (ISO 8583, field 64 or 128)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from citycard.keys import KeyPurpose

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["PURPOSE", "pos_key"]

PURPOSE = KeyPurpose(name="retail-pos", kind=0x4C, title="Message key of a POS (ISO 8583)", owner="retail")


def pos_key(city: City, terminal: str) -> bytes:
    """Derive the 16 bytes of a terminal (12 digits); its number stands where a card's does."""
    return city.vault.card_key(PURPOSE.name, bytes.fromhex(terminal.rjust(16, "0")))
