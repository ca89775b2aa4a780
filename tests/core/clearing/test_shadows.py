"""That a card spent money which nobody loaded is said once (C04), also when a load is taken back later."""

from __future__ import annotations

from datetime import datetime, timedelta

import attrs
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from citycard.clearing.deciding import Decision, decide
from citycard.clearing.intake import receive
from citycard.clearing.queries import card_taps
from citycard.clearing.run import clear
from citycard.clearing.tables import clearing_part
from citycard.ids import new_id
from citycard.store import reading, writing
from citycard.wallet.load import Load, LoadState, Proof, load_id
from citycard.wallet.loadbook import keep

AT = datetime.fromisoformat("2018-09-01T07:00")
GATE = "344000000001"


@pytest.fixture
def begun(town, card):
    """Give a load of which nobody knows yet whether it is on the card."""
    one = Load(
        id=load_id(card.asn, card.online_atc, b"mac1", GATE, AT),
        asn=card.asn,
        online_atc=card.online_atc,
        key_version=1,
        amount_fen=5_000,
        balance_before_fen=card.balance_fen,
        terminal=GATE,
        agent="",
        at=AT,
        mac1="00000000",
        state=LoadState.PENDING,
    )
    written(town, one)
    card.online_atc += 1
    card.balance_fen += 5_000
    return one


def written(town, one):
    with writing(town.engine) as conn:
        keep(conn, town.ledger, [one])


def codes(town, card, *amounts_fen):
    """Debit the card in one run, and say how that ended, debit by debit."""
    for number, amount_fen in enumerate(amounts_fen):
        town.tap(card, amount_fen, AT + timedelta(minutes=card.counter + number))
    receive(town, [town.batch()])
    clear(town)
    taps = sorted(card_taps(town, card.asn), key=lambda tap: tap.counter)
    return [tap.code for tap in taps][-len(amounts_fen) :]


def test_it_is_said_with_the_next_debit_when_the_load_that_covered_it_is_taken_back(town, card, begun):
    assert codes(town, card, 4_000, 8_000) == ["OK", "OK"]
    written(town, attrs.evolve(begun, state=LoadState.REVERSED))
    assert codes(town, card, 300, 300) == ["C04", "OK"]
    assert codes(town, card, 300) == ["OK"]
    assert town.purse_fen(card) == -2_900


def test_it_is_never_said_when_the_load_that_covered_it_is_proven(town, card, begun):
    assert codes(town, card, 4_000, 8_000) == ["OK", "OK"]
    written(town, attrs.evolve(begun, state=LoadState.PROVEN, proof=Proof.TAC, tac="00000000"))
    assert codes(town, card, 300) == ["OK"]


def test_it_is_said_where_not_even_a_load_that_was_begun_covers_it(town, card, begun):
    card.balance_fen += 5_000
    assert codes(town, card, 4_000) == ["C03"]
    assert codes(town, card, 12_000, 4_000) == ["OK", "C04"]


def test_it_is_said_again_only_after_the_shadow_was_up(town, card):
    card.balance_fen += 5_000
    assert codes(town, card, 200) == ["C03"]
    assert codes(town, card, 12_000) == ["C04"]
    town.load(card, 3_000)
    assert codes(town, card, 300) == ["OK"]
    assert codes(town, card, 900) == ["C04"]


def test_it_is_said_with_the_next_debit_when_a_decision_took_the_shadow_below_zero(town, card):
    card.balance_fen += 5_000
    assert codes(town, card, 9_000) == ["C03"]
    paid = Decision(how="accepted", bearer="card", reason="it is its own", evidence="log 7")
    decide(town, f"{GATE}-1-1", paid, actor="li", step=new_id())
    assert codes(town, card, 1_500) == ["OK"]
    assert town.purse_fen(card) == -500
    assert codes(town, card, 300) == ["C04"]
    assert codes(town, card, 300) == ["OK"]


def test_of_states_from_before_it_was_kept_it_was_said(town, card):
    card.balance_fen += 5_000
    assert codes(town, card, 200) == ["C03"]
    assert codes(town, card, 12_000) == ["C04"]
    with reading(town.engine) as conn:
        path = town.folder / conn.scalar(select(clearing_part.c.cards).order_by(clearing_part.c.run.desc()))
    table = pq.read_table(path)
    pq.write_table(table.drop_columns(["short"]), path)
    assert codes(town, card, 300) == ["OK"]
