"""What a simulated city pays at kiosks costs what its list price says, and is a bill of a biller."""

from __future__ import annotations

from citycard import PriceRequest
from citycard.clearing import RuleBook
from citycard_utilities.habits import habits
from citycard_utilities.rules import BILL, fee_rules
from citycard_utilities.services import bill_request, services


def test_every_habit_is_priced_as_it_is_listed(town, settings):
    book = RuleBook(fee_rules(settings))
    made = [tap for habit in habits(settings) for tap in habit.there]
    assert {tap.partner for tap in made} == {biller.id for biller in settings.billers}
    for tap in made:
        facts = bill_request(settings.numbered(tap.facts.biller), tap.facts)
        asked = PriceRequest(service=BILL, at=town.now, list_price_fen=tap.list_price_fen, facts=facts)
        assert book.quote(asked).amount_fen == tap.list_price_fen


def test_the_services_have_their_numbers(settings):
    assert [(one.name, one.number) for one in services(settings)] == [
        ("utilities-bill", 100),
        ("utilities-credit", 101),
        ("utilities-meter", 102),
    ]
