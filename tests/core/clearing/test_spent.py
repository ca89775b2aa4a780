from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from citycard.clearing.intake import receive
from citycard.clearing.run import clear
from citycard.clearing.spent import lowest_shadows, purse_fen, run_spends, spent_fen
from citycard.store import reading

MORNING = datetime.fromisoformat("2018-09-01T06:00:00")


@pytest.fixture
def spent(town):
    """Two runs: the first card spends in both, the second in one, the third never."""
    one, two, idle = town.issue(1, 2, 3)
    for card in (one, two):
        town.load(card, 1000)
    town.load(idle, 50)
    town.tap(one, 300, MORNING)
    town.tap(two, 200, MORNING)
    receive(town, [town.batch()])
    clear(town)
    town.tap(one, 400, MORNING + timedelta(hours=1))
    receive(town, [town.batch()])
    clear(town)
    return town, one, two, idle


def test_what_a_card_spent_adds_up_over_runs(spent):
    town, one, two, idle = spent
    asns = [one.asn, two.asn, idle.asn]
    with reading(town.engine) as conn:
        assert spent_fen(town.folder, conn, asns, until=1) == {one.asn: 300, two.asn: 200}
        assert spent_fen(town.folder, conn, asns) == {one.asn: 700, two.asn: 200}
        assert spent_fen(town.folder, conn, []) == {}


def test_a_shadow_is_what_came_onto_a_card_less_what_it_spent(spent):
    town, one, two, idle = spent
    assert [town.purse_fen(card) for card in (one, two, idle)] == [300, 800, 50]
    with reading(town.engine) as conn:
        assert purse_fen(town.ledger, town.folder, conn, "9" * 20) == 0


def test_a_rejected_record_is_not_spent(town):
    (card,) = town.issue(1)
    town.load(card, 1000)
    town.tap(card, 300, MORNING, tac=bytes(4))
    receive(town, [town.batch()])
    assert clear(town).gross_fen == 0
    assert town.purse_fen(card) == 1000


def test_the_parts_are_the_sum_in_the_ledger(spent):
    town, *cards = spent
    with reading(town.engine) as conn:
        parts = spent_fen(town.folder, conn, [card.asn for card in cards])
        assert sum(parts.values()) == -town.ledger.balance_fen(conn, "cards/spent") == 900
        assert [(run, posted.transfer.amount_fen) for run, posted in run_spends(town, conn)] == [
            (1, 500),
            (2, 400),
        ]


def test_the_lowest_shadows_come_first_with_cards_that_never_had_a_purse(spent):
    town, one, _, idle = spent
    (stranger,) = town.issue(4)
    # Its loads were never told, nor its first debits.
    stranger.balance_fen, stranger.counter = 500, 3
    town.tap(stranger, 100, MORNING + timedelta(hours=2))
    receive(town, [town.batch()])
    clear(town)
    with reading(town.engine) as conn:
        found = lowest_shadows(town.folder, conn, below_fen=None, limit=3)
        assert lowest_shadows(town.folder, conn, below_fen=0, limit=3) == [(stranger.asn, -100)]
    assert found == [(stranger.asn, -100), (idle.asn, 50), (one.asn, 300)]
