"""Gates: who gets in, who does not, and what a group remembers."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from citycard.card.codec import decode
from citycard.errors import CardRemoved
from citycard.ids import new_id
from citycard.terminal import InProcessReader
from citycard.terminal.record import read_record
from citycard_tourism.errors import GateFull, NotInside, PassNotNow, PassUsedAgain, RightMissing
from citycard_tourism.gates import GateGroup
from citycard_tourism.sectors import Step, VisitFacts

MINUTE = dt.timedelta(minutes=1)
DEBIT = 0x54


@pytest.fixture
def member(leisure):
    """A card with the museums' pass."""
    card = leisure.town.card()
    leisure.town.load(card, 50_000)
    leisure.counter("city-museum").sell_pass(new_id(), card.reader, leisure.settings.plan("museums"))
    return card


def test_a_card_without_a_right_stays_out(leisure):
    with pytest.raises(RightMissing, match="nothing for City Museum"):
        leisure.gate("city-museum").enter(leisure.town.card().reader, leisure.at("09:00"))


def test_a_pass_of_other_venues_does_not_open(leisure, member):
    with pytest.raises(RightMissing):
        leisure.gate("gym-north").enter(member.reader, leisure.at("09:00"))


def test_a_pass_works_from_its_first_to_its_last_day(leisure, member):
    gate, first = leisure.gate("city-museum"), leisure.at("09:00")
    gate.enter(member.reader, first + dt.timedelta(days=364))
    with pytest.raises(PassNotNow):
        gate.enter(member.reader, first + dt.timedelta(days=365))


@pytest.mark.parametrize("minutes", [0, 1, 29])
def test_passback_holds_for_the_group(leisure, member, minutes):
    at, front, side = leisure.at("09:00"), leisure.gate("city-museum"), leisure.gate("city-museum")
    front.enter(member.reader, at)
    front.leave(member.reader, at)
    with pytest.raises(PassUsedAgain) as refused:
        side.enter(member.reader, at + minutes * MINUTE)
    assert refused.value.data["until"] == at + 30 * MINUTE
    assert side.enter(member.reader, at + 30 * MINUTE).inside == 1


def test_a_restart_forgets_nothing_that_was_kept(leisure, member):
    at, gate = leisure.at("09:00"), leisure.gate("city-museum")
    gate.enter(member.reader, at)
    kept = json.loads(json.dumps(gate.group.state()))

    again = GateGroup(gate.group.number, gate.group.capacity)
    again.restore(kept)

    assert (again.inside, again.used, again.people) == (1, gate.group.used, gate.group.people)
    assert again.close_day(at) == 1
    assert (again.inside, len(again.used)) == (0, 1)
    again.close_day(at + dt.timedelta(days=3))
    assert again.used == {}


def test_whoever_did_not_come_in_does_not_go_out(leisure, member):
    gate = leisure.gate("city-museum")
    with pytest.raises(NotInside):
        gate.leave(member.reader, leisure.at("09:00"))
    gate.enter(member.reader, leisure.at("09:00"))
    with pytest.raises(NotInside):
        leisure.gate("science-museum").leave(member.reader, leisure.at("09:05"))
    assert gate.leave(member.reader, leisure.at("09:10")).inside == 0
    with pytest.raises(NotInside):
        gate.leave(member.reader, leisure.at("09:11"))


def test_somebody_who_left_unseen_is_not_counted_twice(leisure, member):
    gate = leisure.gate("city-museum")
    gate.enter(member.reader, leisure.at("09:00"))
    assert gate.enter(member.reader, leisure.at("11:00")).inside == 1


def test_the_record_says_which_right_was_used_where(leisure, member):
    gate = leisure.gate("city-museum")
    gate.enter(member.reader, leisure.at("09:00"))
    gate.leave(member.reader, leisure.at("10:00"))
    till = leisure.tills[next(name for name in leisure.tills if " " in name)]
    facts = [decode(VisitFacts, read_record(record).facts) for record in till.records]
    assert [(one.venue, one.right.name, one.number, one.step) for one in facts] == [
        (1, "PASS", 1, Step.ENTER),
        (1, "PASS", 1, Step.LEAVE),
    ]


def test_the_gate_counts_who_is_inside(leisure):
    town = leisure.town
    dinosaurs, at = leisure.settings.show("dinosaurs"), leisure.at("10:00")
    cards = [town.card() for _ in range(3)]
    for card, people in zip(cards, (3, 2, 1), strict=True):
        town.load(card, 20_000)
        leisure.counter("city-museum").sell_ticket(new_id(), card.reader, dinosaurs, at, people)
    gate, second = leisure.gate("city-museum"), leisure.gate("city-museum")
    assert gate.enter(cards[0].reader, at).inside == 3
    assert second.enter(cards[1].reader, at).inside == 5

    with pytest.raises(GateFull):
        gate.enter(cards[2].reader, at + MINUTE)
    second.leave(cards[0].reader, at + 2 * MINUTE)
    assert gate.enter(cards[2].reader, at + 3 * MINUTE).inside == 3


class Torn:
    """A reader on which the card's answer to DEBIT is lost, and the card is gone."""

    def __init__(self, chip):
        self.reader, self.gone = InProcessReader(chip), False

    def connect(self):
        if self.gone:
            raise CardRemoved(during="connect")
        return self.reader.connect()

    def transmit(self, apdu):
        if self.gone:
            raise CardRemoved(during="transmit")
        answer = self.reader.transmit(apdu)
        if apdu[1] == DEBIT:
            self.gone = True
            raise CardRemoved(during="DEBIT")
        return answer


def test_a_torn_tap_lets_in_and_counts_once(leisure, member):
    gate, at = leisure.gate("city-museum"), leisure.at("09:00")
    with pytest.raises(CardRemoved):
        gate.enter(Torn(member.chip), at)
    assert gate.group.inside == 0
    admitted = gate.enter(member.reader, at + dt.timedelta(seconds=10))
    assert (admitted.receipt.recovered, admitted.inside) == (True, 1)
    leisure.clear()
    leisure.town.check_books()


def test_a_torn_way_in_is_no_way_out(leisure, member):
    gate, at = leisure.gate("city-museum"), leisure.at("09:00")
    with pytest.raises(CardRemoved):
        gate.enter(Torn(member.chip), at)
    assert gate.leave(member.reader, at + dt.timedelta(seconds=10)).inside == 0
    with pytest.raises(PassUsedAgain):
        gate.enter(member.reader, at + dt.timedelta(seconds=20))
