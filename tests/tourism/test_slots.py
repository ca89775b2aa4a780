"""Places of slots: taken all or none, never more than there are, whoever comes at once."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from citycard.store import open_store, reading, writing
from citycard_tourism.errors import SlotFull, SlotUnknown
from citycard_tourism.settings import Show
from citycard_tourism.slots import check_slot, free, set_capacity, slots_of, take
from citycard_tourism.tables import metadata, slot

SHOW = Show(
    name="film",
    number=2,
    title="The film",
    venue="cinema",
    price_fen=100,
    times=("19:30", "10:00"),
    capacity=20,
    closed_on=(6,),
    ahead_days=10,
)
STARTS = dt.datetime.fromisoformat("2026-03-02T19:30")


@pytest.fixture
def places(store):
    metadata.create_all(store, tables=[slot])
    return store


def test_buyers_who_come_at_once_get_no_more_places_than_there_are(places):
    def buy(people):
        try:
            with writing(places) as conn:
                take(conn, SHOW, STARTS, people)
        except SlotFull:
            return 0
        return people

    with ThreadPoolExecutor(8) as pool:
        sold = list(pool.map(buy, [1, 2, 3, 4] * 10))

    with reading(places) as conn:
        row = conn.execute(select(slot)).one()
    assert sum(sold) == row.taken == row.capacity == 20


def test_all_places_or_none_are_taken(places):
    with writing(places) as conn:
        take(conn, SHOW, STARTS, 19)
    with pytest.raises(SlotFull) as refused, writing(places) as conn:
        take(conn, SHOW, STARTS, 2)
    assert (refused.value.data["left"], refused.value.data["wanted"]) == (1, 2)
    with writing(places) as conn:
        free(conn, SHOW, STARTS, 1)
        take(conn, SHOW, STARTS, 2)
        assert [(one.taken, one.left) for one in slots_of(conn, SHOW, STARTS.date())] == [(0, 20), (20, 0)]


def test_a_slot_gets_more_places_and_not_fewer_than_are_taken(places):
    with writing(places) as conn:
        take(conn, SHOW, STARTS, 5)
        assert set_capacity(conn, SHOW, STARTS, 30).left == 25
        assert set_capacity(conn, SHOW, STARTS, 5).left == 0
    with pytest.raises(SlotFull), writing(places) as conn:
        set_capacity(conn, SHOW, STARTS, 4)


def test_a_closed_day_has_no_slots(places):
    with reading(places) as conn:
        assert slots_of(conn, SHOW, dt.date(2026, 3, 8)) == []


@pytest.mark.parametrize(
    ("starts", "reason"),
    [
        ("2026-03-02T19:31", "it begins at"),
        ("2026-03-02T19:30:01", "it begins at"),
        ("2026-03-08T19:30", "closed"),
        ("2026-03-01T19:30", "closed"),
        ("2026-02-28T19:30", "over"),
        ("2026-03-14T19:30", "10 days ahead"),
    ],
)
def test_what_is_not_on_sale_is_told(starts, reason):
    with pytest.raises(SlotUnknown, match=reason):
        check_slot(SHOW, dt.datetime.fromisoformat(starts), dt.datetime.fromisoformat("2026-03-02T12:00"))


def test_a_slot_is_on_sale_until_it_is_over():
    check_slot(SHOW, STARTS, STARTS + dt.timedelta(minutes=119))
    with pytest.raises(SlotUnknown):
        check_slot(SHOW, STARTS, STARTS + dt.timedelta(minutes=120))


@given(st.lists(st.integers(-6, 6).filter(bool), max_size=20))
def test_places_are_as_many_as_were_taken_and_not_given_back(steps):
    engine = open_store("sqlite://")
    metadata.create_all(engine, tables=[slot])
    held = 0
    with writing(engine) as conn:
        for people in steps:
            if people > 0:
                fits = held + people <= SHOW.capacity
                if fits:
                    take(conn, SHOW, STARTS, people)
                    held += people
                else:
                    with pytest.raises(SlotFull):
                        take(conn, SHOW, STARTS, people)
            elif held + people >= 0 and held:
                free(conn, SHOW, STARTS, -people)
                held += people
        assert sum(one.taken for one in slots_of(conn, SHOW, STARTS.date())) == held
    engine.dispose()
