"""A card torn at one terminal goes to another, and back: each ride is charged once, by whoever it was.

Cut before, after and within every write of the card, and lost before and after every command of a tap.
"""

from __future__ import annotations

import datetime as dt
import itertools

import pytest

from citycard.errors import CardRemoved
from citycard.terminal import InProcessReader, RecordKind, RecordPlan

AT = dt.datetime.fromisoformat("2026-03-02T08:15:30")
FARE, MONEY = 385, 10_000
FIRST, OTHER = "300089000340", "300089000777"
PLAN = RecordPlan(kind=RecordKind.EXIT, service=3, facts=b"x")
BODY, JOURNEY = b"\x02" + b"\x11" * 39, b"\x04" + bytes(47)
SHAPES = [(False, None), *((True, prefix) for prefix in (0, 1, 7, None, 10_000))]


class Flaky(InProcessReader):
    """A reader whose card is gone from one command on: before it hears it, or after it has answered."""

    def __init__(self, card, at: int, *, heard: bool) -> None:
        super().__init__(card)
        self.left, self.heard = at, heard

    def transmit(self, apdu: bytes) -> bytes:
        self.left -= 1
        if self.left == -1 and not self.heard:
            raise CardRemoved(during="test")
        answer = super().transmit(apdu)
        if self.left == -1:
            raise CardRemoved(during="test")
        return answer


def ride(terminal, reader, place, *, composite, arm=lambda: None) -> None:
    """Charge a card as a gate does, unless the tear of before turns out to have been this ride."""
    session = terminal.tap(reader, AT)
    if session.view.recovered is not None:
        return
    arm()
    if composite:
        updates = [session.write_sector(place, BODY), session.write_journey(JOURNEY)]
        terminal.record(session.capp(FARE, AT, updates, plan=PLAN))
    else:
        terminal.record(session.purchase(FARE, AT, plan=PLAN))


def purse(card) -> tuple[int, int]:
    """Ask the card for its balance and the number of its next debit."""
    card.power_on()
    card.transmit(bytes.fromhex("00A4040008A00000063201010500"))
    balance = card.transmit(bytes.fromhex("805C000204"))[:4]
    number = card.transmit(bytes.fromhex("805001020B01") + bytes(10) + b"\x0f")[4:6]
    return int.from_bytes(balance, "big"), int.from_bytes(number, "big")


def charged(*terminals) -> list[tuple[int, int]]:
    """Return number and amount of every record, by their bytes."""
    records = [record for terminal in terminals for record in terminal.records]
    return sorted((int.from_bytes(r[27:29], "big"), int.from_bytes(r[33:37], "big")) for r in records)


def agree(card, first, other) -> None:
    """Check that both rides were charged, each once, and that card and records tell the same."""
    assert purse(card) == (MONEY - 2 * FARE, 2)
    assert charged(first, other) == [(0, FARE), (1, FARE)]
    assert (len(first.journal), len(other.journal)) == (0, 0)


def visits(card, make_terminal, place, tear, *, composite, same_first) -> bool:
    """Tear a ride at the first terminal, ride at the other, come back; return whether it was torn."""
    first, other = make_terminal(FIRST), make_terminal(OTHER)
    torn = tear(first)
    if torn:
        there, back = (other, first) if not same_first else (first, other)
        for terminal in (there, back):
            ride(terminal, InProcessReader(card), place, composite=composite)
        agree(card, first, other)
    return torn


ORDERS = pytest.mark.parametrize(
    "same_first", [True, False], ids=["same terminal next", "other terminal next"]
)
KINDS = pytest.mark.parametrize("composite", [False, True], ids=["purchase", "composite"])


@ORDERS
@KINDS
def test_a_card_cut_at_any_write_pays_each_ride_once(
    card, make_terminal, version, composite, same_first, record_property
) -> None:
    place, cuts = version.place("ride"), 0
    for shape in SHAPES:
        for writes in itertools.count():
            chip = card.clone()

            def tear(terminal, chip=chip, writes=writes, shape=shape) -> bool:
                def arm() -> None:
                    chip.eeprom.cut_after(writes, torn=shape[0], prefix=shape[1])

                try:
                    ride(terminal, InProcessReader(chip), place, composite=composite, arm=arm)
                except CardRemoved:
                    return True
                finally:
                    chip.eeprom.cut_after(None)
                return False

            if not visits(chip, make_terminal, place, tear, composite=composite, same_first=same_first):
                break
            cuts += 1
    assert cuts > 5 * len(SHAPES)
    record_property("cuts", cuts)


@ORDERS
@KINDS
@pytest.mark.parametrize("heard", [False, True], ids=["before", "after"])
def test_a_card_lost_around_any_command_pays_each_ride_once(
    card, make_terminal, version, composite, same_first, heard, record_property
) -> None:
    place = version.place("ride")
    for command in itertools.count():
        chip = card.clone()

        def tear(terminal, chip=chip, command=command) -> bool:
            try:
                ride(terminal, Flaky(chip, command, heard=heard), place, composite=composite)
            except CardRemoved:
                return True
            return False

        if not visits(chip, make_terminal, place, tear, composite=composite, same_first=same_first):
            break
    assert command >= 6
    record_property("cuts", command)


@KINDS
def test_a_card_that_only_rides_on_elsewhere_leaves_one_open_record_at_most(
    card, make_terminal, version, composite, record_property
) -> None:
    place = version.place("ride")
    for writes in itertools.count():
        chip, first, other = card.clone(), make_terminal(FIRST), make_terminal(OTHER)

        def arm(chip=chip, writes=writes) -> None:
            chip.eeprom.cut_after(writes, torn=True)

        try:
            ride(first, InProcessReader(chip), place, composite=composite, arm=arm)
        except CardRemoved:
            chip.eeprom.cut_after(None)
        else:
            break
        ride(other, InProcessReader(chip), place, composite=composite)
        balance, number = purse(chip)
        assert balance == MONEY - number * FARE
        assert number in {1, 2}
        assert charged(other) == [(number - 1, FARE)]
        first.hand_in_open(AT)
        assert first.hand_in_open(AT + dt.timedelta(days=1)) <= 1
        assert [counter for counter, _ in charged(first)] in ([], [0])
    record_property("cuts", writes)
