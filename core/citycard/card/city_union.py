"""The files of cards after the ministry of housing 住建部: City Union (CJ/T 166; docs/card.md).

The issuer's eight bytes are issuer, city, industry and two reserved ones. Cities deviate: some add four bytes
to EF 15; Chongqing keeps its dates there before the number, and the number in EF 05 of the master file.
"""

from __future__ import annotations

import datetime as dt

from citycard.card.codec import bcd, date, examples, hexed, layout, reserved, unsigned

__all__ = ["ChongqingApplication", "CityUnionApplication", "CityUnionBitmapApplication", "CityUnionIssue"]


@layout(size=30)
class CityUnionIssue:
    """EF 05 of the master file, issue data (发行基本信息): who issued the card, its number, when."""

    issuer: str = hexed(2, note="issuer")
    city: str = bcd(2, note="city, the first digits of its postcode")
    industry: str = hexed(2, default="0000")
    spare: bytes = reserved(2)
    asn: str = hexed(8, note="city (2), main and sub type, serial (4)")
    main_type: int = unsigned(1, default=0)
    sub_type: int = unsigned(1, default=0)
    issued: dt.date | None = date(note="day of issue")
    device: str = hexed(6, default="000000000000", note="device that issued the card")
    version: str = hexed(2, default="0100", note="version of the card's files")


@layout(size=30)
class CityUnionApplication:
    """EF 15, public application data (公共应用基本信息)."""

    issuer: str = hexed(2, note="issuer")
    city: str = bcd(2, note="city, the first digits of its postcode")
    industry: str = hexed(2, default="0000")
    spare: bytes = reserved(2)
    enabled: int = unsigned(1, default=1, note="01 enabled; some cities leave 00")
    version: int = unsigned(1, default=1)
    interconnect: str = hexed(2, default="0000", note="interconnection between cities")
    asn: str = hexed(8, note="application serial number")
    start: dt.date | None = date(note="first day")
    expiry: dt.date | None = date(note="last day, included")
    main_type: int = unsigned(1, default=0)
    sub_type: int = unsigned(1, default=0)


@layout(size=34)
class CityUnionBitmapApplication:
    """EF 15 with the four bytes that say which further files the card has."""

    issuer: str = hexed(2, note="issuer")
    city: str = bcd(2, note="city, the first digits of its postcode")
    industry: str = hexed(2, default="0000")
    spare: bytes = reserved(2)
    enabled: int = unsigned(1, default=1, note="01 enabled; some cities leave 00")
    version: int = unsigned(1, default=1)
    interconnect: str = hexed(2, default="0000", note="interconnection between cities")
    asn: str = hexed(8, note="application serial number")
    start: dt.date | None = date(note="first day")
    expiry: dt.date | None = date(note="last day, included")
    main_type: int = unsigned(1, default=0)
    sub_type: int = unsigned(1, default=0)
    bitmap: str = hexed(4, default="00000000", note="which files follow")


@layout(size=32)
class ChongqingApplication:
    """EF 15 of Chongqing: dates at 8 to 15; the number is in EF 05 of the master file."""

    issuer: str = hexed(2, note="issuer")
    city: str = bcd(2, default="4000", note="city, the first digits of its postcode")
    industry: str = hexed(2, default="0000")
    spare: bytes = reserved(2)
    start: dt.date | None = date(note="first day")
    expiry: dt.date | None = date(note="last day, included")
    rest: bytes = reserved(16)


_START, _EXPIRY = dt.date(2015, 10, 10), dt.date(2065, 10, 10)

examples(
    CityUnionApplication,
    (
        "8475 3100 0000 0000 00 00 3100 3100000020915087 20151010 20651010 00 00",
        CityUnionApplication(
            issuer="8475",
            city="3100",
            enabled=0,
            version=0,
            interconnect="3100",
            asn="3100000020915087",
            start=_START,
            expiry=_EXPIRY,
        ),
    ),
)
examples(
    CityUnionBitmapApplication,
    (
        "8475 3100 0000 0000 01 01 0000 3100000020915087 20151010 20651010 00 00 C0000000",
        CityUnionBitmapApplication(
            issuer="8475",
            city="3100",
            asn="3100000020915087",
            start=_START,
            expiry=_EXPIRY,
            bitmap="C0000000",
        ),
    ),
)
examples(
    ChongqingApplication,
    (
        "4000 4000 0000 0000 20151010 20651010" + "00" * 16,
        ChongqingApplication(issuer="4000", start=_START, expiry=_EXPIRY),
    ),
)
examples(
    CityUnionIssue,
    (
        "8475 3100 0000 0000 3100000020915087 00 00 20151010 000000000000 0100",
        CityUnionIssue(issuer="8475", city="3100", asn="3100000020915087", issued=_START),
    ),
)
