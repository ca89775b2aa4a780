"""What a fare depends on, for many rides at once: rides with equal values cost the same and are shared alike.

Places say nothing by themselves: what counts is the base price between them, and whose lines they are on.
So a city of many stations asks for few prices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import numpy as np

from citycard.clearing.columns import Array, digits, moments
from citycard.terminal.record import RecordFlag
from citycard_transit.settings import BaseFare, Matrix, TransitSettings

__all__ = ["alike_rides"]

_NO_PLACE: Final = 0
_NO_PRICE: Final = -1
_Places = Callable[[Array], Array]
_BasePrice = Callable[[Array, Array], Array]


def alike_rides(
    settings: TransitSettings, service: str, owners: Mapping[int, str], line: int
) -> Callable[[Any, Any], Iterator[Any]]:
    """Give all that ``Fares.request``, the rules and the sharing read of rides of a service, as columns.

    ``owners`` are the operators of the lines between which rides are shared, ``line`` how many places a line
    numbers.
    """
    windows = sorted({transfer.window_minutes * 60 for transfer in settings.transfers})
    caps = [cap.day_fen for cap in settings.caps]
    highest_fen, lowest_fen = max(caps, default=0), min(caps, default=0)
    matrices = {matrix.name: matrix for matrix in settings.matrices}
    bases = [
        _between(matrices[base.matrix]) if base.matrix else _flat(base)
        for base in settings.bases
        if base.source != "gate" and service in base.services
    ]
    numbers = {owner: number for number, owner in enumerate(sorted(set(owners.values())))}
    whose = _by_number({number: numbers[owner] for number, owner in owners.items()}, -1)

    def alike(records: Any, facts: Any) -> Iterator[Any]:
        yield from (records[name] for name in ("kind", "card_kind", "list_price_fen"))
        yield records["flags"] & RecordFlag.TRANSFER
        yield facts["operator"]
        place, origin = facts["place"].astype(np.int64), facts["origin"].astype(np.int64)
        prices = [base(origin, place) for base in bases]
        yield from prices
        if owners:
            yield from (whose(number // line) for number in (origin, place))
        # No rule raises a price: what was spent is alike while the lowest cap leaves the whole ride.
        dearest_fen = np.maximum.reduce([records["list_price_fen"].astype(np.int64), *prices])
        spent_fen = facts["spent_today_fen"].astype(np.int64)
        yield np.minimum(np.maximum(spent_fen, lowest_fen - dearest_fen), highest_fen)
        entered, before = (moments(digits(facts, name)) for name in ("entered_at", "previous_at"))
        began = np.where(np.isnat(entered), moments(digits(records, "at")), entered)
        # No time before is another answer than one too long ago.
        yield np.isnat(before)
        waited_s = (began - before).astype(np.int64)
        yield from ((waited_s >= 0) & (waited_s <= window_s) for window_s in windows)

    return alike


def _flat(base: BaseFare) -> _BasePrice:
    found = _by_place(base.places, base.flat_fen or 0)
    return lambda _, place: found(place)


def _between(matrix: Matrix) -> _BasePrice:
    """Give the price of a matrix between two places, _NO_PRICE where it has none."""
    rows = matrix.prices_fen
    zones = {zone: number for number, zone in enumerate(sorted({*rows, *_columns(rows.values())}))}
    prices_fen = np.full((len(zones) + 1, len(zones) + 1), _NO_PRICE)
    for origin, row in rows.items():
        for destination, fen in row.items():
            prices_fen[zones[origin], zones[destination]] = fen
            prices_fen[zones[destination], zones[origin]] = fen
    # A place that no zone names is a zone of its own.
    named = {zone: zone for zone in zones}
    named |= {place: zone for zone, places in matrix.zones.items() for place in places}
    strange = len(zones)
    zone_of = _by_place({place: zones.get(zone, strange) for place, zone in named.items()}, strange)
    unknown_fen = prices_fen.max(initial=0) if matrix.unknown_fen is None else matrix.unknown_fen

    def price(origin: Array, place: Array) -> Array:
        found: Array = np.where(origin == _NO_PLACE, unknown_fen, prices_fen[zone_of(origin), zone_of(place)])
        return found

    return price


def _columns(rows: Iterable[Mapping[str, int]]) -> Iterator[str]:
    for row in rows:
        yield from row


def _by_place(values: Mapping[str, int], other: int) -> _Places:
    """Look places up by number; a name that is no number is the name of none."""
    return _by_number({int(name): value for name, value in values.items() if _is_number(name)}, other)


def _is_number(name: str) -> bool:
    return name.isdecimal() and name.isascii() and str(int(name)) == name


def _by_number(values: Mapping[int, int], other: int) -> _Places:
    """Look numbers up, many at once; ``other`` is the answer for one that is not there."""
    known = np.array([*sorted(values), np.iinfo(np.int64).max])
    found = np.array([*(values[number] for number in sorted(values)), other])

    def look(numbers: Array) -> Array:
        places = np.searchsorted(known, numbers)
        answer: Array = np.where(known[places] == numbers, found[places], other)
        return answer

    return look
