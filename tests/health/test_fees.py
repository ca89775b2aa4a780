"""Fees: by the doctor's level and the venue, with concessions, and versioned by what they say."""

from __future__ import annotations

import attrs
import pytest

from citycard import PriceRequest
from citycard.clearing.pricing import RuleBook
from citycard.errors import PriceUnknown
from citycard_health.fees import fee_rules
from citycard_health.settings import REGISTRATION, SPORTS, Level
from citycard_health.tills import check_in


def quote(settings, service, now, **more):
    return RuleBook(fee_rules(settings)).quote(PriceRequest(service=service, at=now, **more)).amount_fen


def test_the_fee_is_that_of_the_level_and_seniors_pay_half(town, settings):
    """An unknown level or venue has no price."""
    for level, fee in ((1, 500), (2, 2_000)):
        facts = {"level": level}
        assert quote(settings, REGISTRATION, town.now, facts=facts) == fee
        senior = quote(settings, REGISTRATION, town.now, facts=facts, entitlements={"senior"})
        assert senior == fee // 2
    assert quote(settings, SPORTS, town.now, partner="swim-hall") == 3_000
    with pytest.raises(PriceUnknown):
        quote(settings, REGISTRATION, town.now, facts={"level": 9})
    with pytest.raises(PriceUnknown):
        quote(settings, SPORTS, town.now, partner="clinic-east")


def test_the_version_changes_exactly_when_a_fee_does(settings):
    """Clearing runs say by which rules they judged."""
    same = attrs.evolve(settings, booking_days=7)
    dearer = attrs.evolve(settings, levels=(Level(number=1, name="Doctor", fee_fen=600),))
    versions = [RuleBook(fee_rules(one)).version for one in (settings, same, dearer)]
    assert versions[0] == versions[1] != versions[2]


def test_clearing_prices_a_seniors_check_in_as_the_till_did(town, settings, booked):
    """The till knows the kind of card; the record shows it to clearing."""
    card, expected = booked("health-senior")
    town.load(card, 1_000)
    till = town.till(town.terminal("clinic-east"))
    assert till.serve(card.reader, town.now, check_in(expected, town.now)).amount_fen == 250
    town.clear(till)
    assert town.statement("clinic-east").net_fen == 250
    town.check_books()
