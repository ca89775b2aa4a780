"""The MIFARE application directory: which sector belongs to which application (NXP AN10787)."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from citycard.errors import DirectoryInvalid
from citycard.mifare.crc import mad_crc8

__all__ = ["CARDHOLDER", "DEFECT", "FREE", "MORE", "NOT_APPLICABLE", "PUBLIC_KEY_A", "RESERVED", "Mad"]

PUBLIC_KEY_A = bytes.fromhex("A0A1A2A3A4A5")
"""Key A with which everybody may read the directory."""
FREE, DEFECT, RESERVED, MORE, CARDHOLDER, NOT_APPLICABLE = range(6)
"""The AIDs with a meaning of their own; all others are function cluster (high byte) and application code."""

_SECTORS_1 = range(1, 16)
_SECTORS_2 = range(17, 40)
_SIZE_1, _SIZE_2 = 32, 48
_LARGEST_AID = 0xFFFF
_INFO_BITS = 0x3F
_AVAILABLE, _MULTI = 0x80, 0x40


@attrs.frozen(kw_only=True)
class Mad:
    """A directory: the AID of each sector that has one, and the publisher's sector (0: none).

    ``version`` 1 covers sectors 1 to 15, version 2 also 17 to 39. Sectors that are not named are free.
    """

    aids: Mapping[int, int] = attrs.field(factory=dict)
    publisher: int = 0
    version: int = 1

    def __attrs_post_init__(self) -> None:
        sectors = [*_SECTORS_1, *(_SECTORS_2 if self.version == 2 else ())]  # noqa: PLR2004 - MAD2
        if self.version not in {1, 2}:
            raise DirectoryInvalid(problem=f"version {self.version}: expected 1 or 2")
        for sector, aid in self.aids.items():
            if sector not in sectors or not 0 <= aid <= _LARGEST_AID:
                raise DirectoryInvalid(problem=f"AID {aid:#x} of sector {sector} has no place in it")
        if self.publisher and self.publisher not in sectors:
            raise DirectoryInvalid(problem=f"publisher sector {self.publisher} has no place in it")

    @property
    def general_byte(self) -> int:
        """Byte 9 of the trailer of sector 0: directory available, several applications, version."""
        return _AVAILABLE | _MULTI | self.version

    def encode(self) -> tuple[bytes, bytes]:
        """Return blocks 1 and 2 of sector 0 (32 bytes) and the first three of sector 16 (48, or none)."""
        first = self._part(_SECTORS_1, self.publisher if self.publisher in _SECTORS_1 else 0)
        if self.version == 1:
            return first, b""
        return first, self._part(_SECTORS_2, self.publisher)

    @classmethod
    def decode(cls, first32: bytes, second48: bytes = b"") -> Mad:
        """Read both parts; raises DirectoryInvalid for a wrong CRC or size."""
        aids, publisher = _read(first32, _SECTORS_1, _SIZE_1)
        if not second48:
            return cls(aids=aids, publisher=publisher)
        more, other = _read(second48, _SECTORS_2, _SIZE_2)
        return cls(aids={**aids, **more}, publisher=other or publisher, version=2)

    def _part(self, sectors: range, publisher: int) -> bytes:
        words = b"".join(self.aids.get(sector, FREE).to_bytes(2, "little") for sector in sectors)
        body = bytes((publisher,)) + words
        return bytes((mad_crc8(body),)) + body


def _read(data: bytes, sectors: range, size: int) -> tuple[dict[int, int], int]:
    if len(data) != size:
        raise DirectoryInvalid(problem=f"{len(data)} bytes: expected {size}")
    if mad_crc8(data[1:]) != data[0]:
        raise DirectoryInvalid(problem=f"CRC {data[0]:02X}: expected {mad_crc8(data[1:]):02X}")
    words = [int.from_bytes(data[at : at + 2], "little") for at in range(2, size, 2)]
    aids = {sector: aid for sector, aid in zip(sectors, words, strict=True) if aid != FREE}
    return aids, data[1] & _INFO_BITS
