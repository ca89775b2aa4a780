"""What the registry knows: districts, partners, places, terminals, products, cards, holders, rights.

Records are frozen and check themselves; a wrong field raises RegistryInvalid with record, key and field.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import attrs

from citycard.errors import Phrase, RegistryInvalid
from citycard.registry.changes import Change

__all__ = [
    "BlacklistEntry",
    "Card",
    "CardStatus",
    "CardStatusChange",
    "District",
    "Entitlement",
    "Holder",
    "HolderRead",
    "Partner",
    "PartnerChange",
    "PartnerStatus",
    "Place",
    "Product",
    "ProductVersion",
    "Terminal",
    "TerminalStatus",
    "is_account_no",
    "is_bic",
    "is_text",
]

_ID = re.compile(r"[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?")
_LONGEST_TEXT = 100


def _key(instance: Any) -> object:
    return getattr(instance, attrs.fields(type(instance))[0].name)


def _refuse(instance: Any, attribute: attrs.Attribute[Any], value: Any, expected: str) -> None:
    raise RegistryInvalid(
        record=type(instance).__name__.lower(),
        key=str(_key(instance)),
        field=attribute.name,
        value=value,
        expected=expected,
    )


def _matching(pattern: re.Pattern[str], expected: str) -> Callable[[Any, attrs.Attribute[Any], Any], None]:
    def check(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if not isinstance(value, str) or pattern.fullmatch(value) is None:
            _refuse(instance, attribute, value, expected)

    return check


def _within(lowest: int, highest: int) -> Callable[[Any, attrs.Attribute[Any], Any], None]:
    def check(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if not isinstance(value, int) or not lowest <= value <= highest:
            _refuse(
                instance,
                attribute,
                value,
                Phrase("a number from {lowest} to {highest}", lowest=lowest, highest=highest),
            )

    return check


def is_text(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    """Refuse what is no text, or longer than a column for names: a validator of attrs."""
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        _refuse(
            instance, attribute, value, Phrase("text of at most {longest} characters", longest=_LONGEST_TEXT)
        )


def _named(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST_TEXT:
        _refuse(instance, attribute, value, Phrase("1 to {longest} characters", longest=_LONGEST_TEXT))


def _day(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, date) or isinstance(value, datetime):
        _refuse(instance, attribute, value, "a day")


_identifier = _matching(_ID, "lower-case letters, digits and . _ - inside, at most 64 characters")
_optional_identifier = attrs.validators.optional(_identifier)
_asn = _matching(re.compile(r"[0-9]{20}"), "20 decimal digits")
_optional_asn = attrs.validators.optional(_asn)
# Eight zeros before the code of a city stand for that city (clearing.bucket).
_terminal_number = _matching(
    re.compile(r"(?!0{8})[0-9]{12}"), "12 decimal digits, not beginning with 8 zeros"
)
_issuer = _matching(re.compile(r"[0-9A-F]{16}"), "16 upper-case hexadecimal digits")
#: Validators of attrs, for whoever is paid.
is_bic = _matching(
    re.compile(r"([A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?)?"), "a BIC of 8 or 11 characters, or empty"
)
is_account_no = _matching(re.compile(r"([A-Z0-9]{5,34})?"), "5 to 34 letters and digits, or empty")


class PartnerStatus(StrEnum):
    """A suspended partner is not paid; its records are still accepted and kept."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class TerminalStatus(StrEnum):
    """A revoked terminal's records are refused from the moment of revocation on."""

    ACTIVE = "active"
    REVOKED = "revoked"


class CardStatus(StrEnum):
    """Where a card is in its life (docs/registry.md)."""

    STOCK = "stock"
    ISSUED = "issued"
    LOST = "lost"
    BLOCKED = "blocked"
    REPLACED = "replaced"
    RETURNED = "returned"


@attrs.frozen(kw_only=True)
class District:
    """A district of the city."""

    id: str = attrs.field(validator=_identifier)
    name: str = attrs.field(validator=_named)
    name_zh: str = attrs.field(default="", validator=is_text)


@attrs.frozen(kw_only=True)
class Partner:
    """Somebody who takes part and is paid: a bus company, a shop, a load agent.

    ``account_no`` and ``bank_bic`` are where settlements go; without them nothing can be paid out.
    """

    id: str = attrs.field(validator=_identifier)
    name: str = attrs.field(validator=_named)
    kind: str = attrs.field(default="operator", validator=_identifier)
    account_name: str = attrs.field(default="", validator=is_text)
    account_no: str = attrs.field(default="", validator=is_account_no)
    bank_bic: str = attrs.field(default="", validator=is_bic)
    district: str | None = attrs.field(default=None, validator=_optional_identifier)
    status: PartnerStatus = attrs.field(default=PartnerStatus.ACTIVE, converter=PartnerStatus)


