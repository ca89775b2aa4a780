"""Issue cards through APDUs: prepare one blank card per product, clone it, make each clone one holder's.

Every directory is protected by its external authentication key (kind 39): with the transport key on a
blank card, with the card's own key on a personalised one. The PIN gives security status 1, authentication 2.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping

import attrs

from citycard.card.codec import encode
from citycard.card.files import TRANSIT_PROFILE, CardFile, CardIdentity, CardProfile, EnableFlag, FileKind
from citycard.card.product import CardProduct, Place, ProductVersion
from citycard.chip.chip import Chip
from citycard.chip.profile import ChipProfile
from citycard.chip.profiles import PROFILES, T_UNION
from citycard.chip.script import IssuableCard, Script
from citycard.chip.state import RandomSource
from citycard.errors import PersonalisationFailed, PurseAlgorithmNotAllowed
from citycard.keys.cipher import Algorithm
from citycard.keys.records import CardKeys

__all__ = ["chip_profile", "personalise", "prepare", "prepare_blank"]

_ALWAYS, _NEVER = 0xF0, 0xEF
_AUTHENTICATED = 0xF2
_PIN_STATUS, _AUTHENTICATION_STATUS = 1, 2
_TRIES = 0x33
_KEY_ENTRY = 23
_KEY_ROOM = 16 * _KEY_ENTRY
_FILE_COST, _CYCLIC_COST = 11, 8
_PURSE_BODY = 22
_DIR_FID = 0x01
_VERSIONED = {0x3E: "purchase", 0x3F: "load", 0x34: "tac", 0x30: "internal"}
_GUARDED = (0x36, 0x37, 0x38)
_PURSE = ("purchase", "load", "tac")


def chip_profile(profile: CardProfile = TRANSIT_PROFILE, base: ChipProfile | None = None) -> ChipProfile:
    """Return the chip on which cards of a card profile live: ``base`` with the profile's conventions.

    ``base`` is the chip of the same name unless given, and T-Union for a name that no chip has.
    """
    base = base or PROFILES.get(profile.name, T_UNION)
    return attrs.evolve(
        base,
        name=profile.name,
        root_name=profile.mf_name,
        load_needs_pin=profile.load_needs_pin,
        log_after_increment=profile.log_after_increment,
        prove_offset=profile.prove_offset,
        algorithms=tuple(Algorithm[name.upper()] for name in profile.algorithms) or base.algorithms,
    )


def prepare_blank(
    version: ProductVersion,
    profile: CardProfile = TRANSIT_PROFILE,
    *,
    initial: Mapping[str, bytes] | None = None,
    base: ChipProfile | None = None,
    random: RandomSource = os.urandom,
) -> Chip:
    """Build the file structure of a product on a blank card, with transport keys; clone it for each card.

    ``initial`` gives the body that a sector starts with, by sector name; zeros for the others. Raises
    ``PersonalisationFailed`` when the card refuses, such as with ``6A84`` when the product is too large for
    it.
    """
    chip = Chip.blank(chip_profile(profile, base), random=random)
    prepare(chip, version, profile, initial=initial)
    return chip


def prepare(
    chip: IssuableCard,
    version: ProductVersion,
    profile: CardProfile = TRANSIT_PROFILE,
    *,
    initial: Mapping[str, bytes] | None = None,
) -> None:
    """Build the file structure of a product on a card that is as its maker delivers it.

    What is there under the transport key, such as the beginning of a preparation that was broken off, is
    erased first. ``initial`` and the errors are those of ``prepare_blank``.
    """
    transport = chip.profile.transport_key
    script = Script(chip)
    script.power_on()
    _clear(script, transport)
    script.create(0x0000, bytes((0x3F, *_size(2 * _KEY_ENTRY), _DIR_FID, 0xF1, 0xFF, 0xFF)))
    script.add_key(0, _guarded(0x39, transport, follow=_AUTHENTICATION_STATUS))
    script.authenticate(transport)
    entry = _directory_entry(profile)
    script.create(_DIR_FID, bytes((0x2A, 2, len(entry), _ALWAYS, _AUTHENTICATED, 0xFF, 0xFF)))
    script.append(_DIR_FID, entry)
    for file in profile.root_files:
        script.create(file.fid, _description(profile, file))
    script.create(profile.adf_fid, b"\x38" + _size(_room(profile)) + b"\xf2\xf2\x95\xff\xff" + profile.aid)
    script.select(profile.aid)
    _create_keys(script, profile, transport)
    for file in profile.files:
        script.create(file.fid, _description(profile, file))
    for place in version.places:
        body = (initial or {}).get(place.sector, bytes(place.size))
        record = place.wrap(body, profile.sector_id_size)
        script.append_protected(profile.sector_sfi, record, transport)
    chip.power_off()


def personalise(
    chip: IssuableCard,
    *,
    asn: str,
    issuer: str,
    product: CardProduct,
    keys: CardKeys,
    start: dt.date,
    expiry: dt.date,
    sectors: Mapping[Place, bytes] | None = None,
    city: str | None = None,
    profile: CardProfile = TRANSIT_PROFILE,
    enabled: EnableFlag = EnableFlag.ENABLED,
) -> None:
    """Make a clone of a prepared blank the card ``asn`` (20 digits) of ``issuer`` (16 hex digits).

    Authenticates with the transport keys, replaces every key, writes what the profile says (EF 15 and EF 17
    with MAC), and the bodies of ``sectors`` that differ from the blank's. ``city`` (4 digits, GB/T 13497) is
    taken from the issuer unless given; with ``enabled`` NOT_ENABLED no terminal serves the card before it is
    activated. Raises ``PersonalisationFailed`` when the card refuses, such as one that was personalised
    before, and ``PurseAlgorithmNotAllowed`` for purse keys with which the chip cannot compute.
    """
    _check_algorithms(chip.profile, keys)
    contents = profile.contents(
        CardIdentity(
            issuer=issuer,
            asn=asn,
            start=start,
            expiry=expiry,
            city=city or issuer[4:8],
            kind=product.kind,
            enabled=enabled,
        )
    )
    transport = chip.profile.transport_key
    own = _guarded(0x39, keys.authentication, follow=_AUTHENTICATION_STATUS)
    script = Script(chip)
    script.power_on()
    script.authenticate(transport)
    script.change_key(0x39, 0, own)
    for fid, record in contents.root.items():
        script.update(fid, encode(record))
    script.select(profile.aid)
    script.authenticate(transport)
    for kind, name in _VERSIONED.items():
        secret = getattr(keys, name)
        entry = _versioned(kind, secret, keys.versions[name], keys.algorithms[name])
        script.change_key(kind, _index(profile, kind), entry)
    for kind, secret in zip(_GUARDED, (keys.maintenance, keys.pin_unblock, keys.pin_reload), strict=True):
        script.change_key(kind, 0, _guarded(kind, secret))
    script.change_key(0x39, 0, own)
    for fid, record in contents.application.items():
        script.update_protected(fid, encode(record), keys.maintenance)
    for place, body in (sectors or {}).items():
        written = place.wrap(body, profile.sector_id_size)
        script.replace_protected(profile.sector_sfi, place.number, written, keys.maintenance)
    chip.power_off()


def _clear(script: Script, transport: bytes) -> None:
    try:
        script.authenticate(transport)
    except PersonalisationFailed:
        return  # no key is there: the card is empty, or it refuses what comes next
    script.erase()


def _check_algorithms(profile: ChipProfile, keys: CardKeys) -> None:
    # The chip would take them and compute with 3DES: a card that no terminal and no host agrees with.
    for name in _PURSE:
        algorithm = keys.algorithms[name]
        if algorithm != Algorithm.TDES and algorithm not in profile.suites:
            raise PurseAlgorithmNotAllowed(
                purpose=name,
                version=keys.versions[name],
                algorithm=algorithm.name.lower(),
                profile=profile.name,
            )


def _create_keys(script: Script, profile: CardProfile, transport: bytes) -> None:
    script.create(0x0000, bytes((0x3F, *_size(_KEY_ROOM), 0x95, _AUTHENTICATED, 0xFF, 0xFF)))
    script.add_key(0, _guarded(0x39, transport, follow=_AUTHENTICATION_STATUS))
    script.authenticate(transport)
    for kind in _VERSIONED:
        script.add_key(_index(profile, kind), _versioned(kind, transport, 0, 0))
    for kind in _GUARDED:
        script.add_key(0, _guarded(kind, transport))
    pin = bytes((0x3A, _ALWAYS, _NEVER, _PIN_STATUS, _TRIES)) + profile.pin.encode("ascii")
    script.add_key(0, pin)


def _index(profile: CardProfile, kind: int) -> int:
    return {0x3E: profile.purchase_key, 0x3F: profile.load_key}.get(kind, 0)


def _versioned(kind: int, secret: bytes, version: int, algorithm: int) -> bytes:
    return bytes((kind, _ALWAYS, _AUTHENTICATED, version, algorithm)) + secret


def _guarded(kind: int, secret: bytes, follow: int = 0xFF) -> bytes:
    return bytes((kind, _ALWAYS, _AUTHENTICATED, follow, _TRIES)) + secret


def _size(size: int) -> bytes:
    return size.to_bytes(2, "big")


def _description(profile: CardProfile, file: CardFile) -> bytes:
    if file.kind is FileKind.PURSE:
        return bytes((0x2F, 0x02, 0x08, file.read, 0x00, 0xFF, profile.log_sfi))
    kind = file.kind | 0x80 if file.protected else int(file.kind)
    records = file.kind in {FileKind.FIXED, FileKind.CYCLIC}
    shape = bytes((file.records, file.record_size)) if records else _size(file.size)
    return bytes((kind,)) + shape + bytes((file.read, file.write, 0xFF, 0xFF))


def _room(profile: CardProfile) -> int:
    room = _FILE_COST + _KEY_ROOM
    for file in profile.files:
        size = _PURSE_BODY if file.kind is FileKind.PURSE else file.size
        extra = _CYCLIC_COST if file.kind is FileKind.CYCLIC else 0
        room += _FILE_COST + size + file.records + extra
    return room


def _directory_entry(profile: CardProfile) -> bytes:
    if profile.directory_entry:
        return profile.directory_entry
    name = b"\x4f" + bytes((len(profile.aid),)) + profile.aid
    return b"\x61" + bytes((len(name),)) + name
