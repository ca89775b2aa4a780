"""``[plugins.community]`` of city.toml: communities with their doors, car parks and fees, and the clinics.

docs/community.md explains each table with an example. Numbers stand on cards and in records and are never
given again to something else; names are for people and may change.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Iterable

import attrs
from attrs.validators import deep_iterable, ge, gt, in_, le, matches_re, min_len

from citycard_community.errors import CommunityUnknown, SettingTwice, SettingUnknown

__all__ = [
    "ALWAYS",
    "CarPark",
    "Clinic",
    "Community",
    "CommunitySettings",
    "Door",
    "Hours",
    "PropertyFee",
    "Visitors",
    "Zone",
]

ALWAYS = 0
"""The class of hours that is every hour of every day; it needs no entry."""

_ID = matches_re(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")
_TERMINAL = matches_re(r"[0-9]{12}")
_ACCOUNT = matches_re(r"([A-Z0-9]{5,34})?")
_BIC = matches_re(r"([A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?)?")
_HIGHEST_ZONE = 31
_DUE_DAYS = 28
_MINUTES_A_DAY = 24 * 60


@attrs.frozen(kw_only=True)
class Hours:
    """A class of hours, on cards as ``number``; hours that close before they open pass midnight."""

    number: int = attrs.field(validator=[ge(1), le(0xFF)])
    name: str = attrs.field(validator=min_len(1))
    opens: dt.time = dt.time(0, 0)
    closes: dt.time = dt.time(0, 0)
    weekdays: tuple[int, ...] = attrs.field(
        default=(1, 2, 3, 4, 5, 6, 7), validator=deep_iterable(in_(range(1, 8)), min_len(1))
    )

    def hold(self, at: dt.datetime) -> bool:
        """Say whether these hours hold at a local moment; past midnight they belong to the day they began."""
        time = at.time()
        if self.opens < self.closes:
            return at.isoweekday() in self.weekdays and self.opens <= time < self.closes
        began = at if time >= self.opens else at - dt.timedelta(days=1)
        return began.isoweekday() in self.weekdays and (time >= self.opens or time < self.closes)


@attrs.frozen(kw_only=True)
class Zone:
    """A building, or with ``shared`` what all residents use, such as a gate; ``number`` is a bit."""

    number: int = attrs.field(validator=[ge(0), le(_HIGHEST_ZONE)])
    name: str = attrs.field(validator=min_len(1))
    name_zh: str = ""
    shared: bool = False


@attrs.frozen(kw_only=True)
class Door:
    """A door of a zone, and the number of the terminal that opens it."""

    id: str = attrs.field(validator=_ID)
    name: str = attrs.field(validator=min_len(1))
    name_zh: str = ""
    zone: int
    terminal: str = attrs.field(validator=_TERMINAL)


@attrs.frozen(kw_only=True)
class CarPark:
    """A car park: its spaces are numbered from 1.

    After ``free_minutes`` every started unit since the entry is paid, at most ``day_cap_fen`` for each
    started 24 hours. Who leaves without an entry on the card pays ``lost_ticket_fen``. A resident's pass for
    one space costs ``pass_fen`` a calendar month.
    """

    number: int = attrs.field(validator=[ge(1), le(0xFF)])
    name: str = attrs.field(validator=min_len(1))
    name_zh: str = ""
    spaces: int = attrs.field(validator=[ge(1), le(0xFFFF)])
    unit_minutes: int = attrs.field(default=30, validator=[gt(0), le(_MINUTES_A_DAY)])
    unit_fen: int = attrs.field(default=200, validator=ge(0))
    free_minutes: int = attrs.field(default=15, validator=[ge(0), le(_MINUTES_A_DAY)])
    day_cap_fen: int = attrs.field(default=2000, validator=ge(0))
    lost_ticket_fen: int = attrs.field(default=3000, validator=ge(0))
    pass_fen: int = attrs.field(default=15_000, validator=ge(0))
    gates: tuple[str, ...] = attrs.field(default=(), validator=deep_iterable(_TERMINAL))


@attrs.frozen(kw_only=True)
class PropertyFee:
    """The property fee: ``fen_per_m2`` a month, billed on the 1st, due on ``due_day`` of the same month.

    From the day after, ``late_bp_per_day`` basis points of what is unpaid are added each day, together at
    most ``late_cap_percent`` of the bill. ``partial`` lets a part of a bill be paid.
    """

    fen_per_m2: int = attrs.field(default=250, validator=ge(0))
    due_day: int = attrs.field(default=20, validator=[ge(1), le(_DUE_DAYS)])
    late_bp_per_day: int = attrs.field(default=5, validator=[ge(0), le(1000)])
    late_cap_percent: int = attrs.field(default=30, validator=[ge(0), le(100)])
    partial: bool = False


@attrs.frozen(kw_only=True)
class Visitors:
    """What a resident may give visitors: rights for a day, so many a day and unit, within some hours."""

    a_day: int = attrs.field(default=5, validator=[ge(0), le(100)])
    hours: int = attrs.field(default=ALWAYS, validator=[ge(0), le(0xFF)])


@attrs.frozen(kw_only=True)
class Community:
    """A residential community; ``partner`` is its property company, paid into ``account`` at ``bic``."""

    id: str = attrs.field(validator=_ID)
    number: int = attrs.field(validator=[ge(1), le(0xFFFF)])
    name: str = attrs.field(validator=min_len(1))
    name_zh: str = ""
    partner: str = attrs.field(validator=_ID)
    account: str = attrs.field(default="", validator=_ACCOUNT)
    bic: str = attrs.field(default="", validator=_BIC)
    zones: tuple[Zone, ...] = attrs.field(validator=min_len(1))
    doors: tuple[Door, ...] = ()
    car_parks: tuple[CarPark, ...] = ()
    fee: PropertyFee = PropertyFee()
    visitors: Visitors = Visitors()

    def __attrs_post_init__(self) -> None:
        zones = {zone.number for zone in self.zones}
        _once("zone", (zone.number for zone in self.zones))
        _once("door", (door.id for door in self.doors))
        _once("car park", (park.number for park in self.car_parks))
        for door in self.doors:
            if door.zone not in zones:
                raise SettingUnknown(
                    place=f"door {door.id}", field="zone", value=door.zone, known=sorted(zones)
                )

    def building(self, number: int) -> Zone | None:
        """Find a building, which is a zone that is not shared."""
        return next((zone for zone in self.zones if zone.number == number and not zone.shared), None)

    def car_park(self, number: int) -> CarPark | None:
        """Find a car park by its number."""
        return next((park for park in self.car_parks if park.number == number), None)

    def home_zones(self, building: int) -> int:
        """Give the bits of what who lives in a building may enter: the building, and what is shared."""
        shared = sum(1 << zone.number for zone in self.zones if zone.shared)
        return shared | 1 << building


@attrs.frozen(kw_only=True)
class Clinic:
    """A community clinic: residents of ``communities`` pay ``resident_percent`` of the visit fee."""

    id: str = attrs.field(validator=_ID)
    number: int = attrs.field(validator=[ge(1), le(0xFFFF)])
    name: str = attrs.field(validator=min_len(1))
    name_zh: str = ""
    account: str = attrs.field(default="", validator=_ACCOUNT)
    bic: str = attrs.field(default="", validator=_BIC)
    communities: tuple[str, ...] = attrs.field(validator=min_len(1))
    visit_fen: int = attrs.field(default=1000, validator=ge(0))
    resident_percent: int = attrs.field(default=50, validator=[ge(0), le(100)])


@attrs.frozen(kw_only=True)
class CommunitySettings:
    """Everything that a city says about its communities."""

    communities: tuple[Community, ...] = ()
    clinics: tuple[Clinic, ...] = ()
    hours: tuple[Hours, ...] = ()

    def __attrs_post_init__(self) -> None:
        _once("community", (one.id for one in self.communities))
        _once("community number", (one.number for one in self.communities))
        _once("clinic", (one.id for one in self.clinics))
        _once("clinic number", (one.number for one in self.clinics))
        _once("class of hours", (one.number for one in self.hours))
        doors = (door.terminal for one in self.communities for door in one.doors)
        gates = (gate for one in self.communities for park in one.car_parks for gate in park.gates)
        _once("terminal", (*doors, *gates))
        known = {ALWAYS, *(one.number for one in self.hours)}
        named = {one.id for one in self.communities}
        for community in self.communities:
            if community.visitors.hours not in known:
                value = community.visitors.hours
                raise SettingUnknown(
                    place=f"visitors of {community.id}", field="hours", value=value, known=sorted(known)
                )
        for clinic in self.clinics:
            for name in clinic.communities:
                if name not in named:
                    raise SettingUnknown(
                        place=f"clinic {clinic.id}", field="communities", value=name, known=sorted(named)
                    )

    def community(self, name: str) -> Community:
        """Find a community by its id; raise CommunityUnknown."""
        found = self.find(name)
        if found is None:
            known = ", ".join(one.id for one in self.communities) or "none"
            raise CommunityUnknown(community=name, known=known)
        return found

    def find(self, name: str) -> Community | None:
        """Find a community by its id, if it is still declared."""
        return next((one for one in self.communities if one.id == name), None)

    def numbered(self, number: int) -> Community | None:
        """Find a community by the number that stands on cards."""
        return next((one for one in self.communities if one.number == number), None)

    def clinic(self, number: int) -> Clinic | None:
        """Find a clinic by the number that stands in records."""
        return next((one for one in self.clinics if one.number == number), None)

    def door(self, terminal: str) -> tuple[Community, Door] | None:
        """Find the door that a terminal opens."""
        doors = ((one, door) for one in self.communities for door in one.doors)
        return next((found for found in doors if found[1].terminal == terminal), None)

    def gate(self, terminal: str) -> tuple[Community, CarPark] | None:
        """Find the car park of whose gate a terminal is."""
        parks = ((one, park) for one in self.communities for park in one.car_parks)
        return next((found for found in parks if terminal in found[1].gates), None)

    def hours_hold(self, number: int, at: dt.datetime) -> bool:
        """Say whether a class of hours holds at a local moment; a class that is not known never does."""
        if number == ALWAYS:
            return True
        return any(one.number == number and one.hold(at) for one in self.hours)


def _once(what: str, values: Iterable[Hashable]) -> None:
    seen: set[Hashable] = set()
    for value in values:
        if value in seen:
            raise SettingTwice(what=what, value=value)
        seen.add(value)
