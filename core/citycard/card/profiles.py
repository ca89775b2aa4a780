"""Card profiles beside the transit card's: what City Union and FMCOS cards carry (docs/card.md).

A profile says which files a card has and what personalisation writes into them; ``citycard.chip.PROFILES``
has, under the same names, the chips that such cards are.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import attrs

from citycard.card.city_union import (
    ChongqingApplication,
    CityUnionApplication,
    CityUnionBitmapApplication,
    CityUnionIssue,
)
from citycard.card.enums import FileKind
from citycard.card.files import (
    FREE,
    NEVER,
    TRANSIT_PROFILE,
    CardContents,
    CardFile,
    CardIdentity,
    CardProfile,
    LogRecord,
    PbocHolder,
    PublicApplication,
)

__all__ = [
    "CARD_PROFILES",
    "CHONGQING_PROFILE",
    "CITY_UNION_BITMAP_PROFILE",
    "CITY_UNION_PROFILE",
    "FMCOS_PROFILE",
]

_WITH_PIN, _AUTHENTICATED = 0xF1, 0xF2
_CITY_UNION_AID = bytes.fromhex("A00000000386980701")
_ASN_DIGITS = 16
_BOTH_PURSES = 3


def _application(record: type, size: int) -> CardFile:
    return CardFile(
        fid=0x15,
        title="Public application data",
        kind=FileKind.BINARY,
        size=size,
        protected=True,
        record=record,
    )


def _log(read: int = FREE) -> CardFile:
    return CardFile(
        fid=0x18,
        title="Purse log",
        kind=FileKind.CYCLIC,
        size=230,
        records=10,
        record_size=23,
        read=read,
        write=NEVER,
        record=LogRecord,
    )


def _purse(fid: int, title: str) -> CardFile:
    return CardFile(fid=fid, title=title, kind=FileKind.PURSE, size=22)


def _sectors(fid: int, size: int) -> CardFile:
    return CardFile(fid=fid, title="Sectors", kind=FileKind.VARIABLE, size=size, protected=True)


# ── City Union 住建部 ─────────────────────────────────────────────────────────────────────────────


def _issue(card: CardIdentity) -> CityUnionIssue:
    return CityUnionIssue(
        issuer=card.issuer[:4], city=card.city, asn=card.asn[-_ASN_DIGITS:], issued=card.start
    )


def _application_fields(card: CardIdentity) -> dict[str, Any]:
    return {
        "issuer": card.issuer[:4],
        "city": card.city,
        "enabled": int(card.enabled),
        "asn": card.asn[-_ASN_DIGITS:],
        "start": card.start,
        "expiry": card.expiry,
        "main_type": card.kind,
    }


def _city_union(card: CardIdentity) -> CardContents:
    application = CityUnionApplication(**_application_fields(card))
    return CardContents(root={0x05: _issue(card)}, application={0x15: application})


def _with_bitmap(card: CardIdentity) -> CardContents:
    application = CityUnionBitmapApplication(**_application_fields(card))
    return CardContents(root={0x05: _issue(card)}, application={0x15: application})


def _chongqing(card: CardIdentity) -> CardContents:
    application = ChongqingApplication(
        issuer=card.issuer[:4], city=card.city, start=card.start, expiry=card.expiry
    )
    return CardContents(root={0x05: _issue(card)}, application={0x15: application})


CITY_UNION_PROFILE = CardProfile(
    name="city-union",
    aid=_CITY_UNION_AID,
    mf_name=b"1PUB.SYS.DDF01",
    directory_entry=bytes.fromhex("7011610F4F09A0000000038698070150023F01"),
    root_files=(
        CardFile(
            fid=0x05,
            title="Issue data",
            kind=FileKind.BINARY,
            size=30,
            write=_AUTHENTICATED,
            record=CityUnionIssue,
        ),
    ),
    files=(
        _application(CityUnionApplication, 30),
        _sectors(0x17, 1024),
        _log(),
        _purse(0x02, "Electronic purse"),
    ),
    contents=_city_union,
    sector_id_size=1,
    sector_sfi=0x17,
    sector_room=1024,
)
"""A city card after CJ/T 166; sectors are the records of EF 17, with one-byte ids."""

CITY_UNION_BITMAP_PROFILE = attrs.evolve(
    CITY_UNION_PROFILE,
    name="city-union-34",
    files=(_application(CityUnionBitmapApplication, 34), *CITY_UNION_PROFILE.files[1:]),
    contents=_with_bitmap,
)
"""City Union with four bytes more in EF 15."""

CHONGQING_PROFILE = attrs.evolve(
    CITY_UNION_PROFILE,
    name="chongqing",
    files=(_application(ChongqingApplication, 32), *CITY_UNION_PROFILE.files[1:]),
    contents=_chongqing,
)
"""City Union as Chongqing has it: the number in EF 05 only, 32 bytes of EF 15 in the answer to SELECT."""


# ── PBOC passbook and purse on FMCOS ─────────────────────────────────────────────────────────────


def _pboc(card: CardIdentity) -> CardContents:
    application = PublicApplication(
        issuer=card.issuer,
        application_type=_BOTH_PURSES,
        asn=card.asn,
        start=card.start,
        expiry=card.expiry,
        enabled=card.enabled,
    )
    return CardContents(application={0x15: application})


FMCOS_PROFILE = CardProfile(
    name="fmcos",
    aid=_CITY_UNION_AID,
    files=(
        _application(PublicApplication, 30),
        CardFile(fid=0x16, title="Holder", kind=FileKind.BINARY, size=39, protected=True, record=PbocHolder),
        _log(_WITH_PIN),
        _sectors(0x19, 1024),
        _purse(0x01, "Electronic passbook"),
        _purse(0x02, "Electronic purse"),
    ),
    contents=_pboc,
    load_needs_pin=True,
    sector_id_size=1,
    sector_sfi=0x19,
    sector_room=1024,
)
"""A card with passbook and purse as PBOC has it: the PIN opens the log and loads."""

CARD_PROFILES: Mapping[str, CardProfile] = MappingProxyType(
    {
        "chongqing": CHONGQING_PROFILE,
        "city-union": CITY_UNION_PROFILE,
        "city-union-34": CITY_UNION_BITMAP_PROFILE,
        "fmcos": FMCOS_PROFILE,
        "t-union": TRANSIT_PROFILE,
    }
)
"""What can be issued, by the name of the make; "t-union" is the transit card of every city here."""
