"""Uses counted over Parquet and payments are those that a plain count of what happened gives."""

from __future__ import annotations

import itertools

import pytest
from supervisedtown import APRIL, DISTRICTS, MARCH

from citycard.city.uses import Span, Uses, count_uses

SPANS = (Span(*MARCH), Span(*APRIL), Span(MARCH[0], APRIL[1]))


@pytest.fixture(scope="module", params=[0, 10**6], ids=["by bucket", "at once"])
def counted(supervised, request):
    return count_uses(supervised.town.city, SPANS, at_once=request.param)


def parts(uses):
    return (uses.cards, uses.uses, uses.turnover_fen, uses.partners, uses.terminals)


@pytest.mark.parametrize("span", SPANS, ids=str)
def test_every_part_is_what_a_plain_count_gives(supervised, counted, span):
    names = itertools.product((None, "kiosk", "market", "-"), (None, *DISTRICTS.values()), (None, *DISTRICTS))
    for domain, district, partner in names:
        if partner and district:
            continue
        named = {"domain": domain, "district": district, "partner": partner}
        assert parts(counted[span].of(**named)) == supervised.count(span.since, span.until, **named), named


def test_a_card_that_used_two_domains_is_one_card(counted):
    march = counted[SPANS[0]]
    both = march.of(domain="kiosk").cards + march.of(domain="market").cards
    assert march.of().cards < both


def test_a_replaced_card_and_its_successor_are_one_card(supervised, counted):
    (successor, first), *_ = supervised.first.items()
    assert successor != first
    assert counted[SPANS[0]].of().cards == len({act.card for act in supervised.acts if act.day <= MARCH[1]})


def test_what_comes_late_belongs_to_the_day_on_which_it_happened(supervised, counted):
    late = [act for act in supervised.acts if act.terminal == supervised.later.number]
    assert [act.day.month for act in late] == [3]
    assert counted[SPANS[0]].of(partner="pier").terminals == 2


def test_an_unused_part_is_nothing(counted):
    assert counted[SPANS[0]].of(domain="nowhere") == Uses()
    assert counted[SPANS[0]].domains() == {"kiosk", "market", "-"}


def test_a_city_that_cleared_nothing_counts_nothing(empty_town):
    span = Span(*MARCH)
    assert count_uses(empty_town.city, [span])[span].of() == Uses()
    assert count_uses(empty_town.city, []) == {}


@pytest.fixture
def empty_town(market_town):
    return market_town()
