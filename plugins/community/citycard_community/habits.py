"""How people use a community in a simulated city (docs/simulate.md): its car parks and clinics.

Doors open for signed rights alone, which a habit's card has not: they are used on lived days.
"""

from __future__ import annotations

from collections.abc import Iterator

from citycard.kernel.habits import Habit, HabitTap
from citycard_community.fees import CLINIC
from citycard_community.sectors import ClinicFacts, ParkingFacts, ParkingStep
from citycard_community.settings import CommunitySettings

__all__ = ["habits_of"]

_SELDOM, _HARDLY = 40, 20


def habits_of(settings: CommunitySettings, name: str) -> Iterator[Habit]:
    """Give the habits of one service: an hour's visit by car, a visit to the clinic."""
    if name == CLINIC:
        yield from _clinics(settings)
    else:
        yield from _parking(settings)


def _parking(settings: CommunitySettings) -> Iterator[Habit]:
    """A resident drives in and out with a pass: a habit does not know the hour that a price needs."""
    for community in settings.communities:
        for park in community.car_parks:
            entry = ParkingFacts(
                community=community.number, car_park=park.number, step=ParkingStep.ENTRY, space=1
            )
            leave = ParkingFacts(
                community=community.number,
                car_park=park.number,
                step=ParkingStep.PASS_EXIT,
                space=1,
                serial=1,
            )
            yield Habit(
                there=(
                    HabitTap(partner=community.partner, facts=entry),
                    HabitTap(partner=community.partner, facts=leave, minutes=60),
                ),
                weight=_SELDOM,
            )


def _clinics(settings: CommunitySettings) -> Iterator[Habit]:
    for clinic in settings.clinics:
        for serial in (0, 1):
            facts = ClinicFacts(clinic=clinic.number, serial=serial)
            yield Habit(there=(HabitTap(partner=clinic.id, facts=facts),), weight=_HARDLY)
