"""``[plugins.transit]`` of city.toml: card products, fare rules, and how taps are played.

Every rule has a name, the services it is for (``metro``, ``bus``) and may name operators. ``only_for`` and
``unless`` name entitlements: a rule applies to riders who have one of the first (to all, when there is none)
and none of the second. docs/transit.md explains each table with an example.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import attrs
from attrs.validators import deep_iterable, ge, gt, in_, instance_of, le, matches_re, min_len

from citycard_transit.errors import NetworkInvalid, RuleInvalid

__all__ = [
    "SERVICE_NAMES",
    "BaseFare",
    "Cap",
    "Concession",
    "Discount",
    "Matrix",
    "Operator",
    "PlaySettings",
    "Product",
    "Rounding",
    "Scope",
    "Sharing",
    "Tier",
    "Transfer",
    "TransitSettings",
]

SERVICE_NAMES = ("metro", "bus")

_names = deep_iterable(instance_of(str))
_percent = [ge(0), le(100)]


@attrs.frozen(kw_only=True)
class Product:
    """A card product and the kind that stands on the card; 1 to 5 are known everywhere (JT/T 978)."""

    name: str = attrs.field(validator=min_len(1))
    title: str
    title_zh: str = ""
    kind: int = attrs.field(default=1, validator=[ge(1), le(0xFE)])
    entitlements: tuple[str, ...] = ()
    validity_years: int = attrs.field(default=10, validator=gt(0))
    deposit_fen: int = attrs.field(default=0, validator=ge(0))
    price_fen: int = attrs.field(default=0, validator=ge(0))
    purse_limit_fen: int = attrs.field(default=100_000, validator=gt(0))


@attrs.frozen(kw_only=True)
class Scope:
    """What every rule says first: its name, and which rides it is for."""

    name: str = attrs.field(validator=min_len(1))
    services: tuple[str, ...] = attrs.field(
        default=SERVICE_NAMES, validator=deep_iterable(in_(SERVICE_NAMES), min_len(1))
    )
    operators: tuple[str, ...] = attrs.field(default=(), validator=_names)
    only_for: tuple[str, ...] = attrs.field(default=(), validator=_names)
    unless: tuple[str, ...] = attrs.field(default=(), validator=_names)


@attrs.frozen(kw_only=True)
class BaseFare(Scope):
    """Where the price begins: as the gate gives it, one flat amount, or a matrix of origin and destination.

    ``flat_fen`` holds everywhere but in ``places``, which name bus lines or stations by number.
    """

    source: Literal["gate", "flat", "matrix"]
    flat_fen: int | None = attrs.field(default=None, validator=attrs.validators.optional(ge(0)))
    places: Mapping[str, int] = attrs.field(factory=dict)
    matrix: str = ""

    def __attrs_post_init__(self) -> None:
        wanted = {"gate": (False, False), "flat": (True, False), "matrix": (False, True)}[self.source]
        if (self.flat_fen is not None, bool(self.matrix)) != wanted:
            reason = 'source "flat" needs flat_fen, "matrix" needs matrix, and "gate" neither'
            raise RuleInvalid(rule=self.name, reason=reason)


@attrs.frozen(kw_only=True)
class Matrix:
    """Prices between zones, the same in both directions; a place that no zone names is a zone of its own.

    ``prices_fen`` is a triangle: ``{A = {A = 200, B = 300}, B = {B = 200}}``. ``unknown_fen`` is charged when
    the entry was not seen: the field takes the highest price, and so does this when it is left out.
    """

    name: str
    zones: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    prices_fen: Mapping[str, Mapping[str, int]]
    unknown_fen: int | None = None

    def __attrs_post_init__(self) -> None:
        for origin, row in self.prices_fen.items():
            for destination, price_fen in row.items():
                back_fen = self.prices_fen.get(destination, {}).get(origin, price_fen)
                if price_fen < 0 or back_fen != price_fen:
                    reason = (
                        f"the price between {origin} and {destination} is negative, or differs by direction"
                    )
                    raise RuleInvalid(rule=self.name, reason=reason)


@attrs.frozen(kw_only=True)
class Concession(Scope):
    """What riders with an entitlement pay, in percent of the base price."""

    percent: int = attrs.field(validator=_percent)


@attrs.frozen(kw_only=True)
class Tier:
    """The part of a price above ``above_fen`` is paid at ``percent``."""

    above_fen: int = attrs.field(validator=ge(0))
    percent: int = attrs.field(validator=_percent)


@attrs.frozen(kw_only=True)
class Discount(Scope):
    """A discount in marginal tiers: each part of the price at its own percentage, like an income tax."""

    tiers: tuple[Tier, ...] = attrs.field(validator=min_len(1))

    def __attrs_post_init__(self) -> None:
        edges = [tier.above_fen for tier in self.tiers]
        if edges[0] != 0 or edges != sorted(set(edges)):
            raise RuleInvalid(rule=self.name, reason="tiers begin at above_fen = 0 and rise")


@attrs.frozen(kw_only=True)
class Transfer(Scope):
    """What a ride costs less when it follows another one on another line within a window."""

    off_fen: int = attrs.field(validator=ge(0))
    window_minutes: int = attrs.field(default=90, validator=gt(0))


@attrs.frozen(kw_only=True)
class Cap(Scope):
    """The most that one card pays in one day for the rule's services."""

    day_fen: int = attrs.field(validator=ge(0))


