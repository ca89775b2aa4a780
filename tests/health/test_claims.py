"""Claims: each month once, no more than was claimed, and nothing is passed on before it came."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest

from citycard.bank.receiving import receive
from citycard.ids import new_id
from citycard.money import parse_yuan
from citycard.store import reading
from citycard.wallet import partner_payable
from citycard_health.addresses import CLAIMS, insurer_account
from citycard_health.claims import claim_file, close_month, find_statement, settle, statements_of
from citycard_health.errors import NotFound, StatementRefused
from citycard_health.returns import return_lines
from citycard_health.visits import VisitItem, charge_visit

SCAN = [VisitItem(code="scan")]


def balance(town, address):
    with reading(town.city.engine) as conn:
        return town.city.ledger.balance_fen(conn, address)


def test_two_clinics_share_a_month_and_a_return_of_the_next_is_taken_off_it(town, settings, insure, bank_day):
    """The file adds up; each clinic gets its own part; what is given back lowers the next month."""
    city, card = town.city, town.card("health-card")
    insure(card)
    first = charge_visit(city, settings, new_id(), card.asn, "clinic-east", SCAN)
    west = charge_visit(city, settings, new_id(), card.asn, "clinic-west", SCAN)
    assert (first.insured_fen, west.insured_fen) == (10_500, 14_000)
    town.pass_time(timedelta(days=30))
    late = charge_visit(city, settings, new_id(), card.asn, "clinic-west", SCAN)
    return_lines(city, new_id(), first.id, reason="wrong", actor="x")
    march = close_month(city, settings, "medicare", "2026-03")
    assert (march.claims, march.total_fen) == (2, 24_500)
    with reading(city.engine) as conn:
        *lines, last = csv.reader(io.StringIO(claim_file(conn, march)))
    assert sum(parse_yuan(one[4]) for one in lines[1:]) == parse_yuan(last[4]) == 24_500

    with pytest.raises(StatementRefused, match=r"the bank has not booked 245\.00 yuan under"):
        settle(city, march.id)
    receive(city, bank_day(town, march.reference, 24_500))
    city.plugins.run_job("health.claims")
    assert find_statement(city, march.id).settled_at == town.now
    assert balance(town, partner_payable("clinic-east")) == 10_500
    assert balance(town, partner_payable("clinic-west")) == 14_000

    town.pass_time(timedelta(days=30))
    april = close_month(city, settings, "medicare", "2026-04")
    assert (april.claims, april.total_fen) == (2, late.insured_fen - 10_500)
    assert balance(town, CLAIMS) == balance(town, insurer_account("medicare")) == april.total_fen
    assert [said for _, said in city.plugins.health()] == [None] * 4


def test_the_wrong_amount_settles_nothing(town, settings, insure, bank_day):
    """It is an exception of the bank, for a person."""
    city, card = town.city, town.card("health-card")
    insure(card)
    charge_visit(city, settings, new_id(), card.asn, "clinic-east", SCAN)
    town.pass_time(timedelta(days=30))
    made = close_month(city, settings, "medicare", "2026-03")
    receive(city, bank_day(town, made.reference, 10_499))
    with pytest.raises(StatementRefused):
        settle(city, made.id)
    assert balance(town, insurer_account("medicare")) == 10_500


def test_what_cannot_be_closed_is_refused(town, settings):
    """An unknown insurer, a month that is none or not over, nothing claimed, an unknown statement."""
    city = town.city
    with pytest.raises(NotFound):
        close_month(city, settings, "nobody", "2026-02")
    for month, said in (("March", "written as"), ("2026-13", "written as"), ("2026-03", "not over")):
        with pytest.raises(StatementRefused, match=said):
            close_month(city, settings, "medicare", month)
    with pytest.raises(StatementRefused, match="nothing to pay"):
        close_month(city, settings, "medicare", "2026-02")
    with pytest.raises(NotFound):
        settle(city, new_id())
    with reading(city.engine) as conn:
        assert statements_of(conn) == []
