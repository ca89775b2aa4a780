"""What egov keeps on a card: the rights that the city vouches for, so that a gate may honour them offline.

The code is AES-CMAC under the card's own key of the purpose ``egov-resident``, over the card's eight-byte
number and the record before it: copied to another card, or changed by whoever holds a SAM, it does not fit.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from citycard.card.codec import date, encode, evolve, examples, layout, raw, reserved, unsigned
from citycard.card.sector import SectorLayout
from citycard.keys import Algorithm, KeyPurpose
from citycard_egov.errors import ResidentCardInvalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from citycard_egov.settings import EgovSettings

__all__ = [
    "RESIDENT",
    "RESIDENT_KEY",
    "FeeFacts",
    "ResidentRecord",
    "checked_rights",
    "named",
    "resident_record",
]

RESIDENT_KEY = KeyPurpose(
    name="egov-resident",
    kind=0x5D,
    title="Signs the rights of a resident on the card",
    owner="egov",
    algorithm=Algorithm.AES,
)

_CODE = 8


@layout(size=24)
class ResidentRecord:
    """The rights of a card's holder: a bit for each, good until a day, with the code of the city."""

    version: int = unsigned(1, default=0, note="0 nothing was written, 1 this layout")
    rights: int = unsigned(2, default=0, note="bit n is the right whose mark is n")
    written_on: dt.date | None = date(default=None)
    until: dt.date | None = date(default=None, note="last day of the shortest right")
    reserved: bytes = reserved(5)
    code: bytes = raw(8, default=bytes(8), note="AES-CMAC, first 8 bytes")


@layout(size=16)
class FeeFacts:
    """What a terminal of an office adds to its record: which service, and the rights read from the card."""

    item: int = unsigned(2, note="number of the service")
    rights: int = unsigned(2, default=0)
    reserved: bytes = reserved(12)


_EXAMPLE = ResidentRecord(
    version=1,
    rights=0x0003,
    written_on=dt.date(2026, 3, 2),
    until=dt.date(2026, 8, 31),
    code=bytes.fromhex("0123456789ABCDEF"),
)
examples(ResidentRecord, ("01 0003 20260302 20260831 0000000000 0123456789ABCDEF", _EXAMPLE))
examples(FeeFacts, ("0007 0001 000000000000000000000000", FeeFacts(item=7, rights=1)))

RESIDENT = SectorLayout(
    name="egov-resident",
    title="Rights of a resident",
    title_zh="居民权益",
    record=ResidentRecord,
    examples=((encode(_EXAMPLE), _EXAMPLE),),  # type: ignore[arg-type]
)


def resident_record(
    settings: EgovSettings,
    rights: Mapping[str, dt.date | None],
    *,
    key: bytes,
    asn8: bytes,
    on: dt.date,
    until: dt.date,
) -> ResidentRecord:
    """Make the record of a card; ``rights`` by name with their last day, ``until`` the latest allowed."""
    marks = {one.name: one.mark for one in settings.rights}
    bits = sum(1 << marks[name] for name in rights if name in marks)
    last = min([until, *(day for name, day in rights.items() if day is not None and name in marks)])
    plain = ResidentRecord(version=1, rights=bits, written_on=on, until=last)
    return evolve(plain, code=_code(key, asn8, plain))


def checked_rights(
    settings: EgovSettings, record: ResidentRecord, *, key: bytes, asn8: bytes, on: dt.date
) -> frozenset[str]:
    """Give the names of the rights on a card today, none when nothing was written or its day is over.

    Raise ResidentCardInvalid for a record whose code is not the city's.
    """
    if record.version == 0 and not record.rights:
        return frozenset()
    if record.version != 1 or record.code != _code(key, asn8, record):
        raise ResidentCardInvalid(asn=asn8.hex(), reason="was not written by the city")
    if record.until is None or on > record.until:
        return frozenset()
    return frozenset(named(settings, record.rights))


def named(settings: EgovSettings, bits: int) -> Iterable[str]:
    """Give the names of rights whose bits are set."""
    return [one.name for one in settings.rights if bits >> one.mark & 1]


def _code(key: bytes, asn8: bytes, record: ResidentRecord) -> bytes:
    mac = CMAC(AES(key))
    mac.update(asn8 + encode(record)[:-_CODE])
    return mac.finalize()[:_CODE]
