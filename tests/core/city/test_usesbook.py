"""Counts are kept until something came that may change them."""

from __future__ import annotations

import datetime as dt

import pytest

from citycard.city.accounts import payee
from citycard.city.till import Sale
from citycard.city.uses import Span
from citycard.city.usesbook import UsesBook
from citycard.ids import new_id
from citycard.wallet import Payments

DAY = dt.timedelta(days=1)


@pytest.fixture
def town(market_town):
    made = market_town()
    made.partner("hall", district="harbour")
    return made


def this_month(town):
    return Span(town.now.date().replace(day=1), town.now.date())


def visit(town, card, till):
    from citycard_market.plugin import Stall

    facts = Stall(pieces=1)

    def sale(visit):
        fen = visit.price("stall", facts).amount_fen
        return Sale(service="stall", amount_fen=fen, facts=facts)

    till.serve(card.reader, town.now, sale)


def test_what_came_since_is_counted_and_what_is_known_is_not_counted_again(town):
    book, card, till = UsesBook(town.city), town.card(), town.till(town.terminal("hall"))
    town.load(card, 5000)
    number = town.account(card, 1000)
    span = this_month(town)
    nothing = book.read([span])[span]
    assert book.read([span])[span] is nothing

    visit(town, card, till)
    assert book.read([span])[span] is nothing
    town.clear(till)
    cleared = book.read([span])[span]
    assert cleared.of().uses == 1

    Payments(town.city.wallet).pay(new_id(), number, payee(town.city, "hall"), 250)
    assert book.read([span])[span].of().uses == 2


def test_a_payment_of_today_changes_no_day_that_is_over(town):
    book, number = UsesBook(town.city), town.account(town.card(), 1000)
    over = this_month(town)
    town.pass_time(DAY)
    before = book.read([over])[over]
    Payments(town.city.wallet).pay(new_id(), number, payee(town.city, "hall"), 250)
    assert book.read([over])[over] is before
    assert before.of().uses == 0
    assert book.read([this_month(town)])[this_month(town)].of().uses == 1


def test_a_plugin_that_is_switched_off_is_no_domain_any_more(town):
    book, card, till = UsesBook(town.city), town.card(), town.till(town.terminal("hall"))
    town.load(card, 5000)
    visit(town, card, till)
    town.clear(till)
    span = this_month(town)
    assert book.read([span])[span].domains() == {"market"}
    town.city.plugins.disable("market", by="the test")
    assert book.read([span])[span].domains() == {"-"}


def test_only_few_spans_are_kept(town):
    book = UsesBook(town.city)
    spans = [Span(town.now.date() - back * DAY, town.now.date()) for back in range(20)]
    first = book.read(spans[:1])[spans[0]]
    assert len(book.read(spans)) == 20
    assert book.read(spans[:1])[spans[0]] is not first
