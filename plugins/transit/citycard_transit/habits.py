"""How people ride in a simulated city (docs/simulate.md): made of the settings, as every other fact is.

Stations are those that the zones of the metro's matrix name; without a matrix, ten on each line. Bus lines
are those with a price of their own, or one a bus company.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from citycard.kernel.habits import Habit, HabitTap
from citycard_transit.sectors import RideFacts
from citycard_transit.settings import Operator, TransitSettings

__all__ = ["bus_habits", "metro_habits"]

_LINE, _STATIONS = 100, 10
_FIRST_BUS = 901
_ENTRY, _EXIT = 1, 2
_FASTEST_MINUTES, _LONGEST_MINUTES = 6, 50
_LOWEST_FEN, _STEP_FEN, _HIGHEST_FEN, _BUS_FEN = 200, 100, 800, 200
# In so many parts a journey by metro or by bus is told; bus habits are few, so each weighs more.
_RIDES = 10_000


def metro_habits(settings: TransitSettings) -> Iterator[Habit]:
    """Give a journey, there and back, between any two stations; near ones are made more often."""
    stations = _stations(settings)
    pairs = [(one, other) for one in stations for other in stations if one < other]
    for origin, place in pairs:
        there, back = _ride(stations, origin, place), _ride(stations, place, origin)
        weight = _RIDES * _nearness(origin, place) // (len(pairs) * 2)
        yield Habit(there=there, back=back, weight=max(weight, 1))


def bus_habits(settings: TransitSettings) -> Iterator[Habit]:
    """Give a ride on each bus line: one tap, and the same one on the way back."""
    companies = [one for one in settings.operators if not one.lines]
    lines = sorted({int(place) for base in settings.bases if "bus" in base.services for place in base.places})
    lines = sorted({*lines, *range(_FIRST_BUS, _FIRST_BUS + len(companies))}) if companies else []
    for turn, line in enumerate(lines):
        operator = companies[turn % len(companies)]
        facts = RideFacts(place=line, operator=operator.number)
        yield Habit(
            there=(HabitTap(partner=operator.id, facts=facts, list_price_fen=_BUS_FEN),),
            weight=max(_RIDES // len(lines), 1),
        )


def _stations(settings: TransitSettings) -> dict[int, Operator]:
    """Give the stations that have an operator, by number."""
    owners = {line: operator for operator in settings.operators for line in operator.lines}
    named = [
        int(place)
        for base in settings.bases
        for matrix in settings.matrices
        if "metro" in base.services and base.matrix == matrix.name
        for places in matrix.zones.values()
        for place in places
        if place.isdecimal()
    ]
    made = [line * _LINE + station for line in owners for station in range(1, _STATIONS + 1)]
    return {place: owners[place // _LINE] for place in sorted(named or made) if place // _LINE in owners}


def _ride(stations: dict[int, Operator], origin: int, place: int) -> Sequence[HabitTap]:
    began, ended = stations[origin], stations[place]
    distance = _distance(origin, place)
    price_fen = min(_LOWEST_FEN + distance // 3 * _STEP_FEN, _HIGHEST_FEN)
    return (
        HabitTap(partner=began.id, kind=_ENTRY, facts=RideFacts(place=origin, operator=began.number)),
        HabitTap(
            partner=ended.id,
            kind=_EXIT,
            facts=RideFacts(place=place, origin=origin, operator=ended.number),
            list_price_fen=price_fen,
            minutes=min(_FASTEST_MINUTES + 2 * distance, _LONGEST_MINUTES),
        ),
    )


def _distance(origin: int, place: int) -> int:
    """Count stops on one line; to another line it is as if both began in the middle of the city."""
    if origin // _LINE == place // _LINE:
        return abs(origin - place)
    return origin % _LINE + place % _LINE


def _nearness(origin: int, place: int) -> int:
    return 1 + 2 * (_distance(origin, place) < _STATIONS)
