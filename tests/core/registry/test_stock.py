"""Blank cards are counted like money: whatever is moved, every lot adds up."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citycard.errors import RegistryConflict, RegistryInvalid, RegistryMissing, StockShort
from citycard.ids import new_id
from citycard.registry import SPOILED, STORE, USED, StockLot, move_stock, receive_stock, stock_report

AT = datetime(2018, 9, 1, tzinfo=UTC)


def received(conn, name="box", size=50):
    lot = StockLot(name=name, supplier="maker", size=size, received_on=date(2018, 9, 1))
    return receive_stock(conn, lot, id=new_id(), actor="anna", at=AT)


def moved(conn, cards, source=STORE, target="window", key=None, lot="box"):
    return move_stock(
        conn, lot, source, target, cards, id=key or new_id(), reason="test", actor="anna", at=AT
    )


def test_a_lot_comes_once(conn):
    assert (received(conn), received(conn)) == (True, False)
    with pytest.raises(RegistryConflict, match="size"):
        received(conn, size=51)
    with pytest.raises(RegistryInvalid):
        received(conn, name="none", size=0)


def test_one_slip_is_one_move(conn):
    received(conn)
    slip = new_id()
    assert (moved(conn, 20, key=slip), moved(conn, 20, key=slip)) == (True, False)
    with pytest.raises(RegistryConflict, match="cards"):
        moved(conn, 21, key=slip)
    with pytest.raises(RegistryConflict, match="target"):
        moved(conn, 20, target="outlet", key=slip)
    (count,) = stock_report(conn)
    assert count.held == {STORE: 30, "window": 20}


def test_what_is_not_there_cannot_be_moved(conn):
    received(conn)
    with pytest.raises(StockShort, match="'window' has 0 blank cards of lot 'box', 1 are wanted"):
        moved(conn, 1, "window", STORE)
    moved(conn, 5, STORE, USED)
    with pytest.raises(RegistryInvalid):
        moved(conn, 1, USED, STORE)
    with pytest.raises(RegistryMissing, match="crate"):
        moved(conn, 1, lot="crate")


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    moves=st.lists(
        st.tuples(
            st.sampled_from([STORE, "a", "b"]),
            st.sampled_from([STORE, "a", "b", USED, SPOILED]),
            st.integers(0, 30),
        ),
        max_size=20,
    )
)
def test_every_lot_adds_up_whatever_is_moved(conn, moves):
    name = f"box-{new_id()}"
    received(conn, name)
    paper = {STORE: 50}
    for source, target, cards in moves:
        if cards and source != target and paper.get(source, 0) >= cards:
            moved(conn, cards, source, target, lot=name)
            paper[source] -= cards
            paper[target] = paper.get(target, 0) + cards
        else:
            with pytest.raises((RegistryInvalid, StockShort)):
                moved(conn, cards, source, target, lot=name)
    (count,) = [each for each in stock_report(conn) if each.lot == name]
    assert count.adds_up
    found = {**count.held, USED: count.used, SPOILED: count.spoiled}
    assert {place: cards for place, cards in found.items() if cards} == {
        place: cards for place, cards in paper.items() if cards
    }
