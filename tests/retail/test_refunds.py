"""What comes back is never more than was paid, once for its id, and the core's own refunds count too."""

import random
from datetime import timedelta
from unittest.mock import Mock

import pytest

from citycard.city import charging
from citycard.city.charging import give_back
from citycard.errors import RefundRefused
from citycard.ids import new_id
from citycard.ledger.chart import AccountCode
from citycard.store import reading, writing
from citycard.wallet import available_fen, online_account, partner_payable
from citycard.wallet.refunds import Destination
from citycard_retail import refunds
from citycard_retail.errors import RetailActDiffers, RetailRefundRefused, SaleUnknown
from citycard_retail.merchants import merchants
from citycard_retail.refunds import finish_refunds, refund_sale, refunds_of_sale, void_sale
from citycard_retail.sales import find_sale, sell
from citycard_retail.tables import refund

WHY = {"reason": "stale", "approved_by": "Mr Wu"}


@pytest.fixture
def account(shops):
    shops.open("harbour-mart", "supermarket", tier="standard")
    return shops.town.account(shops.town.card(), 100_000)


def owed(shops, account):
    city = shops.town.city
    with reading(city.engine) as conn:
        found = city.ledger.balances(conn, AccountCode.PAYABLE_TO_PARTNERS)
        free_fen = available_fen(conn, city.wallet, online_account(account))
    return free_fen, *(found.get(partner_payable(name), 0) for name in ("harbour-mart", "retail-fees"))


def test_a_sale_comes_back_in_parts_to_the_fen(shops, account):
    sold = sell(shops.market, new_id(), account, "harbour-mart", 10_007)
    dice = random.Random(8583)
    left_fen = 10_007
    while left_fen:
        part = min(left_fen, dice.randrange(1, 4_000))
        once = new_id()
        for _ in range(2):
            refund_sale(shops.market, once, str(sold.id), part, **WHY)
        left_fen -= part
        free, mart, fees = owed(shops, account)
        assert free + mart + fees == 100_000
        assert (100_000 - free, fees) == (
            left_fen,
            (left_fen * 60 * 2 + 10_000) // 20_000 or int(left_fen > 0),
        )
    assert owed(shops, account) == (100_000, 0, 0)
    with pytest.raises(RetailRefundRefused, match="0 fen of it are left, 1 are wanted"):
        refund_sale(shops.market, new_id(), str(sold.id), 1, **WHY)


def test_an_id_stands_for_one_refund(shops, account):
    sold, once = sell(shops.market, new_id(), account, "harbour-mart", 1_000), new_id()
    refund_sale(shops.market, once, str(sold.id), 100, **WHY)
    with pytest.raises(RetailActDiffers):
        refund_sale(shops.market, once, str(sold.id), 101, **WHY)
    with pytest.raises(RetailActDiffers):
        void_sale(shops.market, once, str(sold.id))


def test_a_void_is_of_a_whole_sale_on_its_own_day(shops, account):
    sold = sell(shops.market, new_id(), account, "harbour-mart", 1_000)
    part = sell(shops.market, new_id(), account, "harbour-mart", 1_000)
    refund_sale(shops.market, new_id(), str(part.id), 100, **WHY)
    with pytest.raises(RetailRefundRefused, match="a part of it was given back"):
        void_sale(shops.market, new_id(), str(part.id))
    shops.town.pass_time(timedelta(days=1))
    with pytest.raises(RetailRefundRefused, match="of another day"):
        void_sale(shops.market, new_id(), str(sold.id))


def test_what_the_core_gave_back_is_not_given_back_again_and_the_sale_has_it_as_before(shops, account):
    sold = sell(shops.market, new_id(), account, "harbour-mart", 1_000)
    give_back(shops.town.city, new_id(), sold.id, 600)
    once = new_id()
    with pytest.raises(RefundRefused):
        refund_sale(shops.market, once, str(sold.id), 500, **WHY)
    with pytest.raises(RetailRefundRefused, match="refused before"):
        refund_sale(shops.market, once, str(sold.id), 500, **WHY)
    assert find_sale(shops.market, str(sold.id)).returned_fen == 0
    assert refund_sale(shops.market, new_id(), str(sold.id), 400, **WHY).state == "done"


def test_what_was_broken_off_is_finished_later(shops, account):
    sold = sell(shops.market, new_id(), account, "harbour-mart", 1_000)
    once = new_id()
    refund_sale(shops.market, once, str(sold.id), 400, **WHY)
    with writing(shops.town.city.engine) as conn:  # as if it had stopped before it was noted
        conn.execute(refund.update().values(state="begun"))
    assert finish_refunds(shops.market) == 0
    shops.town.pass_time(timedelta(minutes=2))
    assert finish_refunds(shops.market) == 1
    with reading(shops.town.city.engine) as conn:
        assert [one.state for one in refunds_of_sale(conn, sold.id)] == ["done"]
    assert owed(shops, account)[0] == 100_000 - 600


