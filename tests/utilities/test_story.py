"""The whole story: a bill from its biller's file to the settlement, and gas from the counter to the meter."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

import pytest
from sqlalchemy import select

from citycard.city.atcard import CardDesk
from citycard.clearing.tables import statement
from citycard.ids import derived_id
from citycard.store import reading
from citycard.testing.town import DESK
from citycard.wallet import online_account
from citycard_utilities.bills import bill_of, bills_of
from citycard_utilities.dayfile import read_dayfile, write_dayfile
from citycard_utilities.errors import BillSettled
from citycard_utilities.importing import take_file
from citycard_utilities.kiosk import Slip, pay_slip, slip_of
from citycard_utilities.mandates import collect, collections_of, end_mandate, make_mandate
from citycard_utilities.meter import Meter
from citycard_utilities.paying import pay_bill
from citycard_utilities.prepaid import sell_credit
from citycard_utilities.returning import returns_of, reverse
from citycard_utilities.settlement import settlement_of
from citycard_utilities.tables import meter_credit, meter_reading, receipt

WATER = "water-works"


def an_id(*parts) -> UUID:
    return derived_id("story", *parts)


def standing(town, settings, biller, number):
    with reading(town.city.engine) as conn:
        return bill_of(conn, settings, biller, number, town.now.date())


def ten_thousand_bills(town, settings, bill_file, due):
    # A file of ten thousand bills with three bad lines.
    lines = [(f"W{n:05d}", f"H{n:05d}", 1000 + n, due) for n in range(10_000)]
    data = bill_file(*lines).replace(b"W00007,", b"w!7,").replace(b"H00008,10.08", b"H00008,1O.08")
    data = data.replace(f"W00009,H00009,10.09,{due}".encode(), b"W00009,H00009,10.09,soon")
    taken = take_file(town.city, settings, WATER, data, file="water.csv", actor="Li")
    assert (taken.added, taken.bad_count) == (9_997, 3)
    assert [(bad.line, bad.field, bad.text) for bad in taken.bad] == [
        (9, "bill", "w!7"),
        (10, "amount", "1O.08"),
        (11, "due", "soon"),
    ]
    assert take_file(town.city, settings, WATER, data, file="again.csv").repeated


def collected_by_mandate(town, settings, due):
    # A mandate collects a third; on the empty account it tries again on the day of the schedule.
    poor = town.card()
    empty = town.account(poor, 0)
    mandate = make_mandate(town.city, settings, an_id("mandate"), empty, WATER, "H00022")
    town.pass_time(dt.timedelta(days=(due - town.now.date()).days - 3))
    assert collect(town.city, settings).refused == 1
    assert collect(town.city, settings).refused == 0
    with reading(town.city.engine) as conn:
        (waiting,) = collections_of(conn, mandates=[mandate.id])
    assert (waiting.state, waiting.tries) == ("waits", 1)
    assert waiting.next_on == town.now.date() + dt.timedelta(days=1)
    town.account(poor, 3_000)
    town.pass_time(dt.timedelta(days=1))
    assert (collect(town.city, settings).paid, standing(town, settings, WATER, "W00022").state) == (1, "paid")
    end_mandate(town.city, mandate.id)


def test_bills_from_the_billers_file_to_its_settlement(town, settings, bill_file, due):
    ten_thousand_bills(town, settings, bill_file, due)

    # A citizen finds a bill by household and pays it at a kiosk with the card.
    citizen = town.card()
    town.load(citizen, 10_000)
    account = town.account(citizen, 5_000)
    kiosk = town.till(town.terminal(town.partner("kiosk-street")))
    found = bills_of(town.city, settings, WATER, "H00020")
    assert [(one.bill, one.to_pay_fen, one.holder) for one in found.bills] == [("W00020", 1020, "王**")]
    slip = Slip.read(slip_of(settings, found.bills[0]).barcode)
    paid = kiosk.serve(citizen.reader, town.now, pay_slip(slip))
    assert paid.amount_fen == 1020
    assert standing(town, settings, WATER, "W00020").state == "open"

    # One is paid from the online account, twice asked for and once paid.
    first = pay_bill(town.city, settings, an_id("pay"), account, WATER, "W00021")
    assert pay_bill(town.city, settings, an_id("pay"), account, WATER, "W00021") == first
    assert standing(town, settings, WATER, "W00021").state == "paid"
    with pytest.raises(BillSettled):
        pay_bill(town.city, settings, an_id("pay again"), account, WATER, "W00021")

    collected_by_mandate(town, settings, due)

    # The batch of the kiosk is cleared: the bill is paid, and the biller is settled to the fen.
    report = town.clear(kiosk)
    assert standing(town, settings, WATER, "W00020").state == "paid"
    settled = settlement_of(town.city, settings, WATER)
    told = town.statement(WATER)
    assert settled.differences == ()
    assert sorted((item.what, item.bill, item.amount_fen) for item in settled.items) == [
        ("account", "W00021", 1021),
        ("card", "W00020", 1020),
        ("mandate", "W00022", 1022),
    ]
    assert settled.paid_fen == told.net_fen + told.carried_fen == 1020 + 1021 + 1022
    instruction = (town.city.folder / report.bank_file).read_text()
    assert settled.end_to_end in instruction
    assert '<InstdAmt Ccy="CNY">30.63</InstdAmt>' in instruction
    data = write_dayfile(settled)
    assert write_dayfile(settlement_of(town.city, settings, WATER)) == data
    assert read_dayfile(data, file="water.csv").paid_fen == settled.paid_fen
    town.check_books()

    a_wrong_payment_is_reversed(town, settings, citizen, account)


def a_wrong_payment_is_reversed(town, settings, citizen, account):
    # Its bill is open again, the money back, and the next settlement less.
    before_fen = town.balance_fen(citizen)
    back = reverse(
        town.city, settings, an_id("back"), paid_id(town, "W00020"), reason="wrong bill", approved_by="Wang"
    )
    again = reverse(
        town.city, settings, an_id("back"), paid_id(town, "W00020"), reason="wrong bill", approved_by="Wang"
    )
    assert (back, back.state, back.amount_fen) == (again, "done", 1020)
    assert standing(town, settings, WATER, "W00020").state == "open"
    assert (town.balance_fen(citizen), online_fen(town, account)) == (before_fen, 5_000 - 1021 + 1020)
    pay_bill(town.city, settings, an_id("right"), account, WATER, "W00023")
    town.clear()
    second = settlement_of(town.city, settings, WATER)
    assert second.differences == ()
    assert [(item.what, item.amount_fen) for item in second.items] == [("account", 1023), ("back", -1020)]
    assert second.paid_fen == 3
    town.check_books()


def paid_id(town, number):
    with reading(town.city.engine) as conn:
        return conn.scalars(select(receipt.c.id).where(receipt.c.bill == number)).one()


def online_fen(town, account):
    with reading(town.city.engine) as conn:
        return town.city.ledger.balance(conn, online_account(account)).available_fen


def test_a_bill_paid_at_a_kiosk_and_online_keeps_the_second_for_the_next_bill(town, settings, bill_file, due):
    citizen = town.card()
    town.load(citizen, 10_000)
    account = town.account(citizen, 5_000)
    kiosk = town.till(town.terminal(town.partner("kiosk-street")))
    take_file(town.city, settings, WATER, bill_file(("W1", "H1", 2000, due)), file="one.csv")

    slip = slip_of(settings, standing(town, settings, WATER, "W1"))
    pay_bill(town.city, settings, an_id("double"), account, WATER, "W1")
    kiosk.serve(citizen.reader, town.now, pay_slip(slip))
    town.clear(kiosk)
    assert bills_of(town.city, settings, WATER, "H1").credit_fen == 2000

    taken = take_file(town.city, settings, WATER, bill_file(("W2", "H1", 3000, due)), file="two.csv")
    assert taken.credited_fen == 2000
    assert standing(town, settings, WATER, "W2").to_pay_fen == 1000
    pay_bill(town.city, settings, an_id("rest"), account, WATER, "W2")
    town.clear()
    assert sum(one.sum_fen for one in settlements(town, settings, WATER)) == 2000 + 2000 + 1000
    assert all(one.differences == () for one in settlements(town, settings, WATER))
    town.check_books()


def settlements(town, settings, biller):
    with reading(town.city.engine) as conn:
        runs = list(conn.scalars(select(statement.c.run).where(statement.c.partner == biller)))
    return [settlement_of(town.city, settings, biller, run) for run in runs]


def test_a_biller_that_wants_it_so_gives_the_second_payment_back(town, settings, bill_file, due):
    power = "power-grid"
    citizen, neighbour = town.card(), town.card()
    town.load(citizen, 10_000)
    town.load(neighbour, 10_000)
    account = town.account(citizen, 5_000)
    kiosk = town.till(town.terminal(town.partner("kiosk-street")))
    take_file(town.city, settings, power, bill_file(("E1", "H1", 2000, due)), file="one.csv")
    slip = slip_of(settings, standing(town, settings, power, "E1"))

    kiosk.serve(citizen.reader, town.now, pay_slip(slip))
    kiosk.serve(neighbour.reader, town.pass_time(dt.timedelta(minutes=5)), pay_slip(slip))
    pay_bill(town.city, settings, an_id("third"), account, power, "E1")
    town.clear(kiosk)
    with reading(town.city.engine) as conn:
        backs = returns_of(conn)
    assert [(back.cause, back.state, back.amount_fen) for back in backs] == [("double", "done", 2000)] * 2
    # One card has an account and gets it there; of the other it is owed, and a reader puts it on the card.
    assert online_fen(town, account) == 5_000 - 2000 + 2000
    assert CardDesk(town.city, neighbour.reader, "Li").collect(DESK) == 2000
    assert town.balance_fen(neighbour) == 10_000
    # The biller owes what it had too much, until it earns more than that.
    take_file(town.city, settings, power, bill_file(("E2", "H2", 4500, due)), file="two.csv")
    pay_bill(town.city, settings, an_id("more"), town.account(neighbour, 5_000), power, "E2")
    town.clear()
    assert sum(one.sum_fen for one in settlements(town, settings, power)) == 2000 + 4500
    assert all(one.differences == () for one in settlements(town, settings, power))
    town.check_books()


def test_prepaid_gas_travels_on_the_card_to_the_meter_and_its_usage_comes_back(town, settings, tmp_path):
    gas, keys = settings.biller("gas-works"), town.city.vault.card_key
    citizen = town.card()
    town.load(citizen, 100_000)
    desk = town.till(town.terminal("gas-works"))
    meter = Meter(town.till(town.terminal("gas-works")), gas, "000000420017", keys, tmp_path / "meter.json")

    # 60 m³: fifty at 2.63, ten at 3.16.
    bought = desk.serve(citizen.reader, town.now, sell_credit(gas, keys, meter.number, 6000))
    assert bought.amount_fen == 50 * 263 + 10 * 316
    town.pass_time(dt.timedelta(hours=1))
    assert [meter.tap(citizen.reader, town.now) for _ in range(2)] == [6000, 0]
    assert meter.use(1234) == 1234
    town.pass_time(dt.timedelta(days=2))
    assert meter.tap(citizen.reader, town.now) == 0
    town.pass_time(dt.timedelta(hours=1))
    again = desk.serve(citizen.reader, town.now, sell_credit(gas, keys, meter.number, 100))
    assert again.amount_fen == 316
    assert meter.tap(citizen.reader, town.now) == 100
    assert (meter.memory.left, meter.memory.reading) == (6000 + 100 - 1234, 1234)

    town.clear(desk, meter.till)
    with reading(town.city.engine) as conn:
        readings = conn.execute(select(meter_reading).order_by(meter_reading.c.read_at)).all()
        sold = conn.execute(select(meter_credit).order_by(meter_credit.c.counter)).all()
    assert [(one.counter, one.units, one.amount_fen) for one in sold] == [(1, 6000, 16_310), (2, 100, 316)]
    assert readings[-2].reading == 1234
    settled = settlement_of(town.city, settings, "gas-works")
    assert (settled.differences, settled.total_fen("prepaid"), settled.paid_fen) == ((), 16_626, 16_626)
    town.check_books()
