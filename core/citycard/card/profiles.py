"""Card profiles beside the transit card's: what City Union and FMCOS cards carry (docs/card.md).

A profile says which files a card has and what personalisation writes into them; ``citycard.chip.PROFILES``
has, under the same names, the chips that such cards are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

import attrs

from citycard.card.city_union import (
    ChongqingApplication,
    CityUnionApplication,
    CityUnionBitmapApplication,
    CityUnionIssue,
)
from citycard.card.codec import decode
from citycard.card.enums import EnableFlag, FileKind
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
from citycard.errors import FieldInvalid

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
_ASN_HEAD, _ISSUER_TAIL = "0000", "FFFFFFFF"
_PURSE, _BOTH_PURSES = 2, 3
_FLAGS = frozenset(int(flag) for flag in EnableFlag)
_Application = TypeVar("_Application", CityUnionApplication, CityUnionBitmapApplication)


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
        issuer=card.issuer[:4],
        city=card.city,
        asn=card.asn[-_ASN_DIGITS:],
        main_type=card.kind,
        issued=card.start,
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


def _number(asn: str) -> str:
    """Write a number of 8 bytes as registry and records want it; CodecError when it has other digits."""
    if not asn.isdigit():
        raise FieldInvalid(layout="EF", field="asn", value=asn, expected="16 decimal digits")
    return _ASN_HEAD + asn


def _reads(record: type[_Application]) -> Callable[[Mapping[int, bytes]], CardIdentity | None]:
    def identify(files: Mapping[int, bytes]) -> CardIdentity | None:
        application = decode(record, files[0x15])
        if application.enabled not in _FLAGS:
            return None
        return CardIdentity(
            issuer=application.issuer + application.city + _ISSUER_TAIL,
            asn=_number(application.asn),
            start=application.start,
            expiry=application.expiry,
            city=application.city,
            kind=application.main_type,
            enabled=EnableFlag(application.enabled),
        )

    return identify


def _chongqing_identity(files: Mapping[int, bytes]) -> CardIdentity | None:
    application, issue = decode(ChongqingApplication, files[0x15]), decode(CityUnionIssue, files[0x05])
    # These cards have no flag: they are enabled as they are made.
    return CardIdentity(
        issuer=application.issuer + application.city + _ISSUER_TAIL,
        asn=_number(issue.asn),
        start=application.start,
        expiry=application.expiry,
        city=application.city,
        kind=issue.main_type,
    )


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
    identify=_reads(CityUnionApplication),
    identity_files=(0x15,),
    own_numbers=_ASN_HEAD,
    journey_sfi=None,
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
    identify=_reads(CityUnionBitmapApplication),
)
"""City Union with four bytes more in EF 15."""

CHONGQING_PROFILE = attrs.evolve(
    CITY_UNION_PROFILE,
    name="chongqing",
    files=(_application(ChongqingApplication, 32), *CITY_UNION_PROFILE.files[1:]),
    contents=_chongqing,
    identify=_chongqing_identity,
    identity_root=(0x05,),
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


def _pboc_identity(files: Mapping[int, bytes]) -> CardIdentity | None:
    application = decode(PublicApplication, files[0x15])
    # Nothing on the card says a kind or whether other cities take it: it is for its own city.
    return CardIdentity(
        issuer=application.issuer,
        asn=application.asn,
        start=application.start,
        expiry=application.expiry,
        city=application.issuer[4:8],
        kind=0,
        enabled=application.enabled,
        interoperable=False,
        has_purse=application.application_type in {_PURSE, _BOTH_PURSES},
    )


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
    identify=_pboc_identity,
    identity_files=(0x15,),
    journey_sfi=None,
    cache_needs_mac=True,
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