@attrs.frozen(kw_only=True)
class Rounding(Scope):
    """Round a price down to a multiple, so that it never rises."""

    to_fen: int = attrs.field(validator=gt(0))


@attrs.frozen(kw_only=True)
class Sharing:
    """The part of a metro ride's price that goes to the operator where it began; the rest is the other's."""

    name: str = attrs.field(validator=min_len(1))
    origin_percent: int = attrs.field(validator=_percent)


@attrs.frozen(kw_only=True)
class Operator:
    """Who runs metro lines or buses: ``id`` is its id as a partner of the city, ``lines`` its line numbers.

    Taps may name it by ``name`` or ``name_zh``. ``number`` stands in transaction records; an operator that a
    fare rule names needs one. ``account`` and ``bic`` are where its revenue is paid to.
    """

    id: str = attrs.field(validator=matches_re(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?"))
    name: str = attrs.field(validator=min_len(1))
    name_zh: str = ""
    number: int = attrs.field(default=0, validator=[ge(0), le(0xFFFF)])
    lines: tuple[int, ...] = ()
    account: str = attrs.field(default="", validator=matches_re(r"([A-Z0-9]{5,34})?"))
    bic: str = attrs.field(default="", validator=matches_re(r"([A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?)?"))


@attrs.frozen(kw_only=True)
class PlaySettings:
    """How taps are played: what a short purse is topped up by, and what the source does not say.

    On ``unmarked_transfer_lines`` the validators give the transfer discount without reporting it. After
    ``longest_ride_minutes`` an entry counts as not seen. An operator that a file names and nothing here does
    is owed its money until somebody says where to pay it. With ``account_prefix`` it has an account made up
    of that and a number, at ``bic``, so that a replay can be settled.
    """

    load_fen: int = attrs.field(default=5000, validator=gt(0))
    unmarked_transfer_lines: tuple[str, ...] = ()
    product_order: tuple[str, ...] = ()
    longest_ride_minutes: int = attrs.field(default=240, validator=gt(0))
    account_prefix: str = attrs.field(default="", validator=matches_re(r"[A-Z0-9]{0,12}"))
    bic: str = attrs.field(default="CITYCNBJXXX", validator=matches_re(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?"))


@attrs.frozen(kw_only=True)
class TransitSettings:
    """Everything that a city says about its transit."""

    products: tuple[Product, ...] = (Product(name="standard", title="Standard card", title_zh="普通卡"),)
    bases: tuple[BaseFare, ...] = ()
    matrices: tuple[Matrix, ...] = ()
    concessions: tuple[Concession, ...] = ()
    discounts: tuple[Discount, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    caps: tuple[Cap, ...] = ()
    roundings: tuple[Rounding, ...] = ()
    sharing: Sharing | None = None
    operators: tuple[Operator, ...] = ()
    play: PlaySettings = PlaySettings()

    def operator(self, name: str) -> Operator | None:
        """Find the operator that taps call by its name in either language."""
        named = (one for one in self.operators if name in {one.name, one.name_zh})
        return next(named, None)

    def __attrs_post_init__(self) -> None:
        entitlements = {name for product in self.products for name in product.entitlements}
        rules: tuple[Scope, ...] = (
            *self.bases, *self.concessions, *self.discounts, *self.transfers, *self.caps, *self.roundings,
        )  # fmt: skip
        _once("rule", [rule.name for rule in rules])
        _once("product", [product.name for product in self.products])
        _once("kind of product", [str(product.kind) for product in self.products])
        _once("operator", [operator.id for operator in self.operators])
        numbered = [operator for operator in self.operators if operator.number]
        _once("operator's number", [str(operator.number) for operator in numbered])
        _once("operator's line", [str(line) for operator in self.operators for line in operator.lines])
        _once("matrix", [matrix.name for matrix in self.matrices])
        for rule in rules:
            _known(f"{rule.name}: only_for", rule.only_for, entitlements)
            _known(f"{rule.name}: unless", rule.unless, entitlements)
            _known(f"{rule.name}: operators", rule.operators, {operator.id for operator in numbered})
        _known("bases: matrix", [b.matrix for b in self.bases if b.matrix], {m.name for m in self.matrices})
        _known("play: product_order", self.play.product_order, {p.name for p in self.products})


def _once(what: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise RuleInvalid(rule=name, reason=f"this {what} is declared twice")


def _known(field: str, values: tuple[str, ...] | list[str], known: set[str]) -> None:
    for value in values:
        if value not in known:
            raise NetworkInvalid(field=field, value=value, known=", ".join(sorted(known)) or "none")
