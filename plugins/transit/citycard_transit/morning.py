"""A morning that never was: seeded, the same every time, with habits, transfers and mishaps.

The taps come in the same form as those of a published file, but a generated city has both ends of each
metro ride, gates that find out transfers from the card, and prices that only the city's rules know.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta

import attrs

from citycard_transit.errors import TapsTooFew
from citycard_transit.network import BUS_LINES, route, stations
from citycard_transit.taps import Named, Tap, TapKind, Taps

__all__ = ["DAY", "DEFAULT_TAPS", "LEAST_TAPS", "generate"]

DAY = date(2026, 3, 2)
DEFAULT_TAPS = 24_000
LEAST_TAPS = 100

_HOMES = (
    *("North Hills", "Tea Garden", "Salt Fields", "Lighthouse", "Pine Valley", "Stone Bridge", "South Beach"),
    *("Sunrise Bay", "Garden City", "Willow Lane", "Orchard", "Railway East", "East Gate", "Fish Market"),
)
_OFFICES = (
    *("Software Park", "High-Tech Zone", "City Hall", "People's Square", "Silk Street", "Exhibition Centre"),
    *("Harbour", "Container Port", "Airport", "Hospital", "Old Town"),
)
_SIGHTS = ("Museum", "Zoo", "Lotus Lake", "Concert Hall", "Library", "Drum Tower", "Ferry Pier")
_SCHOOLS = ("University", "Library", "Stadium", "City Hall")
_ARRIVALS = ("Airport", "Railway East", "Ferry Pier")

_GATES = 6
_ENTRY_LOST = 0.004
_EXIT_LOST = 0.004
_TORN = 0.002
_TORN_WRITES = 12
_EARLIEST, _LATEST = time(5, 40), time(11, 0)

_OPERATORS = {station.code: line.operator for line, station in stations()} | {
    line.number: line.operator for line in BUS_LINES
}


@attrs.frozen(kw_only=True)
class _Leg:
    """One end of a metro ride, or one bus ride."""

    at: datetime
    kind: TapKind
    place: int
    terminal: str
    vehicle: str


_Habit = Callable[[random.Random], Iterator[_Leg]]


@attrs.frozen(kw_only=True)
class _Rider:
    """One person of the morning, with luck of their own: who else rides does not change it."""

    card: str
    product: str
    luck: random.Random


def generate(seed: int = 1, taps: int = DEFAULT_TAPS) -> Taps:
    """Make a morning of at least ``taps`` taps: the same seed and number give the same morning.

    Raises TapsTooFew below LEAST_TAPS.
    """
    if taps < LEAST_TAPS:
        raise TapsTooFew(taps=taps, least=LEAST_TAPS)
    people = _luck("people", seed)
    drawn: list[tuple[_Leg, _Rider]] = []
    number = 0
    while len(drawn) < taps:
        number += 1
        habit, product = _person(people)
        rider = _Rider(card=_card(number), product=product, luck=_luck("rider", seed, number))
        drawn.extend((leg, rider) for leg in habit(rider.luck))
    drawn.sort(key=lambda pair: (pair[0].at, pair[1].card))
    made = tuple(_tap(line, leg, rider) for line, (leg, rider) in enumerate(drawn, start=1))
    content = "\n".join(f"{t.line},{t.card},{t.at},{t.terminal},{t.product},{t.torn}" for t in made)
    return Taps(
        source=f"morning-{seed}",
        digest=hashlib.sha256(content.encode()).hexdigest(),
        rows=len(made),
        taps=made,
        names=_names(),
    )


def _luck(*words: object) -> random.Random:
    return random.Random(" ".join(map(str, words)))  # noqa: S311 - a game of chance, not a secret


def _card(number: int) -> str:
    # Letters as in the published files, so that cards of both kinds of source get their numbers alike.
    return f"{number:08d}".translate(str.maketrans("0123456789", "ABCDEFGHIJ"))


def _person(people: random.Random) -> tuple[_Habit, str]:
    """Draw a person: most are on the way to work, and each kind has its products."""
    kinds: tuple[tuple[_Habit, str], ...] = (
        (_commuter, "standard"),
        (_commuter, "full"),
        (_pupil, "half"),
        (_senior, "free"),
        (_senior, "half"),
        (_visitor, "standard"),
    )
    return people.choices(kinds, weights=(72, 2, 11, 6, 3, 6))[0]


# ── habits ───────────────────────────────────────────────────────────────────────────────────────


def _commuter(luck: random.Random) -> Iterator[_Leg]:
    """Go to work by metro, by bus, or by bus and then metro."""
    start = _around(time(8, 5), luck.gauss(0, 38))
    home, office = luck.choice(_HOMES), luck.choice(_OFFICES)
    way = luck.choices(("metro", "bus", "both"), weights=(52, 20, 28))[0]
    if way == "metro":
        yield from _metro(luck, start, home, office)
        return
    ride = _bus(luck, start, home)
    yield ride
    if way == "both":
        yield from _metro(luck, ride.at + timedelta(minutes=luck.randint(9, 35)), home, office)


def _pupil(luck: random.Random) -> Iterator[_Leg]:
    """Go to school, most by bus."""
    start, home = _around(time(7, 20), luck.gauss(0, 14)), luck.choice(_HOMES)
    if luck.choices((True, False), weights=(3, 1))[0]:
        yield _bus(luck, start, home)
    else:
        yield from _metro(luck, start, home, luck.choice(_SCHOOLS))


def _senior(luck: random.Random) -> Iterator[_Leg]:
    """Go out after the rush and come back."""
    out, home = _around(time(9, 0), luck.gauss(0, 35)), luck.choice(_HOMES)
    if luck.choice((True, False)):
        yield _bus(luck, out, home)
        yield _bus(luck, out + timedelta(minutes=luck.randint(60, 110)), home)
        return
    there = luck.choice(("Hospital", *_SIGHTS))
    legs = list(_metro(luck, out, home, there))
    yield from legs
    back = (legs[-1].at if legs else out) + timedelta(minutes=luck.randint(35, 80))
    yield from _metro(luck, back, there, home)


def _visitor(luck: random.Random) -> Iterator[_Leg]:
    """Arrive, and see some sights one after the other."""
    at, here = _around(time(8, 40), luck.uniform(-60, 60)), luck.choice(_ARRIVALS)
    for sight in luck.sample([sight for sight in _SIGHTS if sight != here], k=luck.randint(1, 3)):
        legs = list(_metro(luck, at, here, sight))
        yield from legs
        at = (legs[-1].at if legs else at) + timedelta(minutes=luck.randint(25, 70))
        here = sight


def _metro(luck: random.Random, at: datetime, origin: str, destination: str) -> Iterator[_Leg]:
    """Ride from one station to another; now and then a gate stands open and an end of the ride is lost."""
    entry, leave, stops = route(origin, destination)
    mishap = luck.random()
    if mishap >= _ENTRY_LOST:
        yield _gate(luck, at, TapKind.ENTRY, entry)
    if mishap < 1 - _EXIT_LOST:
        minutes = 4 + stops * 2.4 + luck.uniform(0, 5)
        yield _gate(luck, at + timedelta(seconds=round(minutes * 60)), TapKind.EXIT, leave)


def _gate(luck: random.Random, at: datetime, kind: TapKind, code: int) -> _Leg:
    leaving = kind is TapKind.EXIT
    gate = luck.randint(1, _GATES) + _GATES * leaving
    name = f"{'OUT' if leaving else 'IN'}-{gate:02d}"
    return _Leg(at=at, kind=kind, place=code, terminal=f"0001{code:04d}{gate:04d}", vehicle=name)


def _bus(luck: random.Random, at: datetime, stop: str) -> _Leg:
    line = luck.choice([line for line in BUS_LINES if stop in line.stops] or BUS_LINES)
    vehicle = luck.randint(1, line.vehicles)
    return _Leg(
        at=at,
        kind=TapKind.BUS,
        place=line.number,
        terminal=f"0002{line.number:04d}{vehicle:04d}",
        vehicle=f"{line.name.removeprefix('Bus ')}-{vehicle:02d}",
    )


def _around(middle: time, minutes: float) -> datetime:
    """Give a moment around the middle, never before the first train nor after the last of the morning."""
    moment = datetime.combine(DAY, middle) + timedelta(seconds=round(minutes * 60))
    return min(max(moment, datetime.combine(DAY, _EARLIEST)), datetime.combine(DAY, _LATEST))


# ── taps ─────────────────────────────────────────────────────────────────────────────────────────


def _tap(line: int, leg: _Leg, rider: _Rider) -> Tap:
    torn = rider.luck.randint(1, _TORN_WRITES) if rider.luck.random() < _TORN else None
    return Tap(
        line=line,
        card=rider.card,
        at=leg.at,
        kind=leg.kind,
        terminal=leg.terminal,
        operator=_OPERATORS[leg.place],
        place=str(leg.place),
        vehicle=leg.vehicle,
        product=rider.product,
        business_date=DAY,
        torn=torn,
    )


def _names() -> dict[str, Named]:
    """Say more about every place, by its number."""
    names: dict[str, Named] = {}
    for line, station in stations():
        names[str(station.code)] = Named(
            code=station.code, name=f"{station.name} {station.name_zh}", line=line.name
        )
    for bus in BUS_LINES:
        names[str(bus.number)] = Named(code=bus.number, name=f"{bus.name} {bus.name_zh}", line=bus.name)
    return names