@attrs.frozen(kw_only=True)
class Place:
    """Where terminals stand, as cards and records name it: ``code`` is an unsigned 32-bit number."""

    code: int = attrs.field(validator=_within(1, 0xFFFFFFFF))
    name: str = attrs.field(validator=_named)
    line: str = attrs.field(default="", validator=is_text)
    partner: str | None = attrs.field(default=None, validator=_optional_identifier)


@attrs.frozen(kw_only=True)
class Terminal:
    """A reader that debits or loads cards; ``number`` has 12 decimal digits."""

    number: str = attrs.field(validator=_terminal_number)
    partner: str = attrs.field(validator=_identifier)
    place: int | None = attrs.field(default=None, validator=attrs.validators.optional(_within(1, 0xFFFFFFFF)))
    opened_on: date = attrs.field(validator=_day)
    status: TerminalStatus = attrs.field(default=TerminalStatus.ACTIVE, converter=TerminalStatus)


@attrs.frozen(kw_only=True)
class Product:
    """A kind of card that is issued; ``kind`` is the byte that the card itself shows (EF17).

    After ``retired_on`` no new cards are made; those that are out go on.
    """

    name: str = attrs.field(validator=_identifier)
    title: str = attrs.field(validator=_named)
    title_zh: str = attrs.field(default="", validator=is_text)
    kind: int = attrs.field(validator=_within(0, 0xFF))
    retired_on: date | None = attrs.field(default=None, validator=attrs.validators.optional(_day))


@attrs.frozen(kw_only=True)
class ProductVersion:
    """Where the sectors of a product stand on its cards; ``layout`` is JSON and is never changed."""

    product: str = attrs.field(validator=_identifier)
    version: int = attrs.field(validator=_within(1, 0xFFFF))
    layout: str
    created_on: date | None = attrs.field(default=None, validator=attrs.validators.optional(_day))


@attrs.frozen(kw_only=True)
class Card:
    """A card that was made. ``asn`` has 20 digits, ``issuer`` 16 hexadecimal digits, dates are inclusive."""

    asn: str = attrs.field(validator=_asn)
    issuer: str = attrs.field(validator=_issuer)
    product: str = attrs.field(validator=_identifier)
    product_version: int = attrs.field(default=1, validator=_within(1, 0xFFFF))
    kind: int = attrs.field(validator=_within(0, 0xFF))
    issued_on: date = attrs.field(validator=_day)
    expires_on: date = attrs.field(validator=_day)
    holder: UUID | None = None
    status: CardStatus = attrs.field(default=CardStatus.ISSUED, converter=CardStatus)

    def __attrs_post_init__(self) -> None:
        if self.expires_on < self.issued_on:
            expected = Phrase("a day not before {issued_on}", issued_on=self.issued_on)
            _refuse(self, attrs.fields(Card).expires_on, self.expires_on, expected)


@attrs.frozen(kw_only=True)
class CardStatusChange:
    """One step in the life of a card, with its reason and who took it; ``at`` is aware UTC."""

    asn: str
    before: CardStatus
    after: CardStatus
    reason: str
    at: datetime
    actor: str = ""


@attrs.frozen(kw_only=True)
class PartnerChange(Change):
    """A field of a partner that somebody changed."""

    partner: str


@attrs.frozen(kw_only=True)
class Holder:
    """A person, in the clear. It is stored sealed, and every reading of it is logged."""

    id: UUID
    name: str = attrs.field(validator=_named, repr=False)
    id_number: str = attrs.field(default="", validator=is_text, repr=False)


@attrs.frozen(kw_only=True)
class HolderRead:
    """Who read the personal data of a holder, when and why; ``at`` is aware UTC."""

    holder: UUID
    reader: str
    purpose: str
    at: datetime


@attrs.frozen(kw_only=True)
class Entitlement:
    """A right of a holder or a card (``student``, ``over-65``), vouched for by ``source`` until ``ends_on``.

    Exactly one of ``asn`` and ``holder`` is given. Both days are inclusive; no end is for ever.
    """

    name: str = attrs.field(validator=_identifier)
    source: str = attrs.field(validator=_identifier)
    starts_on: date = attrs.field(validator=_day)
    ends_on: date | None = attrs.field(default=None, validator=attrs.validators.optional(_day))
    asn: str | None = attrs.field(default=None, validator=_optional_asn)
    holder: UUID | None = None

    def __attrs_post_init__(self) -> None:
        fields = attrs.fields(Entitlement)
        if (self.asn is None) == (self.holder is None):
            _refuse(self, fields.asn, self.asn, "either a card or a holder, and not both")
        if self.ends_on is not None and self.ends_on < self.starts_on:
            _refuse(
                self,
                fields.ends_on,
                self.ends_on,
                Phrase("a day not before {starts_on}", starts_on=self.starts_on),
            )


@attrs.frozen(kw_only=True)
class BlacklistEntry:
    """A card that terminals must refuse, from the list ``added_in`` until before the list ``removed_in``."""

    asn: str
    reason: str
    added_in: int
    removed_in: int | None = None
