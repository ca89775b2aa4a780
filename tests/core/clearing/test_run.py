"""Clearing a small day end to end."""

from __future__ import annotations

from datetime import datetime, timedelta

from citycard.clearing.codes import State
from citycard.clearing.intake import receive
from citycard.clearing.run import clear
from citycard.store import reading

MORNING = datetime.fromisoformat("2018-09-01T07:00")


def test_what_is_tapped_is_posted_settled_and_written_to_the_bank(town):
    card, other = town.issue(1, 2)
    town.load(card, 5000)
    town.load(other, 5000)
    town.tap(card, 200, MORNING)
    town.tap(card, 300, MORNING + timedelta(minutes=40), "344000000003")
    town.tap(other, 500, MORNING + timedelta(minutes=5))
    report = receive(town, [town.batch(), town.batch("344000000003")])
    assert [report.count("accepted"), report.records, report.amount_fen] == [2, 3, 1000]
    done = clear(town)
    assert (done.count(State.ACCEPTED), done.gross_fen, done.changed) == (3, 1000, True)
    assert [(one.partner, one.gross_fen, one.fee_fen, one.paid_fen) for one in done.partners] == [
        ("bus", 300, 1, 299),
        ("metro", 700, 4, 696),
    ]
    with reading(town.engine) as conn:
        assert town.ledger.balance_fen(conn, "control/window") == 0
        assert town.ledger.balance_fen(conn, f"card/{card.asn}/purse") == 4500
        assert town.ledger.balance_fen(conn, "income/clearing-fee") == 5
        assert town.ledger.balance_fen(conn, "transit/settlement") == -995
    assert (town.folder / done.bank_file).exists()


def test_running_again_changes_nothing_and_says_so(town):
    (card,) = town.issue(1)
    town.load(card, 5000)
    town.tap(card, 200, MORNING)
    receive(town, [town.batch()])
    first = clear(town)
    again = clear(town)
    assert (first.changed, again.changed) == (True, False)
    assert first.as_json() | {"changed": False} == again.as_json()
