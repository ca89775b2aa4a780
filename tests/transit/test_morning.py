"""The generated morning."""

from __future__ import annotations

from collections import Counter

import pytest

from citycard_transit.errors import TapsTooFew
from citycard_transit.morning import DEFAULT_TAPS, generate
from citycard_transit.network import METRO_LINES, named, route, stations
from citycard_transit.settings import TransitSettings
from citycard_transit.taps import TapKind


def test_the_same_seed_gives_the_same_morning_and_another_seed_another_one() -> None:
    assert generate(7, 500) == generate(7, 500)
    assert generate(7, 500).digest != generate(8, 500).digest


def test_a_morning_has_at_least_twenty_thousand_taps_over_several_lines_in_time_order() -> None:
    morning = generate()
    assert len(morning.taps) >= DEFAULT_TAPS >= 20_000
    assert [tap.at for tap in morning.taps] == sorted(tap.at for tap in morning.taps)
    assert [tap.line for tap in morning.taps] == list(range(1, len(morning.taps) + 1))
    lines = {morning.names[tap.place].line for tap in morning.taps}
    assert len(lines) == 14
    kinds = Counter(tap.kind for tap in morning.taps)
    assert min(kinds.values()) > 5_000
    assert 0 < sum(tap.torn is not None for tap in morning.taps) < 200


def test_most_metro_rides_have_both_ends_and_a_few_lost_one() -> None:
    rides = Counter((tap.card, tap.kind) for tap in generate().taps if tap.kind is not TapKind.BUS)
    odd = {card for card, kind in rides if rides[card, TapKind.ENTRY] != rides[card, TapKind.EXIT]}
    assert 10 < len(odd) < 200


def test_every_rider_has_a_product_and_every_place_a_name_that_the_city_knows(
    haibin: TransitSettings,
) -> None:
    morning = generate(3, 5_000)
    assert {tap.product for tap in morning.taps} == {product.name for product in haibin.products}
    assert {tap.operator for tap in morning.taps} == {operator.name for operator in haibin.operators}
    assert all(tap.place in morning.names for tap in morning.taps)


def test_every_station_is_in_exactly_one_fare_zone(haibin: TransitSettings) -> None:
    zoned = Counter(place for places in haibin.matrices[0].zones.values() for place in places)
    assert zoned == Counter(str(station.code) for _, station in stations())


def test_interchanges_connect_all_lines() -> None:
    names = {station.name for _, station in stations()}
    assert max(len(named(name)) for name in names) == 2
    ends = {line.stations[end].name for line in METRO_LINES for end in (0, -1)}
    assert all(route(a, b)[2] > 0 for a in ends for b in ends if a != b)
    assert route("Airport", "Lighthouse") == (101, 103, 2)


def test_a_morning_without_room_for_its_network_is_refused() -> None:
    with pytest.raises(TapsTooFew, match="ask for at least 100"):
        generate(1, 99)
