"""After a run merchants have paid by the tier that they had, whatever tills wrote, and voids are done."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from citycard.card.codec import encode
from citycard.store import reading
from citycard.terminal.record import RecordPlan
from citycard_retail.closing import close_runs
from citycard_retail.merchants import merchants, tier_on
from citycard_retail.sectors import VoidFacts
from citycard_retail.statement import merchant_statement
from citycard_retail.tables import correction, refund, void


@pytest.fixture
def counter(shops):
    shops.open("harbour-mart", "supermarket", tier="standard")
    with reading(shops.town.city.engine) as conn:
        (mart,) = merchants(shops.market, conn)
    return shops.counter(mart.terminals[0])


@pytest.fixture
def card(shops):
    card = shops.town.card()
    shops.town.load(card, 50_000)
    return card


def rows(shops, table):
    with reading(shops.town.city.engine) as conn:
        return conn.execute(select(table)).all()


def test_a_till_that_did_not_hear_of_a_new_tier_costs_nobody_anything(shops, counter, card):
    town = shops.town
    counter.sell(card.reader, shops.day(), 10_000)
    shops.open("harbour-mart", "supermarket", tier="small", terminals=0)
    counter.sell(card.reader, shops.day(), 10_000)
    with reading(town.city.engine) as conn:
        assert tier_on(conn, shops.market.settings, "harbour-mart", town.now).name == "standard"
    town.clear(counter)
    assert close_runs(shops.market).corrected == 0

    # From the next day on it is 38 basis points and free up to 10 yuan; the till goes on with 60.
    town.pass_time(timedelta(days=1))
    for asked in (10_000, 1_000):
        counter.sell(card.reader, shops.day(), asked)
    town.clear(counter)
    done = close_runs(shops.market)
    assert (done.runs, done.corrected) == (1, 1)
    (found,) = rows(shops, correction)
    assert (found.partner, found.fee_fen, found.records) == ("harbour-mart", 38 + 0 - 60 - 6, 2)
    assert close_runs(shops.market).corrected == 0

    counter.till.refresh()
    counter.sell(card.reader, shops.day(), 10_000)
    town.clear(counter)
    told = merchant_statement(shops.market, "harbour-mart")
    assert (told.till_fee_fen, told.other_fen, told.paid_fen) == (38, 28, 9_962 + 28)
    assert close_runs(shops.market).corrected == 0
    town.check_books()


def test_a_void_that_names_what_is_not_there_is_refused_and_says_why(shops, counter, card):
    town = shops.town
    first = counter.sell(card.reader, shops.day(), 500)
    town.hand_in(counter)
    sold = counter.sell(card.reader, shops.day(), 700)
    service = town.city.plugins.service("retail-void").record.number

    def claim(counter_before, amount_fen):
        facts = VoidFacts(counter=counter_before, receipt=1, amount_fen=amount_fen, sold_at=first.debit.at)
        terminal = counter.till._terminal  # a till whose software lies
        session = terminal.tap(card.reader, shops.day())
        place = counter.till.place("retail", session.view.card_kind)
        kept = session.write_sector(place, session.read_sector(place))
        plan = RecordPlan(service=service, facts=encode(facts))
        terminal.record(session.capp(0, shops.day(), [kept], plan=plan))

    claim(first.debit.counter, 500)
    claim(sold.debit.counter, 7_000)
    claim(60_000, 700)
    town.clear(counter)
    done = close_runs(shops.market)
    assert (done.voids, done.refused, done.waiting) == (0, 2, 1)
    told = sorted(one.reason for one in rows(shops, void))
    assert told == ["", "the sale is of another batch: refund it", "the sale was 700 fen, the void says 7000"]
    assert rows(shops, refund) == []
