"""A TAC that cannot be checked now is checked by a later run, and never rejected for that."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from citycard.clearing.deciding import Decision, decide
from citycard.clearing.exceptions import find_exceptions
from citycard.clearing.explanation import explain
from citycard.clearing.intake import receive
from citycard.clearing.payments import payment_path
from citycard.clearing.run import clear
from citycard.clearing.status import open_gaps, status
from citycard.errors import DecisionRefused, TokenKeyMissing
from citycard.ids import new_id

AT = datetime.fromisoformat("2018-09-01T07:00")
LATER = AT + timedelta(minutes=30)
GATE, SECOND = "344000000001", "344000000002"


@pytest.fixture
def cards(token_town):
    """Give a card of before and one of after the roll to an imported key, both with one tap at the gate."""
    old, new = token_town.issue(1, 2)
    for card in (old, new):
        token_town.load(card, 10_000)
    token_town.tap(old, 200, AT)
    token_town.import_tac_key()
    token_town.tap(new, 300, AT, key_version=2)
    return old, new


def cleared(town):
    report = clear(town)
    assert report.records == sum(total.records for total in report.totals)
    return {total.code: total.records for total in report.totals} if report.changed else {}


def test_the_run_after_the_key_is_back_takes_it_up_with_nothing_new(token_town, cards):
    receive(token_town, [token_town.batch()])
    token_town.lose_tac_key()
    assert cleared(token_town) == {"OK": 1, "T03": 1}
    assert status(token_town).held == (("T03", 1),)
    assert cleared(token_town) == {}
    token_town.restore_tac_key()
    assert cleared(token_town) == {"OK": 1}
    assert cleared(token_town) == {}
    assert status(token_town).held == ()
    assert token_town.purse_fen(cards[1]) == 9_700


def test_the_bank_is_told_of_the_last_run_while_no_key_is_there_and_nothing_is_new(token_town, cards):
    receive(token_town, [token_town.batch()])
    token_town.lose_tac_key()
    assert cleared(token_town) == {"OK": 1, "T03": 1}
    told = token_town.folder / payment_path(1)
    # As if the run had been closed and its process had died then.
    told.unlink()
    token_town.vault.retire("tac", 1)
    assert cleared(token_town) == {}
    assert told.exists()


def test_what_the_card_did_next_waits_as_well_and_is_followed_in_order(token_town, cards):
    receive(token_town, [token_town.batch()])
    token_town.tap(cards[1], 100, LATER, SECOND, key_version=2)
    token_town.lose_tac_key()
    assert cleared(token_town) == {"OK": 1, "T03": 1}
    receive(token_town, [token_town.batch(SECOND)])
    assert cleared(token_town) == {"T03": 1}
    token_town.restore_tac_key()
    assert cleared(token_town) == {"OK": 2}
    assert not open_gaps(token_town)


def test_a_tac_that_holds_by_no_other_key_is_rejected_only_when_all_were_asked(token_town, cards):
    token_town.tap(cards[0], 100, LATER, tac=b"\1\2\3\4")
    receive(token_town, [token_town.batch()])
    token_town.lose_tac_key()
    assert cleared(token_town) == {"OK": 1, "T03": 2}
    token_town.restore_tac_key()
    assert cleared(token_town) == {"OK": 1, "T01": 1}


def test_it_is_told_and_is_no_work_until_the_key_is_there(token_town, cards):
    receive(token_town, [token_town.batch()])
    token_town.lose_tac_key()
    cleared(token_town)
    found = explain(token_town, f"{GATE}-1-2")
    assert (found.outcome.code, found.proofs.tac) == ("T03", None)
    assert find_exceptions(token_town) == []
    paid = Decision(how="accepted", bearer="card", reason="it is surely right", evidence="none")
    with pytest.raises(DecisionRefused, match="nothing shows that the card paid"):
        decide(token_town, f"{GATE}-1-2", paid, actor="li", step=new_id())


def test_a_key_that_never_comes_back_is_retired_and_no_longer_waited_for(token_town, cards):
    receive(token_town, [token_town.batch()])
    token_town.lose_tac_key()
    cleared(token_town)
    token_town.restore_tac_key()
    token_town.vault.roll("purchase")
    token_town.lose_tac_key()
    token_town.vault.retire("purchase", 2)
    assert cleared(token_town) == {"T02": 1}


def test_with_no_key_at_all_nothing_is_written_and_the_run_is_finished_later(token_town, cards):
    receive(token_town, [token_town.batch()])
    token_town.vault.retire("purchase", 1)
    token_town.lose_tac_key()
    with pytest.raises(TokenKeyMissing):
        clear(token_town)
    assert (status(token_town).last_run, status(token_town).open_run) == (0, 1)
    token_town.restore_tac_key()
    assert cleared(token_town) == {"OK": 1, "T02": 1}
