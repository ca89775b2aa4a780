"""From a partner's statement down to each of its records, and to nobody else's."""

import csv
from datetime import date, datetime, timedelta

import pytest

from citycard.clearing.codes import Code
from citycard.clearing.context import Share
from citycard.clearing.drilldown import CSV_COLUMNS, Drill, partner_lines, partner_records, record_csv
from citycard.clearing.intake import receive
from citycard.clearing.run import clear
from citycard.clearing.statements import statement_of
from citycard.errors import StatementUnknown

AT = datetime.fromisoformat("2018-09-01T07:00")
GATE, BUS = "344000000001", "344000000003"


@pytest.fixture
def day(town):
    """A shared ride on the metro, one with a wrong TAC, and on the next day one on the bus alone."""
    (card,) = town.issue(1)
    town.load(card, 10_000)
    town.shares[2] = (Share(partner="metro", weight=2), Share(partner="bus", weight=1))
    town.tap(card, 200, AT)
    town.tap(card, 90, AT + timedelta(hours=1), service=2)
    town.tap(card, 500, AT + timedelta(hours=2), tac=b"\1\2\3\4")
    receive(town, [town.batch()])
    card.counter -= 1
    card.balance_fen += 500
    town.tap(card, 300, AT + timedelta(days=1), BUS)
    receive(town, [town.batch(BUS, day=AT.date() + timedelta(days=1))])
    clear(town)
    return town


def test_lines_by_day_service_and_code_add_up_to_the_statement(day):
    found = partner_lines(day, Drill(partner="metro", run=1))
    assert [(one.service, one.code, one.records, one.amount_fen, one.share_fen) for one in found] == [
        (1, "OK", 1, 200, 200),
        (1, "T01", 1, 500, 0),
        (2, "OK", 1, 90, 60),
    ]
    for partner in ("metro", "bus"):
        lines = partner_lines(day, Drill(partner=partner, run=1))
        assert sum(one.share_fen for one in lines) == statement_of(day, partner, 1).gross_fen


def test_a_line_leads_to_its_records(day):
    drill = Drill(partner="metro", run=1, day=date(2018, 9, 1), service=1, code=Code.T01)
    assert [one.id for one in partner_records(day, drill)] == [f"{GATE}-1-3"]
    assert partner_records(day, Drill(partner="metro", run=1, day=date(2018, 9, 2))) == ()
    assert len(partner_records(day, Drill(partner="metro", run=1), limit=2)) == 2


def test_a_partner_finds_what_it_handed_in_and_what_it_got_a_share_of_and_nothing_else(day):
    found = partner_records(day, Drill(partner="bus", run=1))
    assert [(one.id, one.partner, dict(one.parts)["bus"]) for one in found] == [
        (f"{GATE}-1-2", "metro", 30),
        (f"{BUS}-1-1", "bus", 300),
    ]


def test_records_as_csv_show_no_whole_card_number(day):
    rows = list(csv.reader(record_csv(partner_records(day, Drill(partner="bus", run=1)), "bus")))
    assert rows[0] == list(CSV_COLUMNS)
    assert rows[1][0] == f"{GATE}-1-2"
    assert rows[1][5:] == ["310444…0001", "1", "0.90", "0.90", "accepted", "OK", "0.30"]


def test_a_partner_without_a_statement_in_the_run_has_no_records_there(day):
    for asked in (partner_lines, partner_records):
        with pytest.raises(StatementUnknown):
            asked(day, Drill(partner="poor", run=1))
