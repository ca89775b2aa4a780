import datetime as dt
import sys

import pytest

from citycard.city.till import Asked, Sale, Till
from citycard.errors import CardLacksSector, CardRefused, CardRemoved, ServiceOff, ServiceUnknown
from citycard.testing.readers import TakenAway

PIECES = 2
PRICE_FEN = 600


@pytest.fixture
def town(market_town):
    made = market_town()
    made.partner("melons", district="harbour")
    return made


@pytest.fixture
def till(town):
    return town.till(town.terminal("melons"))


@pytest.fixture
def card(town):
    made = town.card()
    town.load(made, 5000)
    return made


def buy(visit):
    """Buy two melons and count the visit on the card."""
    market = sys.modules["citycard_market.plugin"]
    facts = market.Stall(pieces=PIECES)
    after = market.Visits(count=visit.read("market-visits").count + 1)
    price = visit.price("stall", facts)
    return Sale(service="stall", amount_fen=price.amount_fen, facts=facts, writes={"market-visits": after})


def visits(town, till, card):
    seen = []

    def look(visit):
        seen.append(visit.read("market-visits").count)
        raise LookupError

    with pytest.raises(LookupError):
        till.serve(card.reader, town.now, look)
    return seen[0]


def test_a_sale_debits_the_purse_and_writes_the_sector_in_one_step_and_is_paid(town, till, card):
    receipt = till.serve(card.reader, town.now, buy)
    assert (receipt.amount_fen, receipt.recovered) == (PRICE_FEN, False)
    assert visits(town, till, card) == 1
    town.clear(till)
    assert town.statement("melons").net_fen == PRICE_FEN
    town.check_books()


def test_a_torn_tap_is_finished_by_the_next_one_and_charged_once(town, till, card):
    cuts = 40
    town.load(card, cuts * PRICE_FEN)
    for writes in range(1, cuts + 1):
        card.chip.eeprom.cut_after(writes, torn=bool(writes % 2))
        receipt = till.serve(card.reader, town.pass_time(dt.timedelta(hours=1)), buy)
        card.chip.eeprom.cut_after(None)
        assert receipt.amount_fen == PRICE_FEN
    assert visits(town, till, card) == cuts
    town.clear(till)
    assert town.statement("melons").net_fen == cuts * PRICE_FEN
    town.check_books()


def melons(pieces, ticket):
    """Sell so many melons on a ticket of a number, which the facts of the record say."""
    market = sys.modules["citycard_market.plugin"]
    facts = market.Stall(pieces=pieces)

    def decide(visit):
        seen.append(visit.finished)
        return Sale(
            service="stall",
            amount_fen=visit.price("stall", facts).amount_fen,
            facts=facts,
            list_price_fen=ticket,
        )

    seen = []
    return Asked(decide, lambda debit: debit.plan.list_price_fen == ticket), seen


def torn(till, card, at, sale):
    with pytest.raises(CardRemoved):
        till.serve(TakenAway(card.reader), at, sale)


def test_a_torn_sale_is_the_answer_to_itself_alone_and_not_to_another_of_the_same_sum(town, till, card):
    at = town.now
    torn(till, card, at, melons(2, ticket=1)[0])
    other, seen = melons(2, ticket=2)
    receipt = till.serve(card.reader, at, other)
    assert (receipt.recovered, receipt.debit.plan.list_price_fen) == (False, 2)
    assert [(one.plan.list_price_fen, one.recovered) for one in seen] == [(1, True)]
    torn(till, card, at, melons(2, ticket=3)[0])
    assert till.serve(card.reader, town.pass_time(dt.timedelta(hours=1)), melons(2, ticket=3)[0]).recovered
    assert town.balance_fen(card) == 5000 - 3 * PRICE_FEN
    assert len(till.records) == 3


def test_a_sale_that_was_torn_and_not_done_is_charged_when_it_is_asked_for_again(town, till, card):
    card.chip.eeprom.cut_after(1)
    sale, seen = melons(2, ticket=1)
    assert not till.serve(card.reader, town.now, sale).recovered
    assert (town.balance_fen(card), seen) == (5000 - PRICE_FEN, [None, None])


def test_a_use_that_costs_nothing_is_recorded_with_what_it_wrote(town, till, card):
    market = sys.modules["citycard_market.plugin"]
    free = Sale(
        service="stall",
        amount_fen=0,
        facts=market.Stall(pieces=0),
        writes={"market-visits": market.Visits(count=9)},
    )
    till.serve(card.reader, town.now, lambda _: free)
    assert visits(town, till, card) == 9
    report = town.clear(till)
    assert [(total.code, total.records) for total in report.totals] == [("OK", 1)]


def test_a_sale_without_writes_is_a_plain_purchase(town, till, card):
    market = sys.modules["citycard_market.plugin"]
    plain = Sale(service="stall", amount_fen=300, facts=market.Stall(pieces=1))
    assert till.serve(card.reader, town.now, lambda _: plain).amount_fen == 300
    town.clear(till)
    town.check_books()


def test_a_service_that_is_off_for_the_district_is_refused_before_the_card_is_touched(town, till, card):
    before = till.config_number
    town.city.plugins.disable("market", district="harbour", by="council")
    assert till.refresh() == before + 1
    with pytest.raises(ServiceOff, match="melons"):
        till.serve(card.reader, town.now, buy)
    assert town.balance_fen(card) == 5000
    town.city.plugins.enable("market", partner="melons", by="council")
    till.refresh()
    assert till.serve(card.reader, town.now, buy).amount_fen == PRICE_FEN


def test_a_service_that_nobody_has_is_refused(town, till, card):
    with pytest.raises(ServiceUnknown):
        till.serve(card.reader, town.now, lambda _: Sale(service="no-such", amount_fen=1))


def test_a_card_on_the_list_is_refused_after_the_next_refresh(town, till, card):
    town.report_lost(card)
    till.refresh()
    with pytest.raises(CardRefused, match="lost"):
        till.serve(card.reader, town.now, buy)


def test_a_card_without_the_sector_is_told_so_and_served_once_it_has_it(market_town):
    town = market_town(enable=[])
    town.partner("melons")
    card = town.card()
    town.load(card, 5000)
    town.city.plugins.enable("market", by="council")
    till = town.till(town.terminal("melons"))
    with pytest.raises(CardLacksSector, match="market-visits"):
        till.serve(card.reader, town.now, buy)
    assert town.update(card) == ("market-visits",)
    assert till.serve(card.reader, town.now, buy).amount_fen == PRICE_FEN
    assert town.city.vault.card_key("market-seal", bytes.fromhex(card.asn[4:]))


def test_another_till_goes_on_where_one_ended(town, till, card):
    till.serve(card.reader, town.now, buy)
    town.hand_in(till)
    again = Till(town.city, till.number, state=till.state)
    again.serve(card.reader, town.pass_time(dt.timedelta(hours=1)), buy)
    town.clear(again)
    assert town.statement("melons").net_fen == 2 * PRICE_FEN


def test_a_visit_says_whether_the_card_is_the_citys_own(town, till, card):
    seen = []

    def look(visit):
        seen.append(visit.at_home)
        raise LookupError

    guest = town.guest()
    till.refresh()
    for one in (card.reader, guest.reader):
        with pytest.raises(LookupError):
            till.serve(one, town.now, look)
    assert seen == [True, False]
