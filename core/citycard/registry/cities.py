"""The other cities that take part: whose cards are served here, on what terms, and from when until when.

A city is told in time: unless said otherwise, one that is added takes part after 30 days, and one that is
removed leaves after 7. What was agreed as a fee stands for ever from its first day until the next one begins.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import attrs
from sqlalchemy import Connection, insert, select, update

from citycard.errors import Phrase, RegistryConflict, RegistryInvalid, RegistryMissing
from citycard.keys import SealKey
from citycard.money import percent_of
from citycard.registry.changes import Change, changes_of, hold_row, write_changes
from citycard.registry.citytables import (
    city_fee,
    city_issuer,
    city_key,
    city_list,
    other_city,
    other_city_change,
)
from citycard.registry.records import is_account_no, is_bic, is_text
from citycard.store.bulk import insert_missing

__all__ = [
    "EVERY_SERVICE",
    "NOTICE_TO_ADD",
    "NOTICE_TO_REMOVE",
    "CityChange",
    "CityFee",
    "OtherCity",
    "Used",
    "add_city",
    "add_city_key",
    "change_city",
    "city_fees",
    "city_history",
    "city_keys",
    "fee_on",
    "find_city",
    "lists_held",
    "note_list",
    "other_cities",
    "remove_city",
    "set_city_fee",
]

NOTICE_TO_ADD: Final = timedelta(days=30)
NOTICE_TO_REMOVE: Final = timedelta(days=7)

EVERY_SERVICE: Final = -1
"""Stands in a fee for every service that has none of its own."""

_CODE = re.compile(r"[0-9]{4}")
_ISSUER = re.compile(r"[0-9A-F]{16}")
_BP_MOST = 10_000
_SERVICES = range(-1, 0x10000)


class Used(StrEnum):
    """Where a card is used that is not at home: theirs here, or ours there."""

    HERE = "here"
    THERE = "there"


def _refuse(record: str, key: str, field: str, value: object, expected: str) -> None:
    raise RegistryInvalid(record=record, key=key, field=field, value=value, expected=expected)


@attrs.frozen(kw_only=True)
class OtherCity:
    """A city that takes part from ``valid_from`` to ``valid_to`` (None: for good), both days included.

    ``code`` is its four digits (GB/T 13497), ``issuers`` are the ids on its cards (EF 15, 16 hexadecimal
    digits), ``address`` says where files are exchanged, the account is the one it is paid on.
    """

    code: str
    name: str
    name_zh: str = attrs.field(default="", validator=is_text)
    issuers: tuple[str, ...]
    valid_from: date
    valid_to: date | None = None
    address: str = attrs.field(default="", validator=is_text)
    account_name: str = attrs.field(default="", validator=is_text)
    account_no: str = attrs.field(default="", validator=is_account_no)
    bank_bic: str = attrs.field(default="", validator=is_bic)

    def __attrs_post_init__(self) -> None:
        if not _CODE.fullmatch(self.code):
            _refuse("city", self.code, "code", self.code, "four digits")
        if not self.name.strip() or len(self.name) > 100:  # noqa: PLR2004 - what the column holds
            _refuse("city", self.code, "name", self.name, "1 to 100 characters")
        if not self.issuers or not all(map(_ISSUER.fullmatch, self.issuers)):
            expected = "at least one, each of 16 hexadecimal digits in capitals"
            _refuse("city", self.code, "issuers", self.issuers, expected)
        if self.valid_to is not None and self.valid_to < self.valid_from:
            _refuse(
                "city",
                self.code,
                "valid_to",
                self.valid_to,
                Phrase("not before {valid_from}", valid_from=self.valid_from),
            )

    def takes_part(self, day: date) -> bool:
        """Say whether the city takes part on a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@attrs.frozen(kw_only=True)
class CityFee:
    """What the acquirer gives up of a debit to the issuer's city: basis points, rounded half up, plus fen.

    ``used`` says whose cards it is about. It holds from ``valid_from`` until the next one of the same
    service begins; the day of the tap counts.
    """

    city: str
    used: Used = attrs.field(converter=Used)
    service: int = EVERY_SERVICE
    valid_from: date
    bp: int = 0
    fixed_fen: int = 0

    def __attrs_post_init__(self) -> None:
        if self.service not in _SERVICES:
            _refuse(
                "fee", self.city, "service", self.service, "a number from 0 to 65535, or -1 for every one"
            )
        if not 0 <= self.bp <= _BP_MOST:
            _refuse("fee", self.city, "bp", self.bp, "0 to 10000")
        if self.fixed_fen < 0:
            _refuse("fee", self.city, "fixed_fen", self.fixed_fen, "0 or more")

    def fee_fen(self, amount_fen: int) -> int:
        """Take the fee of one debit; it is never more than the debit."""
        return min(amount_fen, percent_of(amount_fen, self.bp, denominator=_BP_MOST) + self.fixed_fen)


@attrs.frozen(kw_only=True)
class CityChange(Change):
    """A field of a city that somebody changed."""

    city: str


def add_city(conn: Connection, city: OtherCity) -> bool:
    """Add a city, and say whether it is new; again without harm.

    Raise RegistryConflict when it is there and differs, or an issuer id is another city's.
    """
    wanted = attrs.evolve(city, issuers=tuple(sorted(city.issuers)))
    for there in other_cities(conn):
        shared = sorted({*there.issuers} & {*city.issuers}) if there.code != city.code else []
        if shared:
            raise RegistryConflict(
                record="issuer", key=shared[0], field="city", existing=there.code, wanted=city.code
            )
        if there.code == city.code and there != wanted:
            _differ("city", city.code, there, wanted)
    row = attrs.asdict(city)
    issuers = row.pop("issuers")
    if not insert_missing(conn, other_city, [row]):
        return False
    conn.execute(insert(city_issuer), [{"issuer": each, "city": city.code} for each in sorted(issuers)])
    return True


