"""A door with real cards: what was copied opens nothing, and what is switched off stays closed."""

import datetime as dt

import pytest

from citycard.city.till import Sale
from citycard.clearing.codes import State
from citycard.errors import CardRemoved, ServiceOff
from citycard_community.doors import DoorTerminal
from citycard_community.errors import TerminalElsewhere


@pytest.fixture
def owner(estate):
    card = estate.town.card()
    estate.home(card)
    estate.kiosk().collect(card.reader, estate.now)
    return card


def carried(estate, card):
    """Read the rights that a card carries, as any terminal can."""
    seen = []

    def look(visit):
        seen.append(visit.read("community"))
        return Sale(service="community-rights", amount_fen=0, writes={"community": seen[0]})

    estate.till("990100000016").serve(card.reader, estate.now, look)
    return seen[0]


def test_rights_that_were_copied_to_another_card_open_nothing(estate, owner):
    thief, record = estate.town.card(), carried(estate, owner)
    estate.till("990100000016").serve(
        thief.reader,
        estate.now,
        lambda _: Sale(service="community-rights", amount_fen=0, writes={"community": record}),
    )
    assert carried(estate, thief) == record
    assert [estate.opens("east", card) for card in (owner, thief)] == ["owner", "forged"]


def test_a_door_needs_nothing_but_what_it_was_told(estate, owner):
    door = estate.door("east")
    estate.city.engine.dispose()
    with estate.city.engine.begin() as conn:  # the books forget, the door does not ask them
        conn.exec_driver_sql("DELETE FROM community_right")
    assert door.open(owner.reader, estate.now).right.serial == 1


def test_a_torn_tap_opens_once_and_is_one_record(estate, owner, torn_away):
    door, opened = estate.door("east"), 0
    for commands in range(1, 100):
        try:
            door.open(torn_away(owner.reader, commands, done=True), estate.now)
        except CardRemoved:
            continue
        opened += 1
        break
    assert opened == 1
    report = estate.town.clear(*estate.tills.values())
    assert report.count(State.ACCEPTED) == report.records
    assert report.amount_fen == 0


def test_a_door_that_is_switched_off_stays_closed(estate, owner):
    estate.city.plugins.disable("community", by="a test", partner="sunrise-pm")
    with pytest.raises(ServiceOff):
        estate.door("east").open(owner.reader, estate.now)


def test_a_right_ends_at_midnight_and_the_door_opens_by_the_clock_of_the_tap(estate, owner):
    last = estate.door("east").open(owner.reader, estate.now).right.ends_on
    estate.town.pass_time(dt.datetime.combine(last, dt.time(23, 59)) - estate.now)
    assert estate.opens("east", owner) == "owner"
    estate.town.pass_time(dt.timedelta(minutes=1))
    assert estate.opens("east", owner) == "ended"


def test_a_gate_of_the_car_park_is_no_door(estate):
    with pytest.raises(TerminalElsewhere, match="is no door"):
        DoorTerminal(estate.gate("in").till, estate.city.vault)
