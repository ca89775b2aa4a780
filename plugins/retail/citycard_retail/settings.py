"""``[plugins.retail]`` of city.toml: fee tiers, categories of merchants, reductions, the online supermarket.

One table of tiers holds for tills and for payments online. docs/retail.md explains each table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import attrs
from attrs.validators import ge, gt, in_, le, matches_re, min_len, optional

from citycard_retail.errors import RetailValueInvalid, TierUnknown

__all__ = ["Category", "Reduction", "RetailSettings", "Supermarket", "Tier"]

_NAME = r"[a-z][a-z0-9-]{0,19}"
_PARTNER = r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?"
_WHOLE_BP = 10_000


@attrs.frozen(kw_only=True)
class Tier:
    """What the city takes of a sale: ``bp`` basis points, at least ``least_fen``, at most ``most_fen``.

    Sales up to ``free_up_to_fen`` are free. No fee is more than the sale. ``returns`` says which fees come
    back with the money: those of ``none``, of ``voids`` alone, or of ``all``, refunds too. ``number`` stands
    in the records of tills and is never given to another tier.
    """

    name: str = attrs.field(validator=matches_re(_NAME))
    number: int = attrs.field(validator=[ge(1), le(255)])
    bp: int = attrs.field(validator=[ge(0), le(_WHOLE_BP)])
    least_fen: int = attrs.field(default=0, validator=ge(0))
    most_fen: int | None = attrs.field(default=None, validator=optional(ge(0)))
    free_up_to_fen: int = attrs.field(default=0, validator=ge(0))
    returns: Literal["none", "voids", "all"] = attrs.field(
        default="all", validator=in_(("none", "voids", "all"))
    )

    def __attrs_post_init__(self) -> None:
        if self.most_fen is not None and self.most_fen < self.least_fen:
            raise RetailValueInvalid(
                field=f"tiers {self.name}: most_fen", value=self.most_fen, expected="least_fen or more"
            )


@attrs.frozen(kw_only=True)
class Category:
    """A kind of merchant: its name is the kind of partner that clearing and subsidies know.

    ``mcc`` is its merchant category code (ISO 18245). ``tiers`` may be given to it; the first is given when
    an application names none.
    """

    name: str = attrs.field(validator=matches_re(_NAME))
    title: str = attrs.field(validator=min_len(1))
    title_zh: str = ""
    mcc: str = attrs.field(validator=matches_re(r"[0-9]{4}"))
    tiers: tuple[str, ...] = attrs.field(validator=min_len(1))


@attrs.frozen(kw_only=True)
class Reduction:
    """What some customers pay, in ``percent`` of the price, in ``categories`` of merchants (all when empty).

    ``card_kinds`` are kinds of card, which tills see; ``only_for`` are entitlements, which count online.
    """

    name: str = attrs.field(validator=matches_re(_NAME))
    percent: int = attrs.field(validator=[ge(0), le(100)])
    categories: tuple[str, ...] = ()
    card_kinds: tuple[int, ...] = ()
    only_for: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Supermarket:
    """The online E-supermarket: the partner that sells, and how long what was delivered can be returned."""

    partner: str = attrs.field(default="e-supermarket", validator=matches_re(_PARTNER))
    return_days: int = attrs.field(default=7, validator=ge(0))
    most_of_one: int = attrs.field(default=99, validator=[ge(1), le(9999)])


_TIERS = (
    Tier(name="standard", number=1, bp=60, least_fen=1, most_fen=5000),
    Tier(name="small", number=2, bp=38, free_up_to_fen=1000),
    Tier(name="catering", number=3, bp=80, least_fen=2, returns="voids"),
    Tier(name="hotel", number=4, bp=100, most_fen=10_000, returns="voids"),
)

_CATEGORIES = (
    Category(name="shop", title="Shop", title_zh="商店", mcc="5399", tiers=("standard", "small")),
    Category(
        name="supermarket", title="Supermarket", title_zh="超市", mcc="5411", tiers=("small", "standard")
    ),
    Category(name="restaurant", title="Restaurant", title_zh="餐馆", mcc="5812", tiers=("catering",)),
    Category(name="hotel", title="Hotel", title_zh="酒店", mcc="7011", tiers=("hotel",)),
    Category(name="kiosk", title="Kiosk", title_zh="报刊亭", mcc="5994", tiers=("small",)),
    Category(
        name="convenience",
        title="Convenience store",
        title_zh="便利店",
        mcc="5499",
        tiers=("small", "standard"),
    ),
    Category(name="online-shop", title="Online shop", title_zh="网上商城", mcc="5964", tiers=("standard",)),
)


@attrs.frozen(kw_only=True)
class RetailSettings:
    """Everything that a city says about its merchants. ``fees_partner`` gets the fees of both channels.

    ``fees_account`` and ``fees_bic`` are where it is paid. Tills get numbers from ``first_terminal`` on,
    after the city's code. A hotel holds for ``hold_days`` unless it says otherwise. ``most_sale_fen`` bounds
    one sale online. ``shopping`` names, by category, the partners where people of a simulated city shop.
    """

    tiers: tuple[Tier, ...] = _TIERS
    categories: tuple[Category, ...] = _CATEGORIES
    reductions: tuple[Reduction, ...] = ()
    supermarket: Supermarket = Supermarket()
    fees_partner: str = attrs.field(default="retail-fees", validator=matches_re(_PARTNER))
    fees_name: str = attrs.field(default="Retail fees", validator=min_len(1))
    fees_account: str = attrs.field(default="", validator=matches_re(r"([A-Z0-9]{5,34})?"))
    fees_bic: str = attrs.field(default="", validator=matches_re(r"([A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?)?"))
    first_terminal: int = attrs.field(default=20_000_001, validator=[gt(0), le(99_000_000)])
    hold_days: int = attrs.field(default=14, validator=[ge(1), le(31)])
    most_sale_fen: int = attrs.field(default=500_000, validator=gt(0))
    shopping: Mapping[str, str] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        _once("tiers: name", [tier.name for tier in self.tiers])
        _once("tiers: number", [str(tier.number) for tier in self.tiers])
        _once("categories: name", [category.name for category in self.categories])
        _once("categories: mcc", [category.mcc for category in self.categories])
        _once("reductions: name", [reduction.name for reduction in self.reductions])
        _known("shopping", self.shopping, {category.name for category in self.categories})
        for category in self.categories:
            _known(f"categories {category.name}: tiers", category.tiers, {tier.name for tier in self.tiers})
        for reduction in self.reductions:
            names = {category.name for category in self.categories}
            _known(f"reductions {reduction.name}: categories", reduction.categories, names)
            if not reduction.card_kinds and not reduction.only_for:
                raise RetailValueInvalid(
                    field=f"reductions {reduction.name}",
                    value="for nobody",
                    expected="card_kinds or only_for",
                )

    def category(self, name: str) -> Category:
        """Find a category by its name; raise RetailValueInvalid."""
        found = next((one for one in self.categories if one.name == name), None)
        if found is None:
            known = ", ".join(one.name for one in self.categories)
            raise RetailValueInvalid(field="category", value=name, expected=f"one of {known}")
        return found

    def tier(self, category: str, name: str = "") -> Tier:
        """Find a tier that merchants of a category may have, its first without a name; raise TierUnknown."""
        allowed = self.category(category).tiers
        wanted = name or allowed[0]
        if wanted not in allowed:
            raise TierUnknown(category=category, tier=name, known=", ".join(allowed))
        return self.tier_named(wanted)

    def tier_named(self, name: str) -> Tier:
        """Find a tier by its name, whoever has it; raise RetailValueInvalid when it is not configured."""
        found = next((one for one in self.tiers if one.name == name), None)
        if found is None:
            known = ", ".join(one.name for one in self.tiers)
            raise RetailValueInvalid(field="tier", value=name, expected=f"one of {known}")
        return found


def _once(field: str, values: list[str]) -> None:
    for value in values:
        if values.count(value) > 1:
            raise RetailValueInvalid(field=field, value=value, expected="declared once")


def _known(field: str, values: Iterable[str], known: set[str]) -> None:
    for value in values:
        if value not in known:
            raise RetailValueInvalid(field=field, value=value, expected=f"one of {', '.join(sorted(known))}")
