"""Cleared records and their bills, on both databases; and what people decided of a record later."""

from __future__ import annotations

import datetime as dt
from uuid import uuid4

import pytest
from sqlalchemy import select

from citycard.clearing.casecodes import Bearer, Ruling
from citycard.clearing.deciding import Decision, decide
from citycard.clearing.exceptions import find_exceptions
from citycard.store import reading
from citycard.testing.town import Town
from citycard_utilities import matching
from citycard_utilities.bills import bills_of
from citycard_utilities.importing import take_file
from citycard_utilities.kiosk import Slip, pay_slip
from citycard_utilities.mandates import collect, end_mandate, make_mandate
from citycard_utilities.matching import match_runs
from citycard_utilities.meter import Meter
from citycard_utilities.opening import settings_of
from citycard_utilities.paying import pay_bill
from citycard_utilities.prepaid import sell_credit
from citycard_utilities.returning import reverse
from citycard_utilities.settlement import settlement_of
from citycard_utilities.tables import meter_reading, receipt, run

WATER = "water-works"


class _BrokenOffError(Exception):
    pass


def _broken_off(*_arguments, **_named):
    raise _BrokenOffError


@pytest.fixture
def kiosk(town):
    return town.till(town.terminal(town.partner("kiosk-street")))


def slip(due, fen=2000, bill="W1"):
    return Slip(biller=1, bill=bill, household="H1", amount_fen=fen, due=due)


def test_matching_that_is_broken_off_takes_nothing_and_is_done_again(
    town, settings, kiosk, bill_file, due, monkeypatch
):
    take_file(town.city, settings, WATER, bill_file(("W1", "H1", 2000, due)), file="1.csv")
    card = town.card()
    town.load(card, 5_000)
    kiosk.serve(card.reader, town.now, pay_slip(slip(due)))
    for name in ("take", "match_records"):
        with monkeypatch.context() as broken:
            broken.setattr(matching, name, _broken_off)
            town.clear(kiosk)
            with pytest.raises(_BrokenOffError):
                match_runs(town.city, settings)
        with reading(town.city.engine) as conn:
            assert conn.execute(select(receipt)).all() == conn.execute(select(run)).all() == []
    assert [one.records for one in match_runs(town.city, settings)] == [1]
    assert bills_of(town.city, settings, WATER, "H1").bills[0].state == "paid"


def test_a_record_that_people_decide_to_pay_pays_its_bill(town, settings, kiosk, bill_file, due):
    take_file(town.city, settings, WATER, bill_file(("W1", "H1", 2000, due)), file="1.csv")
    card = town.card()
    town.load(card, 5_000)
    # The clock of the kiosk is five days fast, so that clearing holds the record for people to look at.
    kiosk.serve(card.reader, town.now + dt.timedelta(days=5), pay_slip(slip(due)))
    town.clear(kiosk)
    (case,) = find_exceptions(town.city)
    assert bills_of(town.city, settings, WATER, "H1").bills[0].state == "open"
    ruling = Decision(how=Ruling.ACCEPTED, bearer=Bearer.CARD, reason="clock", evidence="log-1")
    decide(town.city, case.id, ruling, actor="Wang", step=uuid4())
    town.clear()

    assert bills_of(town.city, settings, WATER, "H1").bills[0].state == "paid"
    settled = settlement_of(town.city, settings, WATER)
    assert (settled.differences, [(one.what, one.amount_fen) for one in settled.items]) == (
        (),
        [("card", 2000)],
    )


@pytest.mark.postgresql
def test_the_whole_of_it_works_on_postgresql(tmp_path, town_settings, postgresql_url, bill_file, due):
    store = f'[store]\nurl = "{postgresql_url}"\n'
    town = Town.make(tmp_path, ["utilities"], town_settings, more=store)
    settings = settings_of(town.city)
    card = town.card()
    town.load(card, 20_000)
    account = town.account(card, 9_000)
    till = town.till(town.terminal("gas-works"))
    gas, keys = settings.biller("gas-works"), town.city.vault.card_key
    meter = Meter(town.till(town.terminal("gas-works")), gas, "000000420017", keys, tmp_path / "m.json")

    lines = [(f"W{n}", f"H{n}", 1000 + n, due) for n in range(700)]
    assert take_file(town.city, settings, WATER, bill_file(*lines), file="1.csv").added == 700
    assert take_file(town.city, settings, WATER, bill_file(("W1", "H1", 900, due)), file="2").replaced == 1
    mandate = make_mandate(town.city, settings, uuid4(), account, WATER, "H2")
    town.pass_time(dt.datetime.combine(due, dt.time(8)) - dt.timedelta(days=2) - town.now)
    assert collect(town.city, settings).paid == 1
    end_mandate(town.city, mandate.id)
    paid = pay_bill(town.city, settings, uuid4(), account, WATER, "W1")
    assert reverse(town.city, settings, uuid4(), paid.id, reason="r", approved_by="a").state == "done"
    pay_bill(town.city, settings, uuid4(), account, WATER, "W1")
    for bill in ("W3", "W3", "W9999"):
        town.pass_time(dt.timedelta(minutes=3))
        till.serve(card.reader, town.now, pay_slip(slip(due, 1003, bill)))
    till.serve(card.reader, town.now, sell_credit(gas, keys, meter.number, 500))
    assert meter.tap(card.reader, town.pass_time(dt.timedelta(hours=1))) == 500
    town.clear(till, meter.till)

    settled = settlement_of(town.city, settings, WATER)
    assert (settled.differences, settled.total_fen("card")) == ((), 3 * 1003)
    with reading(town.city.engine) as conn:
        assert len(conn.execute(select(meter_reading)).all()) == 1
        assert sorted(conn.scalars(select(receipt.c.state))) == ["done"] * 5 + ["open"]
    town.check_books()
    town.close()
