"""What stands on the card: its bytes, and that nobody but counter and meter can have written them."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard import codec
from citycard.card.codec import layout_of
from citycard_utilities.sectors import BillFacts, CreditFacts, MeterFacts, Prepaid, sector_name, sectors
from citycard_utilities.settings import Kind, UtilitySettings


@pytest.mark.parametrize("layout", [BillFacts, CreditFacts, MeterFacts, Prepaid])
def test_examples_are_read_and_written_the_same(layout):
    examples = layout_of(layout).examples
    assert examples
    for data, record in examples:
        assert (codec.encode(record), codec.decode(layout, data)) == (data, record)


def test_all_sectors_together_are_small_enough():
    declared = list(sectors(UtilitySettings()))
    assert [one.name for one in declared] == ["utilities-electricity", "utilities-gas"]
    three = UtilitySettings(kinds=tuple(Kind(name=n, title=n, prepaid=True) for n in ("a", "b", "c")))
    assert sum(one.size for one in sectors(three)) <= 250
    assert sector_name("gas") == "utilities-gas"


def test_facts_fit_into_a_record():
    assert {layout_of(one).size for one in (BillFacts, CreditFacts, MeterFacts)} == {48}


@given(
    st.integers(1, 0xFFFF),
    st.from_regex(r"[0-9A-Z][0-9A-Z./-]{0,19}", fullmatch=True),
    st.from_regex(r"[0-9A-Z][0-9A-Z-]{0,15}", fullmatch=True),
    st.dates(dt.date(2000, 1, 1), dt.date(2099, 12, 31)),
)
def test_every_number_that_a_file_may_have_fits_into_the_facts(biller, bill, household, due):
    facts = BillFacts(biller=biller, bill=bill, household=household, due=due)
    assert codec.decode(BillFacts, codec.encode(facts)) == facts
