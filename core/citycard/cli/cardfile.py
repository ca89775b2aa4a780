"""Card files: a software card as one file, with the make it is of, so that any command can wake it up.

``CCF1``, the length of a JSON text in two bytes, the text, the card's image. The text names the kind
(``chip``, ``psam`` or ``sector``), the profile and the purse algorithms besides 3DES. A bare image is read
too: its own first bytes say what it is.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

import attrs

from citycard.errors import CardFileInvalid, CardKindUnknown

if TYPE_CHECKING:
    from citycard.chip import Chip, ChipProfile
    from citycard.mifare.geometry import CardType
    from citycard.pcsc.slot import SlotCard
    from citycard.psam import SamProfile

__all__ = ["CardFile", "blank_file", "chip_file", "read_card_file", "write_card_file"]

_MAGIC = b"CCF1"
_LENGTH = 2
_CHIP_IMAGE, _SECTOR_IMAGE = b"CCIM", b"CCSI"
# The name of a PSAM's application: only a SAM has it.
_SAM_MARK = bytes.fromhex("A0000006324D4F542E43505341")


@attrs.frozen(kw_only=True)
class CardFile:
    """A software card at rest."""

    kind: str
    profile: str = ""
    algorithms: tuple[str, ...] = ()
    image: bytes = attrs.field(repr=False)

    def card(self) -> SlotCard:
        """Return the card, without power; raises CardKindUnknown and what its image is refused with."""
        return _KINDS[self.kind](self)

    def holding(self, image: bytes) -> CardFile:
        """Return the same card with another content."""
        return attrs.evolve(self, image=image)


def blank_file(profile: str, *, transport: bool = True) -> CardFile:
    """Return a new card as its maker delivers it, of a make of chip, PSAM or sector card; CardKindUnknown.

    ``transport``: a chip has its transport key; without it anybody may create files.
    """
    from citycard.chip import Chip
    from citycard.mifare.card import SectorCard
    from citycard.psam import Psam

    sectors, sams = _sector_cards(), _sams()
    if profile in sectors:
        uid = b"\x04" + secrets.token_bytes(3)
        return CardFile(kind="sector", profile=profile, image=SectorCard.blank(uid, sectors[profile]).image())
    if profile in sams:
        return CardFile(kind="psam", profile=profile, image=Psam.blank(sams[profile]).image())
    return chip_file(Chip.blank(_chip_profile(profile), transport=transport), profile)


def chip_file(chip: Chip, profile: str) -> CardFile:
    """Return the card file of a chip of a profile."""
    algorithms = tuple(one.name.lower() for one in chip.profile.algorithms)
    return CardFile(kind="chip", profile=profile, algorithms=algorithms, image=chip.image())


def read_card_file(path: Path, profile: str | None = None) -> CardFile:
    """Read a card file or a bare image; ``profile`` says what a bare image of a chip is. CardFileInvalid."""
    data = path.read_bytes()
    if data.startswith(_MAGIC):
        return _headed(path, data)
    if data.startswith(_SECTOR_IMAGE):
        return CardFile(kind="sector", image=data)
    if not data.startswith(_CHIP_IMAGE):
        raise CardFileInvalid(path=path, reason="it does not begin like one")
    if (profile or "").startswith("psam") or (profile is None and _SAM_MARK in data):
        return CardFile(kind="psam", profile=profile or "psam-transit", image=data)
    return CardFile(kind="chip", profile=profile or "t-union", image=data)


def write_card_file(path: Path, card: CardFile) -> None:
    """Write a card file whole or not at all; only its owner may read it, because keys are in it."""
    from citycard.files import write_whole

    head = json.dumps({"kind": card.kind, "profile": card.profile, "algorithms": card.algorithms}).encode()
    data = _MAGIC + len(head).to_bytes(_LENGTH, "big") + head + card.image
    write_whole(path, data, mode=0o600)


def _headed(path: Path, data: bytes) -> CardFile:
    start = len(_MAGIC) + _LENGTH
    end = start + int.from_bytes(data[len(_MAGIC) : start], "big")
    try:
        head = json.loads(data[start:end])
        kind, profile, algorithms = head["kind"], str(head["profile"]), tuple(head["algorithms"])
    except (ValueError, KeyError, TypeError):
        raise CardFileInvalid(path=path, reason="its head is damaged") from None
    if kind not in _KINDS:
        raise CardFileInvalid(path=path, reason=f"its kind {kind!r} is none of {', '.join(_KINDS)}")
    return CardFile(kind=kind, profile=profile, algorithms=algorithms, image=data[end:])


def _chip(file: CardFile) -> SlotCard:
    from citycard.chip import Chip
    from citycard.keys import Algorithm

    base = _chip_profile(file.profile)
    try:
        algorithms = tuple(Algorithm[name.upper()] for name in file.algorithms)
    except KeyError as unknown:
        known = ", ".join(one.name.lower() for one in Algorithm)
        raise CardKindUnknown(where="algorithms", name=unknown.args[0], known=known) from None
    return cast("SlotCard", Chip.from_image(file.image, attrs.evolve(base, algorithms=algorithms)))


def _chip_profile(name: str) -> ChipProfile:
    from citycard.chip.profiles import PROFILES

    if name not in PROFILES:
        known = ", ".join(sorted([*PROFILES, *_sams(), *_sector_cards()]))
        raise CardKindUnknown(where="profile", name=name, known=known)
    return PROFILES[name]


def _sams() -> Mapping[str, SamProfile]:
    from citycard.psam import MOHURD_PSAM, TRANSIT_PSAM

    return {profile.name: profile for profile in (MOHURD_PSAM, TRANSIT_PSAM)}


def _sector_cards() -> Mapping[str, CardType]:
    from citycard.mifare.geometry import CardType

    return {kind.name.lower().replace("_", "-"): kind for kind in CardType}


def _psam(file: CardFile) -> SlotCard:
    from citycard.psam import Psam

    known = _sams()
    if file.profile not in known:
        raise CardKindUnknown(where="profile", name=file.profile, known=", ".join(sorted(known)))
    return cast("SlotCard", Psam.from_image(file.image, known[file.profile]))


def _sector(file: CardFile) -> SlotCard:
    from citycard.mifare.card import SectorCard
    from citycard.mifare.pseudo import PseudoReader

    return cast("SlotCard", PseudoReader(SectorCard.from_image(file.image)))


# Another kind of card is one more line here.
_KINDS: dict[str, Callable[[CardFile], SlotCard]] = {"chip": _chip, "psam": _psam, "sector": _sector}
