"""What a PSAM keeps in working memory beside what every chip keeps: the purchase and the derived key."""

from __future__ import annotations

import attrs

from citycard.chip.state import CardState, Ram
from citycard.psam.profile import SamKind, SamProfile

__all__ = ["SamRam", "Temporary", "profile_of", "ram_of"]


@attrs.define(kw_only=True)
class Temporary:
    """The key that DELIVERY KEY derived: what it is for, its bytes, and the MAC chain under way."""

    kind: SamKind
    key: bytes = attrs.field(repr=False)
    chain: bytes | None = attrs.field(default=None, repr=False)


@attrs.define
class SamRam(Ram):
    """Hold what a PSAM forgets without power.

    ``mac2`` is the MAC that the purchase under way expects, ``grey`` that of the grey lock under way.
    """

    mac2: bytes | None = None
    temporary: Temporary | None = None
    grey: bytes | None = None


def ram_of(card: CardState) -> SamRam:
    """Return the working memory of a PSAM; raises ``PowerLoss`` when there is no power."""
    ram = card.powered
    assert isinstance(ram, SamRam), "only a PSAM runs a PSAM's commands"
    return ram


def profile_of(card: CardState) -> SamProfile:
    """Return the profile of a PSAM."""
    assert isinstance(card.profile, SamProfile), "only a PSAM runs a PSAM's commands"
    return card.profile
