"""Lists of a real city at a real terminal: a lost card is refused as soon as the terminal heard of it."""

from __future__ import annotations

import datetime as dt

import pytest

from citycard import registry
from citycard.city.lists import changed_list, full_list
from citycard.city.office import Office
from citycard.errors import CardRefused, ListUnknown
from citycard.store import writing
from citycard.terminal import InProcessReader, Terminal, read_record
from citycard.terminal.lists import ListStore

pytestmark = pytest.mark.usefixtures("bazaar")

ASN = "01019901000000000001"
GATE = "990100000700"


@pytest.fixture
def town(found_city, card_town, tmp_path):
    city = found_city(tmp_path / "town", card_town)
    city.issuing.publish()
    with writing(city.engine) as conn:
        registry.add_cards(conn, [city.issuing.card(ASN, "standard", city.now_local().date())])
    yield city
    city.close()


def test_a_lost_card_is_refused_after_the_changes_and_served_again_after_the_next(town, tmp_path):
    at = town.now_local()
    chip = town.issuing.chip(ASN, "standard", at.date() - dt.timedelta(days=1))
    office, reader = Office(town, "anna"), InProcessReader(chip)
    held = ListStore(tmp_path / "gate", town.configuration().content["signing_key"], "9901")
    gate = Terminal(GATE, town.sam(GATE), host=town.desk)
    gate.tap(reader, at).load(1000, at)

    held.apply(full_list(town))
    office.lost(ASN)
    assert gate.tap(reader, at).view.asn == ASN  # it has not heard of it
    held.apply(changed_list(town, held.number))
    gate.acceptance = held.acceptance(gate.acceptance)
    with pytest.raises(CardRefused, match="lost"):
        gate.tap(reader, at)
    office.unblock(ASN, reason="found")
    held.apply(changed_list(town, held.number))
    gate.acceptance = held.acceptance(gate.acceptance)
    record = read_record(gate.record(gate.tap(reader, at).purchase(100, at)))

    assert (held.number, record.blacklist) == (2, 2)


def test_changes_since_a_list_that_is_not_earlier_are_not_there(town):
    Office(town, "anna").lost(ASN)
    for since in (-1, 1, 7):
        with pytest.raises(ListUnknown, match="newest list is 1"):
            changed_list(town, since)
