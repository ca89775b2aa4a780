from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from citycard.clearing.codes import Code
from citycard.clearing.sequence import CardState, CardTrail, Gap, Sighting, SpentLoad

AT = datetime.fromisoformat("2018-09-01T07:00")


def seen(counter, before, amount, raw=b""):
    return Sighting(counter, before, amount, before - amount, AT + timedelta(minutes=counter), raw)


def load(atc, amount, *, proven=True):
    return SpentLoad(atc, amount, proven, AT - timedelta(hours=1))


def test_a_new_card_starts_at_counter_zero_with_what_was_loaded():
    trail = CardTrail(CardState(), (), [load(0, 1000)], {})
    assert None is trail.see(seen(0, 1000, 200))
    assert CardState(0, 800, 0) == trail.state


def test_several_loads_between_two_debits_explain_the_balance_together():
    trail = CardTrail(CardState(3, 100, 0), (), [load(0, 50), load(1, 500), load(2, 700)], {})
    assert None is trail.see(seen(4, 1300, 200))
    assert trail.state.online_atc == 2


def test_a_load_that_was_never_proven_may_be_there_or_not():
    for before in (100, 600):
        trail = CardTrail(CardState(3, 100, 0), (), [load(1, 500, proven=False)], {})
        assert None is trail.see(seen(4, before, 50))


def test_money_from_nowhere_breaks_the_chain():
    trail = CardTrail(CardState(3, 100, 0), (), [], {})
    assert Code.C03 is trail.see(seen(4, 600, 200))
    assert None is trail.see(seen(5, 400, 200))


def test_a_missing_counter_opens_a_gap_with_what_it_cost():
    trail = CardTrail(CardState(3, 1000, 0), (), [], {})
    assert Code.C01 is trail.see(seen(6, 400, 100))
    assert [Gap(4, 5, 600)] == trail.gaps


def test_a_late_record_closes_its_part_of_the_gap():
    trail = CardTrail(CardState(6, 300, 0), [Gap(3, 5, 600)], [], {})
    assert Code.L01 is trail.see(seen(4, 800, 200))
    assert [Gap(3, 3, None), Gap(5, 5, None)] == trail.gaps
    assert CardState(6, 300, 0) == trail.state


def test_a_counter_that_went_back_is_a_duplicate_a_conflict_or_a_rollback():
    trail = CardTrail(CardState(6, 300, 0), (), [], {4: frozenset({b"same"})})
    assert Code.D04 is trail.see(seen(4, 800, 200, b"same"))
    assert Code.D02 is trail.see(seen(4, 800, 200, b"other"))
    assert Code.C02 is trail.see(seen(2, 800, 200))
    assert Code.D02 is trail.see(seen(2, 800, 100))


@given(st.sets(st.integers(0, 40), min_size=1), st.sets(st.integers(0, 40)))
def test_gaps_are_exactly_the_counters_that_never_came(first, second):
    """The first run brings some counters, the second some of the others, late."""
    trail = CardTrail(CardState(), (), [], {})
    for counter in sorted(first):
        trail.see(seen(counter, 0, 0))
    late = CardTrail(trail.state, trail.gaps, [], {})
    for counter in sorted(second - first):
        late.see(seen(counter, 0, 0))
    missing = {counter for gap in late.gaps for counter in range(gap.first, gap.last + 1)}
    everything = first | second
    assert missing == set(range(max(everything) + 1)) - everything
