"""Seal personal data, so that whoever copies the database learns nothing about anybody."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from citycard.errors import SealBroken
from citycard.keys.sealer import AesGcmSealer

__all__ = ["AesGcmSealer", "Sealer", "open_text", "seal_text"]


class Sealer(Protocol):
    """Encrypt and authenticate bytes with a key that stays where it is; the city's vault does it."""

    def seal(self, data: bytes) -> bytes:
        """Return the data sealed; the same data gives other bytes each time."""
        ...

    def open(self, sealed: bytes) -> bytes:
        """Return the data; raise SealBroken when the key is another one or a byte was changed."""
        ...


def seal_text(sealer: Sealer, holder: UUID, field: str, text: str) -> bytes:
    """Seal one field of one holder, so that it cannot be passed off as another one's."""
    return sealer.seal(_place(holder, field) + text.encode())


def open_text(sealer: Sealer, holder: UUID, field: str, sealed: bytes) -> str:
    """Open one field of one holder; raise SealBroken when it is not what was sealed there."""
    place = _place(holder, field)
    try:
        data = sealer.open(sealed)
    except SealBroken as error:
        raise SealBroken(field=field, key=str(holder)) from error
    if not data.startswith(place):
        raise SealBroken(field=field, key=str(holder))
    return data.removeprefix(place).decode()


def _place(holder: UUID, field: str) -> bytes:
    return holder.bytes + field.encode() + b"\0"
