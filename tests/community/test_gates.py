"""The car park's gates: tearing a card away neither loses a car nor charges it twice."""

import datetime as dt

import pytest

from citycard.city.till import Till
from citycard.errors import CardRefused, CardRemoved
from citycard.ids import new_id
from citycard_community.errors import AlreadyInside, SpaceTaken, StayUnknown, TerminalElsewhere
from citycard_community.gates import CarParkGate
from citycard_community.passes import sell_pass
from citycard_community.sectors import ParkingStep

MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)


@pytest.fixture
def car(estate):
    card = estate.town.card()
    estate.town.load(card, 50_000)
    return card


@pytest.mark.parametrize("done", [False, True])
def test_a_torn_entry_takes_one_space_and_a_torn_exit_is_paid_once(estate, car, done, torn_away):
    come, go = estate.gate("in"), estate.gate("out")
    for passage, waits in ((come.enter, 0 * HOUR), (go.leave, 1 * HOUR)):
        estate.town.pass_time(waits)
        for commands in range(1, 100):
            try:
                passage(torn_away(car.reader, commands, done=done), estate.now)
            except CardRemoved:
                continue
            except (AlreadyInside, StayUnknown):
                pass  # the tap before had done it
            break
        assert commands > 5
        assert come.spaces.occupancy(estate.today).taken == (passage == come.enter)
    assert estate.town.balance_fen(car) == 50_000 - 400
    assert estate.clear().gross_fen == 400


def test_a_car_that_paid_and_comes_back_to_the_gate_later_is_let_out(estate, car, torn_away):
    come, go = estate.gate("in"), estate.gate("out")
    come.enter(car.reader, estate.now)
    estate.town.pass_time(HOUR)
    commands = 0
    while estate.town.balance_fen(car) == 50_000:
        commands += 1
        with pytest.raises(CardRemoved):
            go.leave(torn_away(car.reader, commands, done=True), estate.now)
    assert come.spaces.occupancy(estate.today).taken == 1
    estate.town.pass_time(5 * MINUTE)
    out = go.leave(car.reader, estate.now)
    assert (out.step, out.receipt.amount_fen) == (ParkingStep.PAID_EXIT, 0)
    assert come.spaces.occupancy(estate.today).taken == 0
    assert estate.clear().gross_fen == 400


def test_a_purse_that_is_too_small_stays_inside_until_it_is_loaded(estate):
    poor = estate.town.card()
    come, go = estate.gate("in"), estate.gate("out")
    come.enter(poor.reader, estate.now)
    estate.town.pass_time(HOUR)
    with pytest.raises(CardRefused, match="balance is too small"):
        go.leave(poor.reader, estate.now)
    assert come.spaces.of_card(poor.asn).left_at is None
    estate.town.load(poor, 400)
    assert go.leave(poor.reader, estate.now).receipt.amount_fen == 400
    assert come.spaces.of_card(poor.asn) is None


def test_two_cars_do_not_stand_in_one_space(estate, car):
    resident, other = estate.town.card(), estate.town.card()
    estate.home(resident)
    estate.town.account(resident, 50_000)
    come = estate.gate("in")
    assert come.enter(other.reader, estate.now).space == 1
    sell_pass(estate.city, estate.settings, new_id(), resident.asn, "sunrise", 1, 1, estate.today, 1)
    estate.kiosk().collect(resident.reader, estate.now)
    with pytest.raises(SpaceTaken, match="space 1 of car park Sunrise garage is taken"):
        come.enter(resident.reader, estate.now)
    estate.gate("out").leave(other.reader, estate.now)
    assert come.enter(resident.reader, estate.now).space == 1
    assert come.enter(car.reader, estate.now).space == 2


def test_after_the_last_day_of_a_pass_its_car_pays_from_midnight(estate):
    resident = estate.town.card()
    estate.home(resident)
    estate.town.account(resident, 50_000)
    estate.town.load(resident, 10_000)
    estate.town.pass_time(29 * DAY)  # 31 March, 08:00
    sell_pass(estate.city, estate.settings, new_id(), resident.asn, "sunrise", 1, 3, estate.today, 1)
    estate.kiosk().collect(resident.reader, estate.now)
    estate.gate("in").enter(resident.reader, estate.now)
    estate.town.pass_time(18 * HOUR)  # 1 April, 02:00
    out = estate.gate("out").leave(resident.reader, estate.now)
    assert (out.space, out.receipt.amount_fen) == (3, 4 * 200)


def test_without_an_entry_nothing_leaves_that_nobody_knows(estate, car):
    go = estate.gate("out")
    for where in ({}, {"plate": "京B1"}, {"space": 2}):
        with pytest.raises(StayUnknown):
            go.leave(car.reader, estate.now, **where)
    assert estate.town.balance_fen(car) == 50_000


def test_a_lost_ticket_is_found_by_space_too(estate, car):
    other = estate.town.card()
    come, go = estate.gate("in"), estate.gate("out")
    space = come.enter(other.reader, estate.now).space
    out = go.leave(car.reader, estate.now, space=space)
    assert (out.step, out.space, out.receipt.amount_fen) == (ParkingStep.LOST_TICKET, space, 3000)
    assert come.spaces.of_card(other.asn) is None


def test_a_terminal_of_something_else_is_no_gate(estate):
    door = estate.door("east").till
    with pytest.raises(TerminalElsewhere, match="is no gate of a car park"):
        CarParkGate(Till(estate.city, door.number), estate.city)


def test_a_card_that_was_lost_inside_and_found_comes_in_again(estate, car):
    lost = estate.town.card()
    come, go = estate.gate("in"), estate.gate("out")
    space = come.enter(lost.reader, estate.now).space
    estate.town.pass_time(HOUR)
    go.leave(car.reader, estate.now, space=space)
    estate.town.pass_time(9 * DAY)
    with pytest.raises(StayUnknown):
        go.leave(lost.reader, estate.now)
    assert come.enter(lost.reader, estate.now).space == space
    estate.town.pass_time(MINUTE)
    assert go.leave(lost.reader, estate.now).receipt.amount_fen == 0
