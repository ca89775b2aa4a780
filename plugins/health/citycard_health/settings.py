"""``[plugins.health]`` of city.toml: who takes part, what things cost, and who pays which part of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs
from attrs.validators import (
    and_,
    deep_iterable,
    deep_mapping,
    ge,
    gt,
    in_,
    instance_of,
    le,
    matches_re,
    min_len,
)

from citycard_health.errors import SettingInvalid

__all__ = [
    "REGISTRATION",
    "SPORTS",
    "Clinic",
    "Concession",
    "Dose",
    "HealthSettings",
    "Insurer",
    "Item",
    "Level",
    "Plan",
    "Product",
    "Sports",
    "Vaccine",
    "Venue",
]

REGISTRATION, SPORTS = "health-registration", "health-sports"

_PARTNER = matches_re(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
_NAME = matches_re(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
_ACCOUNT = matches_re(r"([A-Z0-9]{5,34})?")
_BIC = matches_re(r"([A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?)?")
_PERCENT = and_(instance_of(int), ge(0), le(100))
_MOST_FEN = 10**9
_FEN = and_(instance_of(int), ge(0), le(_MOST_FEN))


@attrs.frozen(kw_only=True)
class Product:
    """A health card that is issued; ``entitlements`` are what concessions ask for."""

    name: str = attrs.field(validator=_NAME)
    title: str
    title_zh: str = ""
    kind: int = attrs.field(validator=[ge(56), le(59)])
    entitlements: tuple[str, ...] = ()
    validity_years: int = attrs.field(default=10, validator=[gt(0), le(99)])


@attrs.frozen(kw_only=True)
class Clinic:
    """A clinic or hospital: ``id`` is its id as a partner, ``account`` and ``bic`` where it is paid."""

    id: str = attrs.field(validator=_PARTNER)
    name: str = attrs.field(validator=min_len(1))
    name_zh: str = ""
    account: str = attrs.field(default="", validator=_ACCOUNT)
    bic: str = attrs.field(default="", validator=_BIC)


@attrs.frozen(kw_only=True)
class Insurer:
    """Whoever pays claims, a partner too; what it owes stands on the account ``health/insurer/<id>``."""

    id: str = attrs.field(validator=_PARTNER)
    name: str = attrs.field(validator=min_len(1))
    name_zh: str = ""


@attrs.frozen(kw_only=True)
class Level:
    """A level of doctor, and the fee of registering for one (挂号费); ``number`` stands in records."""

    number: int = attrs.field(validator=[ge(1), le(255)])
    name: str = attrs.field(validator=min_len(1))
    name_zh: str = ""
    fee_fen: int = attrs.field(validator=_FEN)


@attrs.frozen(kw_only=True)
class Concession:
    """What holders of an entitlement pay of a fee, in percent of it."""

    name: str = attrs.field(validator=_NAME)
    services: tuple[str, ...] = attrs.field(
        default=(REGISTRATION, SPORTS), validator=deep_iterable(in_((REGISTRATION, SPORTS)), min_len(1))
    )
    only_for: tuple[str, ...] = attrs.field(validator=min_len(1))
    percent: int = attrs.field(validator=_PERCENT)


@attrs.frozen(kw_only=True)
class Item:
    """Something a visit can contain; ``coverage`` is the class by which a plan pays for it: A, B, C."""

    code: str = attrs.field(validator=_NAME)
    title: str = attrs.field(validator=min_len(1))
    title_zh: str = ""
    coverage: str = attrs.field(validator=min_len(1))
    price_fen: int = attrs.field(validator=[_FEN, gt(0)])


@attrs.frozen(kw_only=True)
class Plan:
    """What an insurer pays: a percentage of each class above a yearly deductible, up to a yearly ceiling.

    A class that ``percents`` does not name is not covered, and does not count for the deductible.
    """

    name: str = attrs.field(validator=_NAME)
    title: str = attrs.field(validator=min_len(1))
    title_zh: str = ""
    insurer: str
    deductible_fen: int = attrs.field(default=0, validator=_FEN)
    ceiling_fen: int = attrs.field(validator=_FEN)
    percents: Mapping[str, int] = attrs.field(validator=deep_mapping(instance_of(str), _PERCENT))


@attrs.frozen(kw_only=True)
class Dose:
    """A dose is due at an age in days, and never sooner than ``interval_days`` after the one before."""

    age_days: int = attrs.field(validator=ge(0))
    interval_days: int = attrs.field(default=0, validator=ge(0))


@attrs.frozen(kw_only=True)
class Vaccine:
    """A vaccine and its schedule; ``code`` is written as a CVX code where ``cvx`` gives one."""

    code: str = attrs.field(validator=_NAME)
    title: str = attrs.field(validator=min_len(1))
    title_zh: str = ""
    cvx: str = attrs.field(default="", validator=matches_re(r"[0-9]{0,4}"))
    doses: tuple[Dose, ...] = attrs.field(validator=min_len(1))

    def __attrs_post_init__(self) -> None:
        ages = [dose.age_days for dose in self.doses]
        if ages != sorted(ages):
            raise SettingInvalid(where=f"vaccines.{self.code}", reason="doses come in the order of their age")


@attrs.frozen(kw_only=True)
class Venue:
    """A sports hall that takes money of the social-security account; ``id`` is its id as a partner."""

    id: str = attrs.field(validator=_PARTNER)
    name: str = attrs.field(validator=min_len(1))
    name_zh: str = ""
    price_fen: int = attrs.field(validator=[_FEN, gt(0)])
    account: str = attrs.field(default="", validator=_ACCOUNT)
    bic: str = attrs.field(default="", validator=_BIC)


@attrs.frozen(kw_only=True)
class Sports:
    """Sports paid from the social-security account: which programme, how much a year, and where."""

    programme: str = attrs.field(default="health-sports", validator=_NAME)
    funder: str = attrs.field(default="Social security office", validator=min_len(1))
    year_cap_fen: int = attrs.field(default=50_000, validator=_FEN)
    venues: tuple[Venue, ...] = ()


@attrs.frozen(kw_only=True)
class HealthSettings:
    """Everything that a city says about health. Times are in minutes and days of the city's own calendar."""

    products: tuple[Product, ...] = ()
    clinics: tuple[Clinic, ...] = ()
    insurers: tuple[Insurer, ...] = ()
    levels: tuple[Level, ...] = (Level(number=1, name="Doctor", name_zh="普通门诊", fee_fen=500),)
    concessions: tuple[Concession, ...] = ()
    items: tuple[Item, ...] = ()
    plans: tuple[Plan, ...] = ()
    vaccines: tuple[Vaccine, ...] = ()
    sports: Sports = Sports()
    booking_days: int = attrs.field(default=14, validator=[ge(1), le(365)])
    cancel_minutes: int = attrs.field(default=60, validator=ge(0))
    no_show_hours: int = attrs.field(default=24, validator=ge(1))
    open_bookings: int = attrs.field(default=3, validator=ge(1))

    def __attrs_post_init__(self) -> None:
        _once("products", [one.name for one in self.products])
        _once("products", [str(one.kind) for one in self.products])
        _once("levels", [str(one.number) for one in self.levels])
        _once("items", [one.code for one in self.items])
        _once("plans", [one.name for one in self.plans])
        _once("vaccines", [one.code for one in self.vaccines])
        _once("concessions", [one.name for one in self.concessions])
        _once("clinics, insurers and venues", [one.id for one in self.partners])
        insurers = {one.id for one in self.insurers}
        for plan in self.plans:
            if plan.insurer not in insurers:
                reason = f"insurer {plan.insurer!r} is not declared; declared are {_words(insurers)}"
                raise SettingInvalid(where=f"plans.{plan.name}", reason=reason)
        given = {name for product in self.products for name in product.entitlements}
        classes = {item.coverage for item in self.items}
        for plan in self.plans:
            unknown = set(plan.percents) - classes if classes else set()
            if unknown:
                reason = f"no item is of class {_words(unknown)}; classes are {_words(classes)}"
                raise SettingInvalid(where=f"plans.{plan.name}.percents", reason=reason)
        for concession in self.concessions:
            if self.products and given.isdisjoint(concession.only_for):
                reason = f"no product has {_words(concession.only_for)}; products have {_words(given)}"
                raise SettingInvalid(where=f"concessions.{concession.name}", reason=reason)

    @property
    def partners(self) -> tuple[Clinic | Insurer | Venue, ...]:
        """Return all who take part: clinics, insurers and venues."""
        return (*self.clinics, *self.insurers, *self.sports.venues)

    def plan(self, name: str) -> Plan | None:
        """Find a plan by name; None where the city has none of it."""
        return next((one for one in self.plans if one.name == name), None)

    def item(self, code: str) -> Item | None:
        """Find an item by its code."""
        return next((one for one in self.items if one.code == code), None)

    def vaccine(self, code: str) -> Vaccine | None:
        """Find a vaccine by its code."""
        return next((one for one in self.vaccines if one.code == code), None)

    def venue(self, name: str) -> Venue | None:
        """Find a venue by its partner."""
        return next((one for one in self.sports.venues if one.id == name), None)

    def named(self, partner: str, language: str = "en") -> str:
        """Say what people call a clinic, an insurer or a venue; one that is declared no more has its id."""
        found = next((one for one in self.partners if one.id == partner), None)
        if found is None:
            return partner
        return (found.name_zh if language == "zh" else "") or found.name

    def reader_named(self, reader: str, language: str = "en") -> str:
        """Name the clinic of whoever read somebody's data: ``partner east``, or ``east: Dr Li`` at a till."""
        partner, colon, staff = reader.removeprefix("partner ").partition(": ")
        return f"{self.named(partner, language)}{colon}{staff}"

    def has_clinic(self, name: str) -> bool:
        """Say whether a partner is one of the clinics."""
        return any(one.id == name for one in self.clinics)

    def entitlements(self, kind: int) -> frozenset[str]:
        """Give what a health card of a kind entitles to; nothing for other cards."""
        return frozenset(name for one in self.products if one.kind == kind for name in one.entitlements)


def _words(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _once(where: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise SettingInvalid(where=where, reason=f"{name} is declared twice")
