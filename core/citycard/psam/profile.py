"""What differs from one PSAM to the next, as data: its files, and how its keys are numbered (docs/sam.md)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import attrs

from citycard.chip.profile import ChipProfile
from citycard.keys.cipher import Algorithm

__all__ = ["FUEL_USAGES", "MOHURD_PSAM", "TRANSIT_PSAM", "TRANSIT_USAGES", "SamKind", "SamProfile"]

_LEVELS_SHIFT = 5
_KIND_MASK = 0x1F


class SamKind(StrEnum):
    """What a key of a SAM is for; its number in the usage byte is profile data."""

    MASTER = "master"
    PURCHASE = "purchase"
    TAC = "tac"
    MAINTENANCE = "maintenance"
    MAC = "mac"
    ENCRYPT = "encrypt"
    SECTOR = "sector"
    GREY_LOCK = "grey-lock"
    SIGNATURE = "signature"


TRANSIT_USAGES: Mapping[SamKind, int] = MappingProxyType(
    {
        SamKind.MASTER: 0x00,
        SamKind.PURCHASE: 0x02,
        SamKind.TAC: 0x04,
        SamKind.MAINTENANCE: 0x05,
        SamKind.MAC: 0x06,
        SamKind.ENCRYPT: 0x07,
        SamKind.SECTOR: 0x09,
        SamKind.GREY_LOCK: 0x0D,
        SamKind.SIGNATURE: 0x1E,
    }
)
"""The kind is in bits 4 to 0, the levels of diversification in bits 7 to 5: ``42`` is purchase, two levels.

``02``, ``04`` and ``05`` are those of the field; the project chose ``09`` and ``1E``.
"""

FUEL_USAGES: Mapping[SamKind, int] = MappingProxyType(
    {
        SamKind.MASTER: 0x89,
        SamKind.PURCHASE: 0x80,
        SamKind.TAC: 0x8E,
        SamKind.MAINTENANCE: 0x82,
        SamKind.MAC: 0x87,
        SamKind.ENCRYPT: 0x86,
        SamKind.SECTOR: 0x88,
        SamKind.GREY_LOCK: 0x8D,
        SamKind.SIGNATURE: 0x9E,
    }
)
"""The numbers of fuel-station SAMs: the byte says nothing of levels, a key takes as many factors as come."""


@attrs.frozen(kw_only=True)
class SamProfile(ChipProfile):
    """Describe a PSAM: ``adf_fid`` and ``adf_name`` its application, ``key_slots`` how many keys it holds.

    ``usages`` numbers the kinds of keys; ``levels_in_usage`` tells whether the byte holds the levels too.
    SAMs are mostly T=0 cards: ``t0`` makes them answer like one.
    """

    adf_fid: int = 0x8011
    adf_name: bytes = bytes.fromhex("A0000006324D4F542E435053414D3031")
    key_slots: int = attrs.field(default=48, validator=attrs.validators.in_(range(4, 129)))
    usages: Mapping[SamKind, int] = TRANSIT_USAGES
    levels_in_usage: bool = True

    def usage(self, kind: SamKind, levels: int) -> int:
        """Return the usage byte of a key of ``kind`` below which ``levels`` keys are derived."""
        number = self.usages[kind]
        return levels << _LEVELS_SHIFT | number if self.levels_in_usage else number

    def kind(self, usage: int) -> SamKind | None:
        """Return what a usage byte says the key is for, or None when it says nothing known."""
        number = usage & _KIND_MASK if self.levels_in_usage else usage
        return next((kind for kind, known in self.usages.items() if known == number), None)

    def takes(self, usage: int, levels: int) -> bool:
        """Tell whether a key of this usage is diversified by so many factors."""
        return not self.levels_in_usage or usage >> _LEVELS_SHIFT == levels


# TS TA1 TB1 TC1 absent: a plain T=0 answer to reset with the historical bytes "CCPSAM".
_T0_ATR = b"\x3b\x06CCPSAM"

TRANSIT_PSAM = SamProfile(
    name="psam-transit", atr=_T0_ATR, root_name=b"1PAY.SYS.DDF01", algorithms=(Algorithm.AES,)
)
MOHURD_PSAM = SamProfile(
    name="psam-mohurd", atr=_T0_ATR, adf_fid=0xDF01, adf_name=b"\xa0\x00\x00\x03\x86\x98\x07\x01"
)
