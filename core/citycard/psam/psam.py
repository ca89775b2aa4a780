"""A PSAM in software: the security module of a terminal, as a chip that speaks APDUs (docs/sam.md)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Self

from citycard.chip.authenticate import external_authenticate, get_challenge
from citycard.chip.binary_commands import read_binary, update_binary
from citycard.chip.chip import Chip
from citycard.chip.commands import Command
from citycard.chip.selection import select
from citycard.chip.state import CardState, RandomSource
from citycard.psam.crypt import calculate_key, delivery_key, des_crypt, session_key, sign
from citycard.psam.greylock import calculate_gmac, certify_grey_lock, init_grey_lock
from citycard.psam.making import make_blank
from citycard.psam.profile import TRANSIT_PSAM, SamProfile
from citycard.psam.purchase import credit_for_purchase, init_for_purchase
from citycard.psam.state import SamRam, ram_of
from citycard.psam.writing import write_key

__all__ = ["Psam"]

_SELECT = b"\x00\xa4"


def _select(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    answer = select(card, p1, p2, data, le)
    ram = ram_of(card)
    ram.mac2 = ram.temporary = ram.grey = None
    return answer


_COMMANDS: Mapping[bytes, Command] = MappingProxyType(
    {
        b"\x00\x82": external_authenticate,
        b"\x00\x84": get_challenge,
        _SELECT: _select,
        b"\x00\xb0": read_binary,
        b"\x00\xd6": update_binary,
        b"\x80\x1a": delivery_key,
        b"\x80\x70": init_for_purchase,
        b"\x80\x72": credit_for_purchase,
        b"\x80\xde": session_key,
        b"\x80\xf8": sign,
        b"\x80\xfa": des_crypt,
        b"\x80\xfc": calculate_key,
        b"\x84\xd4": write_key,
        b"\xe0\x40": init_grey_lock,
        b"\xe0\x42": certify_grey_lock,
        b"\xe0\x44": calculate_gmac,
    }
)


class Psam(Chip):
    """Be one SAM. Make it with ``blank`` or ``from_image``, give it keys with ``personalise_sam``.

    It answers like every chip of citycard; its files cannot be changed after it was made, its keys only under
    its master key.
    """

    __slots__ = ()

    commands: ClassVar[Mapping[bytes, Command]] = _COMMANDS

    @classmethod
    def blank(  # type: ignore[override]  # a SAM is made of a SAM's profile
        cls, profile: SamProfile = TRANSIT_PSAM, *, random: RandomSource = os.urandom
    ) -> Self:
        """Return a SAM as its maker delivers it: files without content, transport keys, serial 0."""
        eeprom, structure = make_blank(profile)
        return cls(eeprom=eeprom, structure=structure, profile=profile, random=random)

    @classmethod
    def from_image(  # type: ignore[override]  # a SAM is made of a SAM's profile
        cls, image: bytes, profile: SamProfile = TRANSIT_PSAM, *, random: RandomSource = os.urandom
    ) -> Self:
        """Return the SAM that ``image`` saved, without power; raises ``CardImageInvalid``."""
        return super().from_image(image, profile, random=random)

    def power_on(self) -> bytes:
        """Start from nothing in working memory and answer the ATR; the serial and the keys are kept."""
        atr = super().power_on()
        self.ram = SamRam(self.structure.root)
        return atr
