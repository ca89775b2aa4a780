"""A card's statement shows each tap in place of what a run took, and ends at what the books say."""

import datetime as dt

import pytest

from citycard.city.cardmoney import CardMoney
from citycard.city.statements import Period, card_statement
from citycard.clearing.spent import purse_fen
from citycard.errors import RegistryMissing
from citycard.store import reading, writing

DAY = dt.date(2026, 3, 2)


def lines(statement, section=0):
    return [
        (line.what.en, line.where, line.amount_fen, line.balance_fen)
        for line in statement.sections[section].lines()
    ]


@pytest.fixture
def today():
    return Period(since=DAY, until=DAY)


def test_loads_and_taps_lead_from_nothing_to_the_balance(played, web_town, today):
    asn = web_town.CARDS[0]
    statement = card_statement(played, asn, today)
    assert lines(statement) == [
        ("Load", "", 5000, 5000),
        ("Purchase", "Ferry · North Pier", -350, 4650),
    ]
    with reading(played.engine) as conn:
        shadow_fen = purse_fen(played.ledger, played.folder, conn, asn)
    assert statement.sections[0].closing_fen == shadow_fen == 4650


def test_every_card_of_the_town_ends_where_the_ledger_says(played, web_town, today):
    for asn in web_town.CARDS:
        (section, *_) = card_statement(played, asn, today).sections
        assert [line.balance_fen for line in section.lines()][-1] == section.closing_fen


def test_a_line_says_who_why_and_which_record(played, web_town, today):
    (_, tap) = card_statement(played, web_town.CARDS[0], today).sections[0].lines()
    assert (tap.who, tap.why.en, tap.reference) == (
        "Harbour Ferry",
        "Park entrance, exit",
        "990100000001-1-3",
    )
    assert tap.at == dt.datetime(2026, 3, 2, 6, 24)
    assert tap.booked_at == dt.datetime(2026, 3, 2, 20, 0)


def test_before_anything_happened_there_is_an_empty_purse(played, web_town):
    statement = card_statement(
        played, web_town.CARDS[0], Period(since=DAY.replace(day=1), until=DAY.replace(day=1))
    )
    assert [(one.opening_fen, one.closing_fen, list(one.lines())) for one in statement.sections] == [
        (0, 0, [])
    ]


def test_afterwards_the_balance_goes_on_without_lines(played, web_town):
    later = Period(since=DAY.replace(day=3), until=DAY.replace(day=9))
    (section,) = card_statement(played, web_town.CARDS[0], later).sections
    assert (section.opening_fen, section.closing_fen, list(section.lines())) == (4650, 4650, [])


def test_a_deposit_has_a_section_of_its_own(played, web_town, today):
    asn = web_town.CARDS[1]
    with writing(played.engine) as conn:
        CardMoney(played, conn).sold(asn, deposit_fen=2000, price_fen=300)
    statement = card_statement(played, asn, today)
    assert [one.title.en for one in statement.sections] == ["Purse on the card", "Deposit"]
    assert lines(statement, 1) == [("Deposit taken", "", 2000, 2000)]


def test_what_is_posted_after_a_statement_was_made_is_not_in_it(played, web_town, today):
    asn = web_town.CARDS[2]
    with writing(played.engine) as conn:
        CardMoney(played, conn).sold(asn, deposit_fen=100, price_fen=0)
    before = card_statement(played, asn, today)
    with writing(played.engine) as conn:
        CardMoney(played, conn).sold(asn, deposit_fen=900, price_fen=0)
    assert lines(before, 1) == [("Deposit taken", "", 100, 100)]


def test_a_card_that_nobody_made_has_no_statement(played, today):
    with pytest.raises(RegistryMissing):
        card_statement(played, "99999999999999999999", today)
