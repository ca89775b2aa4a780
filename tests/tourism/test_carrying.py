"""A card is replaced: the new one gets what the old one had, once, and the old one opens nothing."""

from __future__ import annotations

import attrs
import pytest

from citycard import registry
from citycard.city.office import Office as CardOffice
from citycard.errors import CardRefused
from citycard.ids import new_id
from citycard.registry.records import CardStatus
from citycard.store import writing
from citycard.terminal import InProcessReader
from citycard.testing.town import TownCard
from citycard_tourism.carrying import carry_over
from citycard_tourism.library import take_back
from citycard_tourism.slots import slots_of
from citycard_tourism.tickets import buy


@pytest.fixture
def lost(leisure):
    """A card with a pass, a ticket on it, one that waits, and a book."""
    card, counter, desk = leisure.town.card(), leisure.counter("city-museum"), leisure.library()
    leisure.town.load(card, 50_000)
    leisure.town.account(card, 50_000)
    show = leisure.settings.show("dinosaurs")
    counter.sell_pass(new_id(), card.reader, leisure.settings.plan("museums"))
    counter.sell_ticket(new_id(), card.reader, show, leisure.at("12:00"))
    buy(leisure.office, new_id(), card.asn, show, leisure.at("14:00"))
    desk.register(card.reader)
    desk.lend(new_id(), card.reader, ["B1"])
    return card


def in_stock(leisure):
    """Make a card that nobody has yet."""
    city, asn, today = leisure.city, "01019901009999999999", leisure.town.now.date()
    chip = city.issuing.chip(asn, "citizen", today)
    with writing(city.engine) as conn:
        made = attrs.evolve(city.issuing.card(asn, "citizen", today), status=CardStatus.STOCK)
        registry.add_cards(conn, [made])
    return TownCard(asn=asn, chip=chip, reader=InProcessReader(chip))


def test_a_replaced_cards_rights_are_on_the_new_one_at_the_next_counter(leisure, lost):
    new = in_stock(leisure)
    CardOffice(leisure.city, "desk").replace(lost.asn, new.asn, reason="lost", fee_fen=0)

    got = leisure.counter("science-museum").collect(new.reader)

    assert len(got) == 3
    assert leisure.counter("science-museum").collect(new.reader) == []
    assert carry_over(leisure.office, new.asn) == 0
    gate = leisure.gate("city-museum")
    assert gate.enter(new.reader, leisure.at("09:00")).right.name == "PASS"
    assert gate.enter(new.reader, leisure.at("12:00")).right.name == "TICKET"
    with pytest.raises(CardRefused):
        gate.enter(lost.reader, leisure.at("12:05"))
    leisure.library().lend(new_id(), new.reader, ["B2"])
    assert take_back(leisure.office, "city-library", "B1").asn == new.asn
    show = leisure.settings.show("dinosaurs")
    assert [one.taken for one in leisure.ask(slots_of, show, leisure.at("12:00").date())] == [0, 1, 1]


def test_a_card_that_replaces_none_gets_nothing(leisure, lost):
    assert carry_over(leisure.office, lost.asn) == 0
