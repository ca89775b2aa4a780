"""The day's charts: sums in, drawings and legends out, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType
from typing import Any

from markupsafe import Markup

from citycard.city.floatview import FloatDay
from citycard.money import yuan
from citycard.web.languages import Language, mark
from citycard.web.svg import Bar, Column, Segment, bars, columns, strip
from citycard.web.views import DayView, FareBand, FloatView, JourneyView, OperatorTake, Period, StateCount

__all__ = [
    "STATES",
    "balance_chart",
    "draw_day",
    "fare_name",
    "float_chart",
    "held_segments",
    "hours_of",
    "state_segments",
]

# State -> its title, the tone of its tag, the colour of its piece.
STATES: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "accepted": (mark("accepted"), "good", "series-1"),
        "duplicate": (mark("duplicate"), "", "series-3"),
        "suspended": (mark("suspended"), "warn", "series-2"),
        "rejected": (mark("rejected"), "bad", "series-4"),
    }
)


def draw_day(day: DayView, say: Language) -> tuple[dict[str, Markup], dict[str, Sequence[Segment]]]:
    """Draw every chart of a day; return the drawings and the legends by name."""
    held = held_segments(day.float, say) if day.float else ()
    states = state_segments(day.states, say)
    taken = day.float.taken_fen if day.float else 0
    charts = {
        "taps": _taps(day.periods, say),
        "operators": _operators(day.operators, say),
        "fares": _fares(day.fares, say),
        "loads": strip(
            say("Taken in: {amount}", amount=say.money(taken)),
            [Segment(name=say("Taken in"), size=taken, words=say.money(taken), style="series-3")],
        ),
        "held": strip(say("Where the money is now"), held),
        "states": strip(say("Records by the state they ended in"), states),
    }
    return charts, {"taps": _tap_legend(day.periods, say), "held": held, "states": states}


def held_segments(money: FloatView, say: Language) -> tuple[Segment, ...]:
    """Cut the right side of the float into its pieces; nothing is drawn below zero."""
    pieces = (
        (say("left on cards"), money.cards_fen, "series-3"),
        (say("owed to partners"), money.payables_fen, "series-2"),
        (say("paid to partners"), money.settled_fen, "series-1"),
        (say("clearing fees"), money.fees_fen, "series-5"),
        *([(say("on accounts and on its way"), money.other_fen, "series-4")] if money.other_fen else []),
    )
    return tuple(
        Segment(name=name, size=max(amount_fen, 0), words=say.money(amount_fen), style=style)
        for name, amount_fen, style in pieces
    )


def state_segments(states: Sequence[StateCount], say: Language) -> tuple[Segment, ...]:
    """Cut the records into the four states they end in, in one fixed order."""
    counted = {item.state: item.records for item in states}
    return tuple(
        Segment(name=say(title), size=counted.get(state, 0), words=f"{counted.get(state, 0):,}", style=style)
        for state, (title, _, style) in STATES.items()
    )


def hours_of(periods: Sequence[Period]) -> list[dict[str, Any]]:
    """Add the periods up by the hour, for the table beside the chart."""
    rows = []
    for hour, inside in groupby(periods, key=lambda period: period.begins.replace(minute=0, second=0)):
        kept = list(inside)
        rows.append(
            {
                "name": hour.strftime("%H:00"),
                "entries": f"{sum(period.entries for period in kept):,}",
                "exits": f"{sum(period.exits for period in kept):,}",
                "singles": f"{sum(period.singles for period in kept):,}",
            }
        )
    return rows


def fare_name(band: FareBand, say: Language) -> str:
    """Name a band of fares: free, from and below, or from upwards."""
    if band.to_fen is not None and band.to_fen <= 1:
        return say("free")
    # Free rides have a band of their own, so the first one that pays begins at a fen.
    if band.from_fen == 0 and band.to_fen is not None:
        return f"¥0.01–{yuan(band.to_fen - 1)}"
    low = max(band.from_fen, 0) // 100
    if band.to_fen is None:
        return say("¥{low} and more", low=low)
    return say("¥{low} to below ¥{high}", low=low, high=band.to_fen // 100)


def balance_chart(journeys: Sequence[JourneyView], say: Language) -> Markup:
    """Draw the purse after each tap, oldest first; a negative shadow is drawn as empty."""
    items = [
        Column(
            name=say.moment(item.at),
            tick=item.at.strftime("%H:%M") if place % max(len(journeys) // 8, 1) == 0 else "",
            segments=(
                Segment(
                    name=say("balance"),
                    size=max(item.balance_after_fen, 0) // 100,
                    words=say.money(item.balance_after_fen),
                    style="series-3",
                ),
            ),
        )
        for place, item in enumerate(journeys)
    ]
    return columns(say("Balance in yuan after each tap"), items, height_px=160)


def float_chart(days: Sequence[FloatDay], say: Language) -> tuple[Markup, Sequence[Segment]]:
    """Draw what the city owed at the end of each day; the legend says the last."""
    every = max(len(days) // 8, 1)
    items = [
        Column(
            name=day.day.isoformat(),
            tick=day.day.strftime("%m-%d") if (len(days) - 1 - place) % every == 0 else "",
            segments=tuple(_owed(day, say)),
        )
        for place, day in enumerate(days)
    ]
    legend = tuple(_owed(days[-1], say)) if days else ()
    return columns(say("Yuan owed at the end of each day"), items, height_px=260), legend


def _owed(day: FloatDay, say: Language) -> Iterator[Segment]:
    pieces = (
        (say("on cards"), day.cards_fen, "series-3"),
        (say("in online accounts"), day.accounts_fen, "series-1"),
        (say("deposits"), day.deposits_fen, "series-5"),
        (say("owed to partners"), day.payables_fen, "series-2"),
        (say("all else"), day.other_fen, "series-4"),
    )
    for name, fen, style in pieces:
        yield Segment(name=name, size=max(fen, 0) // 100, words=say.money(fen), style=style)


def _taps(periods: Sequence[Period], say: Language) -> Markup:
    items = [
        Column(
            name=period.begins.strftime("%H:%M"),
            tick=period.begins.strftime("%H:%M") if _is_tick(period, len(periods)) else "",
            segments=tuple(
                Segment(name=name, size=size, style=style)
                for name, size, style in _kinds(period, say)
                if size
            ),
        )
        for period in periods
    ]
    busiest = max(periods, key=lambda period: period.taps, default=None)
    peak = (
        say("{time}: {taps} taps", time=busiest.begins.strftime("%H:%M"), taps=f"{busiest.taps:,}")
        if busiest
        else ""
    )
    return columns(say("Taps over the day"), items, height_px=250, peak=peak)


def _is_tick(period: Period, count: int) -> bool:
    # A short morning has a name every half hour, a whole day every second hour.
    if period.begins.minute not in {0, 30}:
        return False
    if count <= 24:  # noqa: PLR2004 - four hours of ten minutes
        return True
    return period.begins.minute == 0 and (count <= 96 or period.begins.hour % 2 == 0)  # noqa: PLR2004 - sixteen hours


def _kinds(period: Period, say: Language) -> tuple[tuple[str, int, str], ...]:
    return (
        (say("entries"), period.entries, "series-3"),
        (say("exits"), period.exits, "series-1"),
        (say("single taps"), period.singles, "series-2"),
    )


def _tap_legend(periods: Sequence[Period], say: Language) -> tuple[Segment, ...]:
    whole = (
        Period(
            begins=periods[0].begins,
            entries=sum(period.entries for period in periods),
            exits=sum(period.exits for period in periods),
            singles=sum(period.singles for period in periods),
        )
        if periods
        else None
    )
    kinds = _kinds(whole, say) if whole else ()
    return tuple(Segment(name=name, size=size, words=f"{size:,}", style=style) for name, size, style in kinds)


def _operators(operators: Sequence[OperatorTake], say: Language) -> Markup:
    items = [
        Bar(name=item.name, size=max(item.charged_fen, 0), words=say.money(item.charged_fen))
        for item in operators
    ]
    return bars(say("Charged by partner"), items)


def _fare_tick(band: FareBand, say: Language) -> str:
    if band.to_fen is not None and band.to_fen <= 1:
        return say("free")
    if band.from_fen == 0 and band.to_fen is not None:
        return f"<¥{band.to_fen // 100}"
    return f"¥{band.from_fen // 100}{'+' if band.to_fen is None else ''}"


def _fares(bands: Sequence[FareBand], say: Language) -> Markup:
    items = [
        Column(
            name=fare_name(band, say),
            tick=_fare_tick(band, say),
            segments=(Segment(name=say("uses"), size=band.rides, words=f"{band.rides:,}", style="series-2"),),
        )
        for band in bands
    ]
    return columns(say("Uses by amount"), items, height_px=250)
