"""How people use a service: what the simulator (docs/simulate.md) makes taps of."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import attrs

from citycard.kernel.check import matching, one_of_pattern, words

__all__ = ["Habit", "HabitTap", "Lived"]

_KINDS = frozenset({1, 2, 3, 4})
_TERMINAL = re.compile(r"([0-9]{12})?")


def _whole(low: int, expected: str) -> Any:
    return matching(lambda value: type(value) is int and value >= low, expected)


@attrs.frozen(kw_only=True)
class HabitTap:
    """One tap of a journey: at a terminal of ``partner``, ``minutes`` after the journey began.

    ``terminal`` is the number of the terminal where it is made, such as the one of a door; left out, it is
    made at any that is opened for the partner. ``kind`` is a ``terminal.RecordKind``. ``facts`` is a record
    of the service's layout of facts, None where it has none. What the tap costs is asked of the city's own
    rules, from the kind of card, these facts, the list price (fen) and the hour.
    """

    partner: str = attrs.field(validator=words)
    terminal: str = attrs.field(default="", validator=one_of_pattern(_TERMINAL, "12 digits, or nothing"))
    kind: int = attrs.field(
        default=3,
        converter=int,
        validator=matching(_KINDS.__contains__, "1 entry, 2 exit, 3 single, 4 opened"),
    )
    facts: Any = None
    list_price_fen: int = attrs.field(default=0, validator=_whole(0, "fen, zero or more"))
    minutes: int = attrs.field(default=0, validator=_whole(0, "minutes, zero or more"))


def _taps(taps: Iterable[HabitTap]) -> tuple[HabitTap, ...]:
    return tuple(taps)


@attrs.frozen(kw_only=True)
class Habit:
    """A journey that people make: its taps ``there``, in order, and ``back``, as many; the same when empty.

    ``weight`` says how often it is made beside the other habits of the city.
    """

    there: tuple[HabitTap, ...] = attrs.field(
        converter=_taps, validator=matching(lambda taps: len(taps) > 0, "at least one tap")
    )
    back: tuple[HabitTap, ...] = attrs.field(default=(), converter=_taps)
    weight: int = attrs.field(default=1, validator=_whole(1, "a whole number, one or more"))

    def __attrs_post_init__(self) -> None:
        fits = matching(lambda taps: len(taps) in {0, len(self.there)}, "as many taps as there")
        fits(self, attrs.fields(Habit).back, self.back)


@attrs.frozen(kw_only=True)
class Lived:
    """What citizens did online in a domain on a simulated day: what, how often, and for how much (fen)."""

    what: str = attrs.field(validator=words)
    count: int = attrs.field(default=1, validator=_whole(0, "a whole number, zero or more"))
    amount_fen: int = attrs.field(default=0, validator=_whole(0, "fen, zero or more"))
