"""What a stay in a car park costs. Pure: a car park's settings and two local moments in, fen out."""

from __future__ import annotations

import datetime as dt

from citycard_community.sectors import ParkingStep, Right
from citycard_community.settings import CarPark

__all__ = ["exit_step", "parking_fen"]

_DAY_MINUTES = 24 * 60
_SECOND = dt.timedelta(seconds=1)


def parking_fen(park: CarPark, since: dt.datetime, until: dt.datetime) -> int:
    """Price a stay: nothing within the free minutes, else every started unit, capped in each 24 hours."""
    minutes = -(max((until - since) // _SECOND, 0) // -60)
    if minutes <= park.free_minutes:
        return 0
    days, rest = divmod(minutes, _DAY_MINUTES)
    return days * _capped_fen(park, _DAY_MINUTES) + _capped_fen(park, rest)


def exit_step(
    entered_at: dt.datetime, at: dt.datetime, passes: list[Right]
) -> tuple[ParkingStep, dt.datetime, int]:
    """Say what an exit is, from when on it is paid, and which pass pays for the time before (0 for none).

    A pass pays when it held on the day of the entry. One that ended meanwhile pays up to the midnight after
    its last day. ``passes`` are good ones for this space.
    """
    held = [one for one in passes if one.ends_on is not None and one.holds_on(entered_at.date())]
    if not held:
        return ParkingStep.EXIT, entered_at, 0
    last = max(held, key=lambda one: (one.ends_on, one.serial))
    # The passes of months that follow each other are rights of their own.
    while following := [
        one for one in passes if last.ends_on and one.holds_on(last.ends_on + dt.timedelta(1))
    ]:
        last = max(following, key=lambda one: (one.ends_on, one.serial))
    assert last.ends_on is not None
    if last.ends_on >= at.date():
        return ParkingStep.PASS_EXIT, entered_at, last.serial
    midnight = dt.datetime.combine(last.ends_on + dt.timedelta(1), dt.time())
    return ParkingStep.EXIT, midnight, last.serial


def _capped_fen(park: CarPark, minutes: int) -> int:
    return min(park.day_cap_fen, -(minutes // -park.unit_minutes) * park.unit_fen)
