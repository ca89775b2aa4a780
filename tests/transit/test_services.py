"""What the services of transit answer is the same in the processes that judge, which have no database."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citycard.card.codec import decode, encode
from citycard.city import City
from citycard.city.rating import alike
from citycard.clearing.columns import dtype_of, records_of
from citycard.clearing.intake import receive
from citycard.clearing.pricing import FeeRule, RuleBook, Stage
from citycard.clearing.rating import Charge, ask_rate
from citycard.clearing.run import clear
from citycard.errors import PriceUnknown
from citycard.terminal.record import RecordKind, TransactionRecord
from citycard_transit.alike import alike_rides
from citycard_transit.replay import Clockwork, replay
from citycard_transit.sectors import RideFacts
from citycard_transit.services import Fares
from citycard_transit.settings import BaseFare, Matrix, TransitSettings
from citycard_transit.shenzhen import read_taps

AT = datetime.fromisoformat("2018-09-01T08:30:00")
ROOT = Path(__file__).parents[2]


def test_a_replayed_morning_is_priced_and_shared_in_a_pool_as_in_this_process(
    small_file: Path, tmp_path: Path
) -> None:
    city = City.create(tmp_path / "city", ROOT / "examples" / "shenzhen" / "city.toml")
    replay(city, read_taps(small_file), clockwork=Clockwork(), hold=tmp_path / "held")
    receive(city, sorted((tmp_path / "held").glob("*.ccb")))
    city.close()
    shutil.copytree(city.folder, tmp_path / "copy")
    reports = []
    for folder, engine in ((city.folder, "local"), (tmp_path / "copy", "pool:2")):
        opened = City.open(folder, clock=city.clock)
        report = clear(opened, engine=engine)
        opened.close()
        assert report.engine == engine
        reports.append(attrs.evolve(report, engine="", closed_at=None))
    assert reports[0] == reports[1]
    assert (reports[0].price_difference_fen, len(reports[0].partners)) == (0, 2)


@st.composite
def rides(draw):
    """Draw a ride as a gate may write it, with times that touch the bounds of every window."""
    at = AT + timedelta(minutes=draw(st.integers(0, 3)))
    before = draw(st.sampled_from([None, at - timedelta(minutes=60), at - timedelta(minutes=91), at]))
    facts = RideFacts(
        place=draw(st.sampled_from([101, 102, 201, 304, 310, 901, 930, 999])),
        origin=draw(st.sampled_from([0, 101, 201, 304, 310, 999])),
        entered_at=draw(st.sampled_from([None, at - timedelta(minutes=30)])),
        vehicle=draw(st.binary(min_size=10, max_size=10)),
        previous_at=before,
        spent_today_fen=draw(st.sampled_from([0, 690, 700, 710, 1100, 1300, 1310, 1490, 1500, 1510, 9999])),
        operator=draw(st.integers(0, 2)),
    )
    return TransactionRecord(
        kind=draw(st.sampled_from(RecordKind)),
        tti=6,
        flags=draw(st.sampled_from([0, 1, 2, 3])),
        service=1,
        issuer="01011000FFFFFFFF",
        asn="03105170070104791381",
        card_kind=draw(st.integers(1, 3)),
        key_version=1,
        algorithm=0,
        counter=draw(st.integers(0, 9)),
        balance_before_fen=5000,
        amount_fen=0,
        balance_after_fen=5000,
        terminal="300089000340",
        terminal_serial=1,
        at=at,
        tac=bytes(4),
        config=1,
        blacklist=0,
        list_price_fen=draw(st.sampled_from([0, 200, 400])),
        facts=encode(facts).ljust(48, b"\0"),
    )


@given(st.lists(rides(), min_size=2, max_size=40), st.sampled_from([1, 2]))
def test_rides_that_are_said_to_be_alike_cost_the_same_and_are_shared_alike(haibin_city, found, service):
    found = [attrs.evolve(ride, service=service) for ride in found]
    rows = haibin_city.alike(service, records_of([encode(ride) for ride in found]))
    charges = {}
    for row, ride in zip(rows, found, strict=True):
        rating, _ = ask_rate(haibin_city.rate, ride)
        charge = rating and Charge.of(rating)
        assert charges.setdefault(row.tobytes(), charge) == charge


@given(st.lists(rides(), min_size=1, max_size=20), st.one_of(st.none(), st.just(900)))
def test_a_matrix_prices_many_rides_at_once_as_it_prices_each(found, unknown_fen):
    # Places are zones of their own, are in a zone that is named like another place, or are in none.
    zones = {"far": ("304",), "201": ("310",)}
    prices = {"101": {"101": 100, "far": 500}, "far": {"201": 300}, "x": {"101": 700}}
    matrix = Matrix(name="m", zones=zones, prices_fen=prices, unknown_fen=unknown_fen)
    base = BaseFare(name="metro", services=("metro",), source="matrix", matrix="m")
    fares = Fares.of(TransitSettings(bases=(base,), matrices=(matrix,)))
    facts = [decode(RideFacts, ride.facts) for ride in found]
    columns = list(
        alike_rides(fares.settings, "metro", {}, 100)(
            records_of([encode(ride) for ride in found]),
            np.frombuffer(b"".join(ride.facts for ride in found), dtype_of(RideFacts)),
        )
    )
    told = columns[5].tolist()
    for price_fen, ride, fact in zip(told, found, facts, strict=True):
        request = fares.request("metro", at=ride.at, card_kind=1, facts=fact)
        if price_fen == -1:
            with pytest.raises(PriceUnknown):
                fares.quote(request)
        else:
            assert fares.quote(request).amount_fen == price_fen


@given(rides())
@settings(max_examples=5)
def test_a_city_of_many_stations_asks_for_few_prices(haibin_city, ride):
    zones = haibin_city.plugins.sections()["transit"]["matrices"][0]["zones"]
    places = [int(place) for zone in zones.values() for place in zone]
    pairs = [(origin, place) for origin in places for place in places]
    records = np.repeat(records_of(encode(ride)), len(pairs))
    records["facts"][:, :4] = np.array([place for _, place in pairs], ">u4").view("u1").reshape(-1, 4)
    records["facts"][:, 4:8] = np.array([origin for origin, _ in pairs], ">u4").view("u1").reshape(-1, 4)
    rows = {row.tobytes() for row in haibin_city.alike(1, records)}
    # Seven prices and the two operators at either end, where each pair of places would be asked about.
    assert len(pairs) > 1900
    assert len(rows) <= 7 * 4


def test_a_rule_of_somebody_else_lets_every_ride_be_asked_about(haibin_city):
    rules = RuleBook([FeeRule(name="feast", owner="tourism", stage=Stage.DISCOUNT, apply=lambda *_: None)])
    assert alike(haibin_city.plugins, rules, 1, records_of([])) is None
    assert alike(haibin_city.plugins, haibin_city.rules, 1, records_of([])) is not None