def test_a_tills_sale_goes_back_to_the_purse_the_account_or_the_desk(shops, account):
    town = shops.town
    with reading(town.city.engine) as conn:
        (mart,) = merchants(shops.market, conn)
    counter, card = shops.counter(mart.terminals[0]), town.cards[0]
    town.load(card, 10_000)
    counter.sell(card.reader, shops.day(), 5_000)
    with pytest.raises(SaleUnknown):
        find_sale(shops.market, str(new_id()))
    town.clear(counter)
    record = f"{counter.number}-1-1"
    for to in (None, Destination.ACCOUNT, Destination.CASH):
        given = refund_sale(shops.market, new_id(), record, 1_000, **WHY, to=to)
        assert given.to == (to or Destination.PURSE).value
    with pytest.raises(RetailRefundRefused, match="in cash"):
        refund_sale(shops.market, new_id(), record, 1, **WHY, to=Destination.BANK)
    assert find_sale(shops.market, record).left_fen == 2_000
    free, mart_fen, fees = owed(shops, account)
    assert (free, mart_fen, fees) == (101_000, -(3_000 - 18), -18)
    assert refund_sale(shops.market, new_id(), record, **WHY).amount_fen == 2_000
    assert owed(shops, account) == (101_000, -(5_000 - 30), -30)
    town.check_books()


def test_a_tier_that_keeps_fees_lets_the_merchant_bear_them(shops):
    shops.open("grand-hotel", "hotel")
    town = shops.town
    with reading(town.city.engine) as conn:
        (hotel,) = merchants(shops.market, conn)
    counter, card = shops.counter(hotel.terminals[0]), town.card()
    town.load(card, 10_000)
    counter.sell(card.reader, shops.day(), 5_000)
    town.clear(counter)
    given = refund_sale(shops.market, new_id(), f"{counter.number}-1-1", 2_500, **WHY)
    assert given.fee_fen == 0
    with reading(town.city.engine) as conn:
        found = town.city.ledger.balances(conn, AccountCode.PAYABLE_TO_PARTNERS)
    # The core took 25 fen from the fees: they have them again, and the hotel bears all of it.
    assert found[partner_payable("retail-fees")] == 0
    assert found[partner_payable("grand-hotel")] == -2_500


@pytest.fixture
def record(shops, account):
    """Return the record of a till's sale of 50 yuan, for a tier that keeps its fees."""
    shops.open("grand-hotel", "hotel")
    town = shops.town
    with reading(town.city.engine) as conn:
        hotel = merchants(shops.market, conn, partner="grand-hotel")[0]
    counter, card = shops.counter(hotel.terminals[0]), town.cards[0]
    town.load(card, 10_000)
    counter.sell(card.reader, shops.day(), 5_000)
    town.clear(counter)
    return f"{counter.number}-1-1"


@pytest.mark.parametrize("place", ["before its fee", "before it is noted"])
def test_a_tills_refund_that_stopped_is_finished_and_never_refused(shops, record, monkeypatch, place):
    def stop(*_args, **_named):
        raise KeyboardInterrupt

    def fees():
        with reading(city.engine) as conn:
            found = city.ledger.balances(conn, AccountCode.PAYABLE_TO_PARTNERS)
        return found[partner_payable("retail-fees")], found[partner_payable("grand-hotel")]

    city, once = shops.town.city, new_id()
    with monkeypatch.context() as broken:
        if place == "before its fee":
            broken.setattr(type(city.wallet), "transfer", stop)
        else:
            broken.setattr(refunds, "_end", stop)
        with pytest.raises(KeyboardInterrupt):
            refund_sale(shops.market, once, record, 2_500, **WHY)
    shops.town.pass_time(timedelta(minutes=2))
    with monkeypatch.context() as broken:
        broken.setattr(type(city.ledger), "find", Mock(side_effect=SaleUnknown(id="x")))
        assert refund_sale(shops.market, once, record, 2_500, **WHY).state == "begun"
        assert finish_refunds(shops.market) == 0
    assert find_sale(shops.market, record).returned_fen == 2_500
    assert refund_sale(shops.market, once, record, 2_500, **WHY).state == "done"
    assert fees() == (0, -2_500)


def test_what_went_back_to_an_account_is_not_refused_afterwards(shops, account, monkeypatch):
    sold = sell(shops.market, new_id(), account, "harbour-mart", 1_000)
    once = new_id()
    refund_sale(shops.market, once, str(sold.id), 400, **WHY)
    with writing(shops.town.city.engine) as conn:  # as if it had stopped before it was noted
        conn.execute(refund.update().values(state="begun"))
    monkeypatch.setattr(charging, "give_back", Mock(side_effect=SaleUnknown(id="x")))
    assert refund_sale(shops.market, once, str(sold.id), 400, **WHY).state == "done"
    assert find_sale(shops.market, str(sold.id)).returned_fen == 400
