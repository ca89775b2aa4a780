from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from citycard.clearing.bucket import cut
from citycard.clearing.columns import SLICES


@given(st.integers(0, 10**9), st.integers(1, 10**6))
def test_a_bucket_is_cut_into_slices_that_are_there_once_and_no_larger_than_they_must_be(records, most):
    pieces = cut(records, most)
    assert [one for piece in pieces for one in piece] == list(range(SLICES))
    assert len({len(piece) for piece in pieces}) == 1
    assert records <= most * len(pieces) or len(pieces) == SLICES
    assert len(pieces) == 1 or records > most * len(pieces) // 2
