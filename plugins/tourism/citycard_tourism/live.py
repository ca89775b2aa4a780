"""A day at venues in a simulated city (docs/simulate.md): citizens buy, move and give back tickets online."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import attrs

from citycard.errors import CitycardError
from citycard.ids import derived_id
from citycard.kernel.habits import Lived
from citycard.store import reading
from citycard_tourism.changes import give_back_online, move_online
from citycard_tourism.loyalty import open_schemes, sell
from citycard_tourism.office import Office
from citycard_tourism.passes import buy_pass, passes_of
from citycard_tourism.settings import Show
from citycard_tourism.tickets import buy

__all__ = ["live_day"]

_GOODS_FEN = (3500, 6800, 12_900)
_POINTS = 30
_MOVES, _RETURNS = 3, 5

Done = TypeVar("Done")


@attrs.define
class _Count:
    """How often something was done, and for how much."""

    count: int = 0
    amount_fen: int = 0

    def add(self, amount_fen: int) -> None:
        self.count += 1
        self.amount_fen += amount_fen


def live_day(office: Office, day: dt.date, accounts: Sequence[str]) -> Iterator[Lived]:
    """Let every citizen go out once a day: the first buys everything, and the same day again changes nothing.

    Of the tickets one in three is moved to the next day and one in five given back. Goods earn points, which
    pay a part of the next ticket where they are taken.
    """
    open_schemes(office)
    told = {name: _Count() for name in ("goods", "passes", "tickets", "moves", "returns", "points used")}
    for place, asn in enumerate(accounts):
        _goods(office, day, asn, place, told)
        if place == 0:
            _passes(office, day, asn, told)
        shows = office.settings.shows
        for turn, show in enumerate(shows):
            if place == 0 or (place + turn + day.toordinal()) % len(shows) == 0:
                _ticket(office, day, asn, place, show, told)
    yield from (Lived(what=name, count=one.count, amount_fen=one.amount_fen) for name, one in told.items())


def _goods(office: Office, day: dt.date, asn: str, place: int, told: dict[str, _Count]) -> None:
    for venue in office.settings.venues:
        if venue.kind == "bookshop":
            act = derived_id("simulated goods", venue.id, day, asn)
            price_fen = _GOODS_FEN[place % len(_GOODS_FEN)]
            sold = _tried(lambda: sell(office, act, asn, venue.id, price_fen))  # noqa: B023 - called at once
            if sold is not None:
                told["goods"].add(sold.amount_fen)


def _passes(office: Office, day: dt.date, asn: str, told: dict[str, _Count]) -> None:
    with reading(office.engine) as conn:
        known = {one.plan for one in passes_of(conn, asn) if one.state != "cancelled"}
    for plan in office.settings.plans:
        if plan.number in known:
            continue
        act = derived_id("simulated pass", plan.name, day, asn)
        bought = _tried(lambda: buy_pass(office, act, asn, plan))  # noqa: B023 - called at once
        if bought is not None:
            told["passes"].add(plan.price_fen)


def _ticket(office: Office, day: dt.date, asn: str, place: int, show: Show, told: dict[str, _Count]) -> None:
    starts = _next(show, office.now)
    if starts is None:
        return
    act = derived_id("simulated ticket", show.name, day, asn)
    taken = {one.venue: one.scheme for one in office.settings.acceptances}
    scheme = taken.get(show.venue, "") if place % 2 == 0 else ""
    points = _POINTS if scheme else 0
    found = _tried(lambda: buy(office, act, asn, show, starts, scheme=scheme, points=points))
    if found is None:
        return
    told["tickets"].add(found.price_fen)
    if points:
        told["points used"].add(found.points_fen)
    later = _next(show, dt.datetime.combine(day + dt.timedelta(days=1), dt.time()))
    if place % _MOVES == 1 and later is not None:
        moved = _tried(lambda: move_online(office, derived_id("simulated move", act), act, later))
        told["moves"].count += moved is not None
    elif place % _RETURNS == 0:
        back = _tried(lambda: give_back_online(office, derived_id("simulated return", act), act))
        told["returns"].count += back is not None


def _next(show: Show, after: dt.datetime) -> dt.datetime | None:
    """Give the first slot of a show that begins after a moment, within a week."""
    slots = (
        dt.datetime.combine(after.date() + dt.timedelta(days=days), dt.time.fromisoformat(time))
        for days in range(8)
        for time in sorted(show.times)
    )
    open_ones = (starts for starts in slots if starts > after and starts.weekday() not in show.closed_on)
    return next(open_ones, None)


def _tried(act: Callable[[], Done]) -> Done | None:
    """Do what may be refused: a slot is full, an account has no money any more."""
    try:
        return act()
    except CitycardError:
        return None
