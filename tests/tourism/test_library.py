"""Books: who may borrow, when they are due, what is forgotten."""

from __future__ import annotations

import datetime as dt

import pytest

from citycard.errors import FundsMissing
from citycard.ids import new_id
from citycard.store import reading
from citycard.wallet import online_account
from citycard_tourism.errors import LoanRefused, RightForged
from citycard_tourism.library import loans_of, pay_fees, renew, take_back, tell_overdue
from citycard_tourism.sectors import READER


@pytest.fixture
def reader(leisure):
    card = leisure.town.card()
    leisure.town.load(card, 5000)
    leisure.library().register(card.reader)
    return card


def on_card(leisure, card):
    """Read the reader's right as a gate would."""
    found = {}

    class Done(Exception):
        pass

    def look(visit):
        found["it"] = leisure.office.seals.check(READER, visit, visit.read(READER))
        raise Done

    with pytest.raises(Done):
        leisure.tills["city-library"].serve(card.reader, leisure.town.now, look)
    return found["it"]


def test_the_card_says_how_many_books_are_out_and_when_the_first_is_due(leisure, reader):
    desk = leisure.library()
    assert on_card(leisure, reader).until == leisure.town.now.date() + dt.timedelta(days=1095)
    desk.lend(new_id(), reader.reader, ["B1"])
    leisure.go_to(leisure.at("10:00", days=3))
    desk.lend(new_id(), reader.reader, ["B2"])
    record = on_card(leisure, reader)
    assert (record.books, record.due, record.blocked) == (2, dt.date(2026, 4, 1), False)
    take_back(leisure.office, "city-library", "B1")
    desk.register(reader.reader)
    assert (on_card(leisure, reader).books, on_card(leisure, reader).due) == (1, dt.date(2026, 4, 4))


@pytest.mark.parametrize("items", [[], [""], [" B1"], ["x" * 41], ["B1", "B2", "B3", "B4"]])
def test_what_cannot_be_lent_is_told_and_nothing_is(leisure, reader, items):
    with pytest.raises(LoanRefused):
        leisure.library().lend(new_id(), reader.reader, items)
    assert leisure.ask(loans_of, reader.asn) == []


def test_a_book_is_out_once_and_all_or_none_are_lent(leisure, reader):
    desk, other = leisure.library(), leisure.town.card()
    desk.register(other.reader)
    desk.lend(new_id(), reader.reader, ["B1"])
    with pytest.raises(LoanRefused, match="out already"):
        desk.lend(new_id(), other.reader, ["B2", "B1"])
    assert leisure.ask(loans_of, other.asn) == []
    with pytest.raises(LoanRefused, match="not out"):
        take_back(leisure.office, "city-library", "B2")


def test_a_right_that_is_over_lends_nothing(leisure, reader):
    leisure.go_to(leisure.at("10:00", days=1096))
    with pytest.raises(LoanRefused, match="reader's right"):
        leisure.library().lend(new_id(), reader.reader, ["B1"])


def test_a_late_book_is_told_once_and_lends_nothing_more(leisure, reader):
    leisure.library().lend(new_id(), reader.reader, ["B1"])
    assert tell_overdue(leisure.office) == 0
    leisure.go_to(leisure.at("10:00", days=31))
    assert (tell_overdue(leisure.office), tell_overdue(leisure.office)) == (1, 0)
    with pytest.raises(LoanRefused, match="due on 2026-04-01"):
        leisure.library().lend(new_id(), reader.reader, ["B2"])
    serial = leisure.ask(loans_of, reader.asn)[0].serial
    with pytest.raises(LoanRefused, match="return the book"):
        renew(leisure.office, reader.asn, serial)
    with pytest.raises(LoanRefused, match="not out"):
        renew(leisure.office, "0" * 20, serial)


def test_which_book_it_was_is_forgotten(leisure, reader):
    leisure.library().lend(new_id(), reader.reader, ["B1", "B2"])
    assert take_back(leisure.office, "city-library", "B1").item == ""
    leisure.go_to(leisure.at("10:00", days=40))
    assert take_back(leisure.office, "city-library", "B2").item == "B2"
    leisure.library().pay_fees(reader.reader)
    with reading(leisure.city.engine) as conn:
        assert [one.item for one in loans_of(conn, reader.asn)] == ["", ""]


def test_a_forged_right_pays_no_fee(leisure, reader):
    from citycard.card.codec import evolve
    from citycard.city.till import Sale
    from citycard_tourism.sectors import VisitFacts

    leisure.library().lend(new_id(), reader.reader, ["B1"])
    leisure.go_to(leisure.at("10:00", days=40))
    late = take_back(leisure.office, "city-library", "B1")

    def forge(visit):
        record = evolve(visit.read(READER), fee=late.serial, blocked=False)
        return Sale(service="tourism-visit", amount_fen=0, facts=VisitFacts(venue=3), writes={READER: record})

    leisure.tills["city-library"].serve(reader.reader, leisure.town.now, forge)
    with pytest.raises(RightForged):
        leisure.library().pay_fees(reader.reader)


def test_a_fee_that_was_refused_is_paid_when_the_money_is_there(leisure):
    town, card = leisure.town, leisure.town.card()
    town.account(card, 10)
    desk = leisure.library()
    desk.register(card.reader)
    desk.lend(new_id(), card.reader, ["B1"])
    leisure.go_to(leisure.at("10:00", days=31))
    take_back(leisure.office, "city-library", "B1")
    for _ in range(2):
        with pytest.raises(FundsMissing):
            pay_fees(leisure.office, card.asn)
    town.account(card, 1000)
    assert (pay_fees(leisure.office, card.asn), pay_fees(leisure.office, card.asn)) == (20, 0)


def test_a_fee_is_paid_online_once(leisure):
    town, card = leisure.town, leisure.town.card()
    town.account(card, 1000)
    desk = leisure.library()
    desk.register(card.reader)
    desk.lend(new_id(), card.reader, ["B1"])
    leisure.go_to(leisure.at("10:00", days=31))
    take_back(leisure.office, "city-library", "B1")
    assert (pay_fees(leisure.office, card.asn), pay_fees(leisure.office, card.asn)) == (20, 0)
    with reading(town.city.engine) as conn:
        assert town.city.ledger.balance_fen(conn, online_account(card.asn)) == 980
