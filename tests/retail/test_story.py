"""A merchant is onboarded, sells, voids and refunds by both channels, and is paid the next day to the fen."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from lxml import etree

from citycard.city.atcard import CardDesk
from citycard.ids import new_id
from citycard.store import reading
from citycard.testing.town import DESK
from citycard.wallet.payments import Payments
from citycard.wallet.refunds import Destination
from citycard_retail.closing import close_runs
from citycard_retail.errors import NothingToVoid
from citycard_retail.hotel import capture, hold
from citycard_retail.iso import check_mac, read_message, write_message
from citycard_retail.merchants import merchants
from citycard_retail.pos import PosHost
from citycard_retail.posserver import serving
from citycard_retail.refunds import refund_sale, void_sale
from citycard_retail.sales import sell
from citycard_retail.shop import Product, add_products
from citycard_retail.statement import merchant_statement

FEES = "retail-fees"


def told_to_the_bank(town, report):
    tree = etree.parse(town.city.folder / report.bank_file)
    return sorted(node.text for node in tree.iter("{*}InstdAmt"))


def paid(report):
    return {
        one.partner: (one.gross_fen, one.fee_fen, one.carried_fen, one.paid_fen) for one in report.partners
    }


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
    with pytest.raises(NothingToVoid, match="no sale before"):
        counter.void(card.reader, shops.day())
    number = town.account(card, 100_000)
    online = sell(market, new_id(), number, "harbour-mart", 20_000)
    assert (online.fee_fen, online.state) == (120, "paid")
    void_sale(market, new_id(), str(sell(market, new_id(), number, "harbour-mart", 500).id))

    # 60 basis points, at least 1 fen: 60, 15 and 1 fen at the till, 120 online, none of what was voided.
    first = town.clear(counter)
    assert paid(first) == {"harbour-mart": (12_454, 0, 19_880, 32_334), FEES: (76, 0, 120, 196)}
    assert told_to_the_bank(town, first) == ["1.96", "323.34"]
    told = merchant_statement(market, "harbour-mart")
    assert (told.till_sales, told.till_fen, told.till_fee_fen) == (3, 12_530, 76)
    assert (told.online_sales, told.online_fen, told.online_fee_fen) == (2, 20_500, 123)
    assert (told.returned_fen, told.returned_fee_fen, told.paid_fen) == (500, 3, 32_334)

    # The void is done when its sale was cleared, and its money waits for the card.
    assert close_runs(market).voids == 1
    assert close_runs(market).voids == 0
    before_fen = town.balance_fen(card)
    assert CardDesk(town.city, card.reader, "desk").collect(DESK) == 30
    assert town.balance_fen(card) == before_fen + 30

    record = f"{mart.terminals[0]}-1-1"
    back, once = None, new_id()
    for _ in range(2):
        back = refund_sale(
            market, once, record, 4_000, reason="broken", approved_by="Mr Wu", to=Destination.ACCOUNT
        )
    assert (back.fee_fen, back.state) == (24, "done")
    town.pass_time(timedelta(days=1))
    counter.sell(card.reader, shops.day(), 10_000)
    second = town.clear(counter)
    # The void of 30 fen and its fee of 1, the refund of 4000 and 24 of its fee.
    assert paid(second) == {
        "harbour-mart": (9_940, 0, -29 - 3_976, 5_935),
        FEES: (60, 0, -1 - 24, 35),
    }
    told = merchant_statement(market, "harbour-mart")
    assert (told.returned_fen, told.returned_fee_fen, told.paid_fen) == (4_030, 25, 5_935)
    town.check_books()


def test_a_hotel_holds_a_deposit_captures_a_part_and_its_pos_speaks_iso_8583(shops, pos, guest):
    town, market = shops.town, shops.market
    held = hold(market, new_id(), guest, "grand-hotel", 60_000, note="room 7")
    stay = capture(market, taken := new_id(), held.id, 45_000)
    assert Payments(town.city.wallet).find(taken).service == "retail-hotel"
    assert (stay.amount_fen, stay.fee_fen) == (45_000, 450)

    async def at_the_bar():
        """Send a purchase, its repeat, one that is reversed, and the totals, over a connection each."""
        asked, gone = pos.purchase(guest, 8_000), pos.purchase(guest, 700)
        reversal = pos.message("0400", _3="000000", _4="000000000700", _90=pos.original(gone))
        totals = {"_74": "0" * 10, "_76": f"{1:010d}", "_86": "0" * 16, "_88": f"{8_000:016d}"}
        settle = pos.message("0500", _60="1", _97=f"C{8_000:016d}", **totals)
        codes = []
        async with serving(PosHost(market), "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            for message in (asked, asked, gone, reversal, settle):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                raw = write_message(message, pos.key)
                writer.write(len(raw).to_bytes(2) + raw)
                size = int.from_bytes(await reader.readexactly(2))
                reply, covered, mac8 = read_message(await reader.readexactly(size))
                check_mac(pos.key, covered, mac8)
                codes.append((reply.mti, reply.fields["39"]))
                writer.close()
        return codes

    assert asyncio.run(at_the_bar()) == [
        ("0210", "00"), ("0210", "00"), ("0210", "00"), ("0410", "00"), ("0510", "00"),
    ]  # fmt: skip
    report = town.clear()
    assert paid(report) == {
        "grand-hotel": (0, 0, 45_000 + 8_000 - 450 - 80, 52_470),
        FEES: (0, 0, 530, 530),
    }
    told = merchant_statement(market, "grand-hotel")
    assert (told.online_fen, told.online_fee_fen, told.returned_fen, told.paid_fen) == (
        53_700,
        537,
        700,
        52_470,
    )
    assert told_to_the_bank(town, report) == ["5.30", "524.70"]
    town.check_books()


def test_an_order_of_the_supermarket_is_delivered_and_half_of_it_comes_back(shops):
    town, market = shops.town, shops.market
    shops.open("e-supermarket", "online-shop", terminals=0)
    goods = (("rice", 3_999, 10), ("tea", 5_801, 3))
    add_products(
        market,
        [
            Product(sku=sku, title=sku.title(), title_zh="", price_fen=fen, stock=stock, on_sale=True)
            for sku, fen, stock in goods
        ],
    )
    card = town.card()
    town.account(card, 50_000)
    citizen = town.client("citizen", card.asn)
    keeper = town.client("partner", "e-supermarket")
    for sku in ("rice", "tea"):
        basket = citizen.post(f"/retail/baskets/{card.asn}", json={"sku": sku, "quantity": 2}).json()
    assert basket["total_fen"] == 19_600
    asked = {"id": str(uuid4()), "card": card.asn, "address": "3 Harbour Road"}
    order = citizen.post("/retail/orders", json=asked).json()
    assert (order["state"], order["paid_fen"]) == ("paid", 19_600)
    assert citizen.post("/retail/orders", json=asked).json() == order
    for step, state in (("pack", "packed"), ("ship", "shipped"), ("deliver", "delivered")):
        for _ in range(2):
            answer = keeper.post(f"/retail/orders/{order['id']}/step", json={"step": step})
            assert answer.json()["state"] == state
    back = {"id": str(uuid4()), "lines": {"rice": 1, "tea": 1}}
    for _ in range(2):
        found = keeper.post(f"/retail/orders/{order['id']}/returns", json=back).json()
    assert {line["sku"]: line["returned"] for line in found["lines"]} == {"rice": 1, "tea": 1}
    stock = {one["sku"]: one["stock"] for one in citizen.get("/retail/products").json()["products"]}
    assert stock == {"rice": 9, "tea": 2}

    report = town.clear()
    # 60 basis points of 196 yuan are 118 fen, of the half that is left 59.
    assert paid(report) == {"e-supermarket": (0, 0, 9_741, 9_741), FEES: (0, 0, 59, 59)}
    told = merchant_statement(market, "e-supermarket")
    assert (told.online_fen, told.online_fee_fen, told.returned_fen) == (19_600, 118, 9_800)
    page = citizen.get(f"/cards/{card.asn}", headers={"accept": "text/html"}).text
    assert "Your order was delivered" in page
    town.check_books()
