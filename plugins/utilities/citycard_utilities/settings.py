"""``[plugins.utilities]`` of city.toml: kinds of bill, billers, late fees, prices of prepaid credit.

docs/utilities.md explains each table with an example. Amounts are fen; units of water, gas or current are
counted in hundredths.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import attrs
from attrs.validators import ge, gt, le, matches_re, min_len

from citycard_utilities.errors import BillerUnknown, UtilitySettingsInvalid

__all__ = [
    "HOME",
    "Biller",
    "Concession",
    "Currency",
    "Kind",
    "LateFee",
    "Price",
    "Tier",
    "UtilitySettings",
]

HOME = "CNY"
_WORD = r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?"
_MOST_PREPAID = 3
_MOST_DAYS = 366


@attrs.frozen(kw_only=True)
class Kind:
    """A kind of bill; ``prepaid`` kinds have a sector on the card, by which credit travels to the meter."""

    name: str = attrs.field(validator=matches_re(r"[a-z][a-z0-9-]{0,19}"))
    title: str = attrs.field(validator=min_len(1))
    title_zh: str = ""
    unit: str = ""
    currency: str = HOME
    prepaid: bool = False


@attrs.frozen(kw_only=True)
class Currency:
    """What a currency costs: ``per`` of its smallest units are ``fen`` fen. A bill is converted at once."""

    code: str = attrs.field(validator=matches_re(r"[A-Z]{3}"))
    fen: int = attrs.field(validator=gt(0))
    per: int = attrs.field(default=100, validator=gt(0))

    def in_fen(self, minor: int) -> int:
        """Convert smallest units of the currency, rounded half up to a whole fen."""
        return (minor * self.fen * 2 + self.per) // (2 * self.per)


@attrs.frozen(kw_only=True)
class Biller:
    """Who sends bills: ``id`` is its id as a partner, ``number`` stands in the records of terminals.

    ``surplus`` says what becomes of money that pays nothing: ``credit`` keeps it for the household's next
    bill, ``give-back`` returns it. Mandates collect ``collect_days`` before a bill is due, and try again so
    many days after each refusal as ``retry_days`` says, then give up. ``fee_bp`` is what the city keeps of
    payments from online accounts, in basis points; of card payments clearing keeps its own fee.
    """

    id: str = attrs.field(validator=matches_re(_WORD))
    number: int = attrs.field(validator=[ge(1), le(0xFFFF)])
    kind: str
    name: str = attrs.field(validator=min_len(1))
    name_zh: str = ""
    account: str = attrs.field(default="", validator=matches_re(r"([A-Z0-9]{5,34})?"))
    bic: str = attrs.field(default="", validator=matches_re(r"([A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?)?"))
    surplus: Literal["credit", "give-back"] = "credit"
    collect_days: int = attrs.field(default=3, validator=[ge(0), le(_MOST_DAYS)])
    retry_days: tuple[int, ...] = (1, 2, 4)
    fee_bp: int = attrs.field(default=0, validator=[ge(0), le(10_000)])

    def __attrs_post_init__(self) -> None:
        if any(type(day) is not int or not 0 < day <= _MOST_DAYS for day in self.retry_days):
            raise UtilitySettingsInvalid(
                field=f"billers.{self.id}.retry_days",
                value=list(self.retry_days),
                expected="days of 1 to 366",
            )


@attrs.frozen(kw_only=True)
class LateFee:
    """What a bill of these kinds costs more after its due date: so much a day, at most so much in all."""

    name: str = attrs.field(validator=min_len(1))
    kinds: tuple[str, ...] = attrs.field(validator=min_len(1))
    grace_days: int = attrs.field(default=0, validator=ge(0))
    bp_per_day: int = attrs.field(validator=[ge(0), le(10_000)])
    most_bp: int = attrs.field(default=10_000, validator=ge(0))


@attrs.frozen(kw_only=True)
class Tier:
    """The price of a unit above so many units bought in the calendar year (阶梯价格)."""

    above_units: int = attrs.field(validator=ge(0))
    fen: int = attrs.field(validator=ge(0))


@attrs.frozen(kw_only=True)
class Price:
    """What prepaid credit of a kind costs, by tiers of whole units a year; the first begins at 0."""

    name: str = attrs.field(validator=min_len(1))
    kind: str
    tiers: tuple[Tier, ...] = attrs.field(validator=min_len(1))

    def __attrs_post_init__(self) -> None:
        edges = [tier.above_units for tier in self.tiers]
        if edges[0] != 0 or edges != sorted(set(edges)):
            raise UtilitySettingsInvalid(
                field=f"prices.{self.name}.tiers", value=edges, expected="above_units begins at 0 and rises"
            )


@attrs.frozen(kw_only=True)
class Concession:
    """What cards of some kinds pay of the price of prepaid credit, in percent."""

    name: str = attrs.field(validator=min_len(1))
    kinds: tuple[str, ...] = attrs.field(validator=min_len(1))
    card_kinds: tuple[int, ...] = attrs.field(validator=min_len(1))
    percent: int = attrs.field(validator=[ge(0), le(100)])


_KINDS = (
    Kind(name="water", title="Water", title_zh="水费", unit="m³"),
    Kind(name="electricity", title="Electricity", title_zh="电费", unit="kWh", prepaid=True),
    Kind(name="gas", title="Gas", title_zh="燃气费", unit="m³", prepaid=True),
    Kind(name="heating", title="Heating", title_zh="供暖费"),
    Kind(name="telephone", title="Telephone", title_zh="固定电话费"),
    Kind(name="mobile", title="Mobile telephone", title_zh="移动电话费"),
    Kind(name="cable-tv", title="Cable television", title_zh="有线电视费"),
    Kind(name="broadband", title="Broadband", title_zh="宽带费"),
)


@attrs.frozen(kw_only=True)
class UtilitySettings:
    """Everything that a city says about its bills.

    ``pending_minutes`` is how long a payment that was broken off waits before the job finishes it.
    """

    kinds: tuple[Kind, ...] = _KINDS
    currencies: tuple[Currency, ...] = ()
    billers: tuple[Biller, ...] = ()
    late_fees: tuple[LateFee, ...] = ()
    prices: tuple[Price, ...] = ()
    concessions: tuple[Concession, ...] = ()
    pending_minutes: int = attrs.field(default=2, validator=ge(0))
    most_file_mib: int = attrs.field(default=64, validator=[ge(1), le(1024)])

    def biller(self, name: str) -> Biller:
        """Find a biller by its id; raise BillerUnknown."""
        for one in self.billers:
            if one.id == name:
                return one
        raise BillerUnknown(biller=repr(name[:40]), known=self._known())

    def numbered(self, number: int) -> Biller:
        """Find a biller by the number in records; raise BillerUnknown."""
        for one in self.billers:
            if one.number == number:
                return one
        raise BillerUnknown(biller=number, known=self._known())

    def kind(self, name: str) -> Kind:
        """Give a kind that is declared."""
        return next(kind for kind in self.kinds if kind.name == name)

    def currency(self, code: str) -> Currency | None:
        """Give what a currency costs; None when bills in it are not taken."""
        if code == HOME:
            return Currency(code=HOME, fen=1, per=1)
        return next((one for one in self.currencies if one.code == code), None)

    def _known(self) -> str:
        return ", ".join(f"{one.id} ({one.number})" for one in self.billers) or "none: [[billers]] is empty"

    def __attrs_post_init__(self) -> None:
        _once("kinds", [kind.name for kind in self.kinds])
        _once("currencies", [one.code for one in self.currencies])
        _once("billers", [one.id for one in self.billers])
        _once("billers: number", [one.number for one in self.billers])
        rules: tuple[LateFee | Price | Concession, ...] = (*self.late_fees, *self.prices, *self.concessions)
        _once("rules", [rule.name for rule in rules])
        kinds = {kind.name for kind in self.kinds}
        prepaid = [kind.name for kind in self.kinds if kind.prepaid]
        _among("billers: kind", [one.kind for one in self.billers], kinds)
        _among("late_fees: kinds", [name for one in self.late_fees for name in one.kinds], kinds)
        _once("late_fees: kinds", [name for one in self.late_fees for name in one.kinds])
        _among("prices: kind", [one.kind for one in self.prices], set(prepaid))
        _once("prices: kind", [one.kind for one in self.prices])
        _among("concessions: kinds", [name for one in self.concessions for name in one.kinds], set(prepaid))
        _among(
            "kinds: currency",
            [kind.currency for kind in self.kinds],
            {HOME, *(one.code for one in self.currencies)},
        )
        if len(prepaid) > _MOST_PREPAID:
            expected = f"at most {_MOST_PREPAID} prepaid kinds: each takes a sector of the card"
            raise UtilitySettingsInvalid(field="kinds", value=prepaid, expected=expected)


def _once(field: str, values: list[str] | list[int]) -> None:
    for value in values:
        if values.count(value) > 1:  # type: ignore[arg-type]
            raise UtilitySettingsInvalid(field=field, value=value, expected="each once")


def _among(field: str, values: Iterable[str], known: set[str]) -> None:
    for value in values:
        if value not in known:
            expected = f"expected one of {', '.join(sorted(known)) or 'none'}"
            raise UtilitySettingsInvalid(field=field, value=value, expected=expected)
