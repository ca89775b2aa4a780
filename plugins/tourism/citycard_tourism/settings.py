"""``[plugins.tourism]`` of city.toml: venues, shows, passes, concessions, points (docs/tourism.md).

Numbers stand on cards and in records: once given they stay. Prices are fen.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeVar

import attrs
from attrs.validators import deep_iterable, ge, gt, in_, le, matches_re, max_len, min_len

from citycard_tourism.errors import NameUnknown, TourismSettingsInvalid

__all__ = [
    "SERVICE_NAMES",
    "Acceptance",
    "Concession",
    "GroupPrice",
    "Library",
    "Plan",
    "PointsRate",
    "PointsScheme",
    "Show",
    "TourismSettings",
    "Venue",
]

SERVICE_NAMES = ("tourism-pass", "tourism-ticket", "tourism-visit", "tourism-fee", "tourism-sale")

_U2 = 0xFFFF
_RIGHTS_MOST = 16
_BRANCHES_MOST = 8
_percent = [ge(0), le(100)]
_number = [ge(1), le(_U2)]
_name = matches_re(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
_clock = matches_re(r"([01][0-9]|2[0-3]):[0-5][0-9]")


@attrs.frozen(kw_only=True)
class Venue:
    """A place: ``id`` is its id as a partner of the city, ``group`` its gates' number (its own when 0).

    ``capacity`` is how many people may be inside at a time, 0 any number. ``account`` and ``bic`` are where
    its revenue is paid to; left out, an operator adds them.
    """

    id: str = attrs.field(validator=_name)
    name: str = attrs.field(validator=min_len(1))
    name_zh: str = ""
    number: int = attrs.field(validator=_number)
    kind: Literal["museum", "library", "cinema", "bookshop", "scenic", "gym", "hall"] = "museum"
    group: int = attrs.field(default=0, validator=[ge(0), le(_U2)])
    capacity: int = attrs.field(default=0, validator=ge(0))
    account: str = attrs.field(default="", validator=matches_re(r"([A-Z0-9]{5,34})?"))
    bic: str = attrs.field(default="", validator=matches_re(r"([A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?)?"))
    district: str = ""

    @property
    def gates(self) -> int:
        """Give the number of the group that its gates belong to."""
        return self.group or self.number


@attrs.frozen(kw_only=True)
class Show:
    """What timed tickets are sold for: each day but ``closed_on`` (0 Monday) at ``times``, for ``minutes``.

    A gate lets in from ``early_minutes`` before the slot until it is over. A ticket that was not used can be
    given back or moved until so many minutes before the slot; ``refund_percent`` of the price come back.
    """

    name: str = attrs.field(validator=_name)
    number: int = attrs.field(validator=_number)
    title: str = attrs.field(validator=min_len(1))
    title_zh: str = ""
    venue: str
    price_fen: int = attrs.field(validator=ge(0))
    times: tuple[str, ...] = attrs.field(validator=[min_len(1), deep_iterable(_clock)])
    minutes: int = attrs.field(default=120, validator=[gt(0), le(1440)])
    capacity: int = attrs.field(validator=gt(0))
    closed_on: tuple[int, ...] = attrs.field(default=(), validator=deep_iterable(in_(range(7))))
    ahead_days: int = attrs.field(default=30, validator=gt(0))
    early_minutes: int = attrs.field(default=30, validator=ge(0))
    change_minutes: int = attrs.field(default=60, validator=ge(0))
    refund_percent: int = attrs.field(default=100, validator=_percent)
    people_most: int = attrs.field(default=50, validator=[ge(1), le(255)])

    def until(self, starts: dt.datetime) -> dt.datetime:
        """Say when a slot is over."""
        return starts + dt.timedelta(minutes=self.minutes)


@attrs.frozen(kw_only=True)
class Plan:
    """An annual pass or a membership: ``days`` long, for gates of ``venues``.

    What is paid is shared by ``weights`` of its venues, evenly when there are none. A membership is shared by
    its visits: what an extension costs goes to the branches by how often the card was at each of them since
    it was paid before, and what a first period costs by ``weights``. ``seller_percent`` of either
    goes to the venue that sold it. It is cancelled for what its unused days cost, less ``keep_percent``, and
    for all of it within ``cooling_days`` when it was not used.
    """

    name: str = attrs.field(validator=_name)
    number: int = attrs.field(validator=_number)
    title: str = attrs.field(validator=min_len(1))
    title_zh: str = ""
    kind: Literal["pass", "membership"] = "pass"
    venues: tuple[str, ...] = attrs.field(validator=[min_len(1), max_len(_BRANCHES_MOST)])
    weights: Mapping[str, int] = attrs.field(factory=dict)
    seller_percent: int = attrs.field(default=0, validator=_percent)
    price_fen: int = attrs.field(validator=ge(0))
    days: int = attrs.field(default=365, validator=[gt(0), le(3650)])
    extend_fen: int = attrs.field(default=0, validator=ge(0))
    extend_days: int = attrs.field(default=0, validator=[ge(0), le(3650)])
    freeze_days: int = attrs.field(default=0, validator=ge(0))
    keep_percent: int = attrs.field(default=10, validator=_percent)
    cooling_days: int = attrs.field(default=7, validator=ge(0))
    passback_minutes: int = attrs.field(default=30, validator=ge(0))


@attrs.frozen(kw_only=True)
class Concession:
    """What holders of an entitlement pay, in percent of the price of one place; of these services only."""

    name: str = attrs.field(validator=min_len(1))
    only_for: tuple[str, ...] = attrs.field(validator=min_len(1))
    services: tuple[str, ...] = attrs.field(
        default=("tourism-ticket",), validator=[min_len(1), deep_iterable(in_(SERVICE_NAMES))]
    )
    percent: int = attrs.field(validator=_percent)


@attrs.frozen(kw_only=True)
class GroupPrice:
    """What a ticket for ``people`` or more costs, in percent; for these shows, or all when there are none."""

    name: str = attrs.field(validator=min_len(1))
    people: int = attrs.field(validator=[ge(2), le(255)])
    percent: int = attrs.field(validator=_percent)
    shows: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Library:
    """How books are lent at ``venue``: how many at once, how long, and what a day too long costs."""

    venue: str
    books: int = attrs.field(default=5, validator=[ge(1), le(255)])
    days: int = attrs.field(default=30, validator=gt(0))
    renewals: int = attrs.field(default=1, validator=ge(0))
    fee_fen: int = attrs.field(default=10, validator=ge(0))
    fee_most_fen: int = attrs.field(default=2000, validator=ge(0))
    reader_days: int = attrs.field(default=1095, validator=gt(0))


@attrs.frozen(kw_only=True)
class PointsScheme:
    """The points of a venue: so many for a yuan, each paid in at ``rate_fen``, for ``valid_days``."""

    venue: str
    title: str = attrs.field(validator=min_len(1))
    title_zh: str = ""
    points_per_yuan: int = attrs.field(validator=gt(0))
    rate_fen: int = attrs.field(validator=gt(0))
    valid_days: int = attrs.field(default=365, validator=gt(0))


@attrs.frozen(kw_only=True)
class Acceptance:
    """Where the points of ``scheme`` are taken, and what for: ``fen`` each."""

    scheme: str
    venue: str
    fen: int = attrs.field(validator=gt(0))


@attrs.frozen(kw_only=True)
class PointsRate:
    """At what rate points of one venue become points of another: ``give`` of these, ``get`` of those."""

    source: str
    target: str
    give: int = attrs.field(validator=gt(0))
    get: int = attrs.field(validator=gt(0))


Named = TypeVar("Named", Venue, Show, Plan)


@attrs.frozen(kw_only=True)
class TourismSettings:
    """Everything that a city says about its venues.

    ``rights`` lists the entitlements that concessions look at. Their places stand in records: add at the end.
    """

    venues: tuple[Venue, ...] = ()
    shows: tuple[Show, ...] = ()
    plans: tuple[Plan, ...] = ()
    rights: tuple[str, ...] = attrs.field(default=(), validator=max_len(_RIGHTS_MOST))
    concessions: tuple[Concession, ...] = ()
    groups: tuple[GroupPrice, ...] = ()
    libraries: tuple[Library, ...] = ()
    schemes: tuple[PointsScheme, ...] = ()
    acceptances: tuple[Acceptance, ...] = ()
    rates: tuple[PointsRate, ...] = ()
    hold_minutes: int = attrs.field(default=15, validator=[gt(0), le(1440)])

    def venue(self, key: str | int) -> Venue:
        """Find a venue by its id or number; raise NameUnknown."""
        return _found("venue", key, self.venues, "id")

    def show(self, key: str | int) -> Show:
        """Find a show by its name or number; raise NameUnknown."""
        return _found("show", key, self.shows, "name")

    def plan(self, key: str | int) -> Plan:
        """Find a plan by its name or number; raise NameUnknown."""
        return _found("plan", key, self.plans, "name")

    def library(self, venue: str) -> Library:
        """Find the library at a venue; raise NameUnknown."""
        for one in self.libraries:
            if one.venue == venue:
                return one
        known = ", ".join(one.venue for one in self.libraries) or "none"
        raise NameUnknown(what="library", name=venue[:64], known=known)

    def given(self, entitlements: Iterable[str]) -> int:
        """Write entitlements as the bits of a record; those that no concession looks at have none."""
        held = set(entitlements)
        return sum(1 << place for place, name in enumerate(self.rights) if name in held)

    def entitlements(self, given: int) -> frozenset[str]:
        """Read the bits of a record as entitlements."""
        return frozenset(name for place, name in enumerate(self.rights) if given >> place & 1)

    def __attrs_post_init__(self) -> None:
        venues = {one.id for one in self.venues}
        once = (
            ("venue", [one.id for one in self.venues]),
            ("venue's number", [one.number for one in self.venues]),
            ("show", [one.name for one in self.shows]),
            ("show's number", [one.number for one in self.shows]),
            ("plan", [one.name for one in self.plans]),
            ("plan's number", [one.number for one in self.plans]),
            ("right", list(self.rights)),
            ("rule", [*(one.name for one in self.concessions), *(one.name for one in self.groups)]),
            ("library", [one.venue for one in self.libraries]),
            ("scheme", [one.venue for one in self.schemes]),
        )
        for what, keys in once:
            _once(what, keys)
        schemes = {one.venue for one in self.schemes}
        known: tuple[tuple[str, Iterable[str], set[str]], ...] = (
            ("shows: venue", [one.venue for one in self.shows], venues),
            ("plans: venues", [name for one in self.plans for name in one.venues], venues),
            ("libraries: venue", [one.venue for one in self.libraries], venues),
            ("schemes: venue", schemes, venues),
            ("acceptances: venue", [one.venue for one in self.acceptances], venues),
            ("acceptances: scheme", [one.scheme for one in self.acceptances], schemes),
            ("rates", [name for one in self.rates for name in (one.source, one.target)], schemes),
            ("only_for", [name for one in self.concessions for name in one.only_for], set(self.rights)),
            (
                "groups: shows",
                [name for one in self.groups for name in one.shows],
                {s.name for s in self.shows},
            ),
        )
        for field, names, allowed in known:
            _known(field, names, allowed)
        for plan in self.plans:
            _check_plan(plan)


def _check_plan(plan: Plan) -> None:
    _once(f"venue of plan {plan.name}", list(plan.venues))
    _known(f"plan {plan.name}: weights", plan.weights, set(plan.venues))
    if plan.weights and (min(plan.weights.values()) < 0 or sum(plan.weights.values()) == 0):
        raise TourismSettingsInvalid(field=f"plan {plan.name}: weights", reason="0 or more, not all 0")
    if (plan.extend_fen > 0) and not plan.extend_days:
        raise TourismSettingsInvalid(field=f"plan {plan.name}", reason="extend_fen needs extend_days")


def _once(what: str, keys: list[Any]) -> None:
    for key in keys:
        if keys.count(key) > 1:
            raise TourismSettingsInvalid(field=str(key), reason=f"this {what} is declared twice")


def _known(field: str, names: Iterable[str], known: set[str]) -> None:
    for name in names:
        if name not in known:
            listed = ", ".join(sorted(known)) or "none"
            raise TourismSettingsInvalid(
                field=field, reason=f"{name!r} is not declared; declared are {listed}"
            )


def _found(what: str, key: str | int, among: tuple[Named, ...], field: str) -> Named:
    for one in among:
        if key in (getattr(one, field), one.number):
            return one
    known = ", ".join(str(getattr(one, field)) for one in among) or "none"
    raise NameUnknown(what=what, name=key[:64] if isinstance(key, str) else key, known=known)
