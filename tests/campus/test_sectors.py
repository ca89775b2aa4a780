import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from citycard.card.codec import decode, encode, layout_of
from citycard_campus.sectors import (
    ComputerFacts,
    DeskFacts,
    Enrolment,
    LibraryFacts,
    MealFacts,
    PassFacts,
    Role,
)

FEN = st.integers(0, 0xFFFFFFFF)
TODAY = dt.date(2026, 3, 2)


@given(loaded_fen=FEN, spent_fen=FEN)
def test_a_pot_never_holds_less_than_nothing(loaded_fen, spent_fen):
    held = Enrolment(role=Role.PUPIL, loaded_fen=loaded_fen, spent_fen=spent_fen)
    assert held.pot_fen == max(0, loaded_fen - spent_fen)
    assert decode(Enrolment, encode(held)) == held


@given(limit_fen=FEN, spent_fen=FEN)
def test_a_limit_is_for_the_day_it_was_spent_on(limit_fen, spent_fen):
    held = Enrolment(limited=True, day_limit_fen=limit_fen, spent_on=TODAY, spent_today_fen=spent_fen)
    assert held.left_on(TODAY) == max(0, limit_fen - spent_fen)
    assert held.left_on(TODAY + dt.timedelta(days=1)) == limit_fen
    assert Enrolment(spent_on=TODAY, spent_today_fen=spent_fen).left_on(TODAY) is None


def test_facts_fill_what_a_record_leaves_to_them():
    for facts in (ComputerFacts, DeskFacts, LibraryFacts, MealFacts, PassFacts):
        assert layout_of(facts).size == 48