def _differ(record: str, key: str, there: OtherCity | CityFee, wanted: OtherCity | CityFee) -> None:
    for field in attrs.fields(type(there)):
        existing, new = getattr(there, field.name), getattr(wanted, field.name)
        if existing != new:
            raise RegistryConflict(record=record, key=key, field=field.name, existing=existing, wanted=new)


def change_city(
    conn: Connection,
    code: str,
    wanted: Mapping[str, Any],
    *,
    reason: str,
    actor: str = "",
    at: datetime | None = None,
) -> OtherCity:
    """Change fields of a city, such as its address or its account, and write down what, why and who.

    A field that has its value already is left alone. ``at`` is aware, now unless given. Raise
    RegistryMissing, or RegistryInvalid for a value that cannot be.
    """
    hold_row(conn, other_city.c.code, code)
    before = find_city(conn, code)
    after: OtherCity = attrs.evolve(before, **wanted)
    write_changes(
        conn, other_city.c.code, other_city_change, before, after, reason=reason, actor=actor, at=at
    )
    return after


def city_history(conn: Connection, code: str) -> list[CityChange]:
    """Give every change of a city, oldest first."""
    return changes_of(conn, other_city_change, CityChange, code)


def remove_city(conn: Connection, code: str, last: date) -> OtherCity:
    """Let a city take part until a last day and no longer; raise RegistryMissing.

    Raise RegistryInvalid for a last day before its first.
    """
    changed = attrs.evolve(find_city(conn, code), valid_to=last)
    conn.execute(update(other_city).where(other_city.c.code == code).values(valid_to=last))
    return changed


def other_cities(conn: Connection) -> list[OtherCity]:
    """Give every city that takes part, did, or will, by code."""
    issuers: dict[str, list[str]] = {}
    for row in conn.execute(select(city_issuer).order_by(city_issuer.c.issuer)):
        issuers.setdefault(row.city, []).append(row.issuer)
    rows = conn.execute(select(other_city).order_by(other_city.c.code))
    return [OtherCity(issuers=tuple(issuers[row.code]), **row._mapping) for row in rows]  # noqa: SLF001


def find_city(conn: Connection, code: str) -> OtherCity:
    """Give one city; raise RegistryMissing."""
    for city in other_cities(conn):
        if city.code == code:
            return city
    raise RegistryMissing(record="city", key=code)


def add_city_key(conn: Connection, code: str, pem: str, *, at: datetime) -> bool:
    """Believe a public key (Ed25519, PEM) of a city, and say whether it is new; raise SealKeyInvalid."""
    find_city(conn, code)
    public = SealKey.from_pem(pem).public32.hex()
    return bool(
        insert_missing(conn, city_key, [{"city": code, "public": public, "pem": pem.strip(), "added_at": at}])
    )


def city_keys(conn: Connection, code: str) -> list[SealKey]:
    """Give the keys by which a city's files are believed."""
    query = select(city_key.c.pem).where(city_key.c.city == code).order_by(city_key.c.added_at)
    return [SealKey.from_pem(pem) for pem in conn.scalars(query)]


def set_city_fee(conn: Connection, fee: CityFee) -> bool:
    """Agree on a fee from a day on, and say whether it is new.

    Raise RegistryMissing for the city, and RegistryConflict when another fee begins on that day.
    """
    find_city(conn, fee.city)
    row = attrs.asdict(fee) | {"used": fee.used.value}
    if insert_missing(conn, city_fee, [row]):
        return True
    for there in city_fees(conn, fee.city):
        if (there.used, there.service, there.valid_from) == (fee.used, fee.service, fee.valid_from):
            _differ("fee", f"{fee.city} from {fee.valid_from}", there, fee)
    return False


def city_fees(conn: Connection, code: str) -> list[CityFee]:
    """Give every fee that was ever agreed with a city, by service and first day."""
    query = select(city_fee).where(city_fee.c.city == code)
    rows = conn.execute(query.order_by(city_fee.c.used, city_fee.c.service, city_fee.c.valid_from))
    return [CityFee(**row._mapping) for row in rows]  # noqa: SLF001 - the documented way to read a row


def fee_on(fees: Sequence[CityFee], used: Used, service: int, day: date, amount_fen: int) -> int:
    """Take the fee of one debit of a service on a day; 0 where none was agreed."""
    for wanted in (service, EVERY_SERVICE):
        standing = [
            fee for fee in fees if (fee.used, fee.service) == (used, wanted) and fee.valid_from <= day
        ]
        if standing:
            return max(standing, key=lambda fee: fee.valid_from).fee_fen(amount_fen)
    return 0


def note_list(conn: Connection, code: str, whose: str, pairs: Sequence[tuple[int, int]]) -> None:
    """Note which list of the other city lists hold: from each number on, in ``ours`` or in ``theirs``."""
    rows: list[dict[str, Any]] = [
        {"city": code, "whose": whose, "number": number, "holds": holds} for number, holds in pairs
    ]
    insert_missing(conn, city_list, rows)


def lists_held(conn: Connection, code: str, whose: str) -> tuple[tuple[int, int], ...]:
    """Give what ``note_list`` noted, by number."""
    query = select(city_list.c.number, city_list.c.holds).where(
        city_list.c.city == code, city_list.c.whose == whose
    )
    return tuple(
        (row.number, row.holds) for row in conn.execute(query.order_by(city_list.c.number, city_list.c.holds))
    )
