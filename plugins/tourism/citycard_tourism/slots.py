"""The places of timed tickets: every sale takes them from one row, so that no slot is ever oversold.

Whether a sale is online or at a counter, it takes places by one conditional update, which the database judges
for one after the other. A slot has a row from its first sale on, or once an operator changes its capacity.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import attrs
from sqlalchemy import Connection, select, update

from citycard.errors import Phrase
from citycard.store.bulk import insert_missing
from citycard_tourism.errors import SlotFull, SlotUnknown
from citycard_tourism.settings import Show
from citycard_tourism.tables import slot

__all__ = ["Slot", "check_slot", "free", "set_capacity", "slots_of", "take"]


@attrs.frozen(kw_only=True)
class Slot:
    """A slot of a show: how many places it has, and how many are taken."""

    show: str
    starts: dt.datetime
    ends: dt.datetime
    capacity: int
    taken: int

    @property
    def left(self) -> int:
        """Give how many places can be sold."""
        return self.capacity - self.taken


def check_slot(show: Show, starts: dt.datetime, now: dt.datetime) -> None:
    """Raise SlotUnknown unless a show is on sale at ``starts``, a local time."""
    reason = ""
    if starts.strftime("%H:%M:%S") not in {f"{time}:00" for time in show.times}:
        reason = Phrase("it begins at {times}", times=", ".join(show.times))
    elif starts.weekday() in show.closed_on:
        reason = "it is closed on that day"
    elif show.until(starts) <= now:
        reason = "it is over"
    elif starts.date() > now.date() + dt.timedelta(days=show.ahead_days):
        reason = Phrase("it is sold {ahead_days} days ahead", ahead_days=show.ahead_days)
    if reason:
        raise SlotUnknown(show=show.name, starts=f"{starts:%Y-%m-%d %H:%M}", reason=reason)


def take(conn: Connection, show: Show, starts: dt.datetime, people: int) -> None:
    """Take places of a slot, all that are wanted or none; raise SlotFull."""
    _open(conn, show, starts)
    places = update(slot).where(_mine(show, starts), slot.c.taken + people <= slot.c.capacity)
    if conn.execute(places.values(taken=slot.c.taken + people)).rowcount == 0:
        left = conn.execute(select(slot.c.capacity - slot.c.taken).where(_mine(show, starts))).scalar_one()
        raise SlotFull(show=show.name, starts=f"{starts:%Y-%m-%d %H:%M}", left=left, wanted=people)


def free(conn: Connection, show: Show, starts: dt.datetime, people: int) -> None:
    """Give places back that were taken."""
    conn.execute(update(slot).where(_mine(show, starts)).values(taken=slot.c.taken - people))


def set_capacity(conn: Connection, show: Show, starts: dt.datetime, capacity: int) -> Slot:
    """Let a slot have so many places; raise SlotFull when more are taken already."""
    _open(conn, show, starts)
    fits = update(slot).where(_mine(show, starts), slot.c.taken <= capacity)
    if conn.execute(fits.values(capacity=capacity)).rowcount == 0:
        row = conn.execute(select(slot).where(_mine(show, starts))).one()
        left = capacity - row.taken
        raise SlotFull(show=show.name, starts=f"{starts:%Y-%m-%d %H:%M}", left=left, wanted=0)
    return slots_of(conn, show, starts.date())[_place(show, starts)]


def slots_of(conn: Connection, show: Show, day: dt.date) -> list[Slot]:
    """Give the slots of a show on a day, those of which nothing is sold too; none on a day it is closed."""
    if day.weekday() in show.closed_on:
        return []
    begin = dt.datetime.combine(day, dt.time())
    known = {
        row.starts: row
        for row in conn.execute(
            select(slot).where(
                slot.c.show == show.number,
                slot.c.starts >= begin,
                slot.c.starts < begin + dt.timedelta(days=1),
            )
        )
    }
    found = []
    for time in sorted(show.times):
        starts = dt.datetime.combine(day, dt.time.fromisoformat(time))
        row = known.get(starts)
        found.append(
            Slot(
                show=show.name,
                starts=starts,
                ends=show.until(starts),
                capacity=row.capacity if row else show.capacity,
                taken=row.taken if row else 0,
            )
        )
    return found


def _open(conn: Connection, show: Show, starts: dt.datetime) -> None:
    row = {"show": show.number, "starts": starts, "capacity": show.capacity, "taken": 0}
    insert_missing(conn, slot, [row])


def _mine(show: Show, starts: dt.datetime) -> Any:
    return (slot.c.show == show.number) & (slot.c.starts == starts)


def _place(show: Show, starts: dt.datetime) -> int:
    return sorted(show.times).index(f"{starts:%H:%M}")
