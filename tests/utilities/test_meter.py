"""A meter takes credit once, whatever is torn, replayed or carried to the wrong place."""

from __future__ import annotations

import datetime as dt

import pytest

from citycard import codec
from citycard.city.till import Sale
from citycard.errors import CardLacksSector, CardRemoved
from citycard.terminal import InProcessReader
from citycard.testing.readers import TakenAway
from citycard.testing.town import Town
from citycard_utilities.errors import MeterForeign, PrepaidForged
from citycard_utilities.kiosk import Slip, pay_slip
from citycard_utilities.meter import Meter
from citycard_utilities.opening import settings_of
from citycard_utilities.prepaid import sell_credit
from citycard_utilities.rules import METER
from citycard_utilities.sectors import MeterFacts, Prepaid

NUMBER = "000000420017"


class TornReader(InProcessReader):
    """A reader that loses the card after a number of commands; before or after the card did the last one."""

    def __init__(self, chip, after, *, heard):
        super().__init__(chip)
        self._left, self._heard = after, heard

    def transmit(self, command):
        self._left -= 1
        if self._left == 0 and self._heard:
            super().transmit(command)
        if self._left <= 0:
            raise CardRemoved(during="a command")
        return super().transmit(command)


@pytest.fixture
def gas(settings):
    return settings.biller("gas-works")


@pytest.fixture
def keys(town):
    return town.city.vault.card_key


@pytest.fixture
def desk(town):
    return town.till(town.terminal("gas-works"))


@pytest.fixture
def meter(town, gas, keys, tmp_path):
    return Meter(town.till(town.terminal("gas-works")), gas, NUMBER, keys, tmp_path / "meter.json")


@pytest.fixture
def card(town, desk, gas, keys):
    """Give a card with 10 m³ for the meter."""
    made = town.card()
    town.load(made, 50_000)
    desk.serve(made.reader, town.now, sell_credit(gas, keys, NUMBER, 1000))
    town.pass_time(dt.timedelta(hours=1))
    return made


@pytest.mark.parametrize("heard", [False, True])
def test_a_card_torn_from_the_meter_at_any_command_gives_its_credit_exactly_once(town, card, meter, heard):
    torn = 0
    for after in range(1, 30):
        reader = TornReader(card.chip, after, heard=heard)
        try:
            meter.tap(reader, town.pass_time(dt.timedelta(minutes=10)))
        except CardRemoved:
            torn += 1
            assert meter.memory.left in {0, 1000}
        assert meter.memory.left in {0, 1000}
    assert meter.tap(card.reader, town.pass_time(dt.timedelta(minutes=10))) in {0, 1000}
    assert meter.memory.left == 1000
    assert torn > 5
    town.clear(meter.till)


def test_the_meter_remembers_over_a_power_cut(town, gas, keys, card, meter, tmp_path):
    assert meter.tap(card.reader, town.now) == 1000
    again = Meter(meter.till, gas, NUMBER, keys, tmp_path / "meter.json")
    assert again.memory == meter.memory
    assert again.tap(card.reader, town.pass_time(dt.timedelta(hours=1))) == 0
    assert (again.use(2000), again.open) == (1000, False)


def test_credit_that_no_meter_took_yet_adds_up(town, gas, keys, desk, card, meter):
    desk.serve(card.reader, town.now, sell_credit(gas, keys, NUMBER, 500))
    assert meter.tap(card.reader, town.pass_time(dt.timedelta(hours=1))) == 1500


def test_credit_whose_card_was_taken_away_is_sold_once(town, gas, keys, desk, card, meter):
    with pytest.raises(CardRemoved):
        desk.serve(TakenAway(card.reader), town.now, sell_credit(gas, keys, NUMBER, 500))
    town.pass_time(dt.timedelta(minutes=2))
    assert desk.serve(card.reader, town.now, sell_credit(gas, keys, NUMBER, 500)).recovered
    assert meter.tap(card.reader, town.pass_time(dt.timedelta(hours=1))) == 1500


