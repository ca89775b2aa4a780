"""A merchant is onboarded, sells, voids and refunds by both channels, and is paid the next day to the fen."""

from datetime import timedelta

from citycard.ids import new_id
from citycard.store import reading
from citycard.wallet.refunds import Destination
from citycard_retail.closing import close_runs
from citycard_retail.merchants import merchants
from citycard_retail.refunds import refund_sale, void_sale
from citycard_retail.sales import sell
from citycard_retail.statement import merchant_statement

FEES = "retail-fees"


def test_a_mart_sells_voids_and_refunds_by_both_channels_and_is_paid_to_the_fen(shops):
    town, market = shops.town, shops.market
    shops.open("harbour-mart", "supermarket", tier="standard", terminals=2)
    with reading(town.city.engine) as conn:
        (mart,) = merchants(market, conn)
    counter = shops.counter(mart.terminals[0])
    card = town.card()
    town.load(card, 50_000)
    for asked in (10_000, 2_500, 30):
        counter.sell(card.reader, shops.day(), asked)
    counter.void(card.reader, shops.day())
    number = town.account(card, 100_000)
    online = sell(market, new_id(), number, "harbour-mart", 20_000)
    assert (online.fee_fen, online.state) == (120, "paid")
    void_sale(market, new_id(), str(sell(market, new_id(), number, "harbour-mart", 500).id))

    # 60 basis points, at least 1 fen: 60, 15 and 1 fen at the till, 120 online, none of what was voided.
    first = town.clear(counter)
    paid = {
        one.partner: (one.gross_fen, one.fee_fen, one.carried_fen, one.paid_fen) for one in first.partners
    }
    assert paid == {"harbour-mart": (12_454, 0, 19_880, 32_334), FEES: (76, 0, 120, 196)}
    told = merchant_statement(market, "harbour-mart")
    assert (told.till_sales, told.till_fen, told.till_fee_fen) == (3, 12_530, 76)
    assert (told.online_sales, told.online_fen, told.online_fee_fen) == (2, 20_500, 123)
    assert (told.returned_fen, told.returned_fee_fen, told.paid_fen) == (500, 3, 32_334)
    assert close_runs(market).voids == 1

    record = f"{mart.terminals[0]}-1-1"
    back = refund_sale(
        market, new_id(), record, 4_000, reason="broken", approved_by="Mr Wu", to=Destination.ACCOUNT
    )
    assert (back.fee_fen, back.state) == (24, "done")
    town.pass_time(timedelta(days=1))
    counter.sell(card.reader, shops.day(), 10_000)
    second = town.clear(counter)
    paid = {one.partner: (one.gross_fen, one.carried_fen, one.paid_fen) for one in second.partners}
    # The void of 30 fen and its fee of 1, the refund of 4000 and 24 of its fee.
    assert paid == {"harbour-mart": (9_940, -29 - 3_976, 5_935), FEES: (60, -1 - 24, 35)}
    told = merchant_statement(market, "harbour-mart")
    assert (told.returned_fen, told.returned_fee_fen, told.opening_fen, told.paid_fen) == (
        4_030,
        25,
        0,
        5_935,
    )
    town.check_books()