def test_a_torn_sale_is_no_answer_to_that_of_other_credit(town, gas, keys, desk, card, meter):
    slip = Slip(biller=gas.number, bill="G1", household="H17", amount_fen=1234, due=town.now.date())
    with pytest.raises(CardRemoved):
        desk.serve(TakenAway(card.reader), town.now, pay_slip(slip))
    with pytest.raises(CardRemoved):
        desk.serve(TakenAway(card.reader), town.now, sell_credit(gas, keys, NUMBER, 500))
    assert not desk.serve(card.reader, town.now, sell_credit(gas, keys, NUMBER, 700)).recovered
    assert len(desk.records) == 4
    assert meter.tap(card.reader, town.pass_time(dt.timedelta(hours=1))) == 1000 + 500 + 700


def test_the_tiers_of_a_new_year_begin_anew(town, gas, keys, desk, card):
    sale = desk.serve(card.reader, town.now, sell_credit(gas, keys, NUMBER, 5000))
    assert sale.amount_fen == 40 * 263 + 10 * 316
    town.pass_time(dt.timedelta(days=365))
    assert desk.serve(card.reader, town.now, sell_credit(gas, keys, NUMBER, 100)).amount_fen == 263


def test_a_card_of_another_meter_is_refused_at_meter_and_counter(town, gas, keys, desk, card, tmp_path):
    other = Meter(town.till(town.terminal("gas-works")), gas, "000000420018", keys, tmp_path / "other.json")
    with pytest.raises(MeterForeign, match=NUMBER):
        other.tap(card.reader, town.now)
    with pytest.raises(MeterForeign):
        desk.serve(card.reader, town.now, sell_credit(gas, keys, other.number, 100))
    with pytest.raises(MeterForeign, match="0/000000000000"):
        other.tap(town.card().reader, town.now)


def test_two_cards_of_one_household_each_give_their_own_credit(town, gas, keys, desk, card, meter):
    second = town.card()
    town.load(second, 10_000)
    desk.serve(second.reader, town.now, sell_credit(gas, keys, NUMBER, 300))
    later = dt.timedelta(hours=1)
    assert [meter.tap(one.reader, town.pass_time(later)) for one in (card, second, card)] == [1000, 300, 0]


@pytest.mark.parametrize("change", [{"units": 99_000}, {"counter": 9}, {"meter": "000000420018"}])
def test_credit_that_nobody_with_the_key_wrote_is_refused(town, gas, keys, card, meter, change):
    forged = town.till(town.terminal("gas-works"))

    def decide(visit):
        record: Prepaid = visit.read("utilities-gas")
        facts = MeterFacts(biller=gas.number, meter=NUMBER, counter=1)
        return Sale(
            service=METER,
            amount_fen=0,
            facts=facts,
            writes={"utilities-gas": codec.evolve(record, **change)},
        )

    forged.serve(card.reader, town.now, decide)
    with pytest.raises((PrepaidForged, MeterForeign)) as refused:
        meter.tap(card.reader, town.pass_time(dt.timedelta(hours=1)))
    assert isinstance(refused.value, PrepaidForged)
    assert meter.memory.left == 0


def test_a_card_that_was_issued_before_gas_came_says_what_to_do(tmp_path, town_settings):
    early = Town.make(tmp_path, ["utilities"], town_settings, enable=[])
    old = early.card()
    early.load(old, 1000)
    early.city.plugins.enable("utilities", by="test")
    gas = settings_of(early.city).biller("gas-works")
    early.partner("gas-works")
    till = early.till(early.terminal("gas-works"))
    with pytest.raises(CardLacksSector, match="utilities-gas"):
        till.serve(old.reader, early.now, sell_credit(gas, early.city.vault.card_key, NUMBER, 100))
    assert "utilities-gas" in early.update(old)
    early.close()
