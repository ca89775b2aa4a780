"""The biller's file: the same bytes again, and any byte that is changed on its way is found."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citycard_utilities.dayfile import read_dayfile, write_dayfile
from citycard_utilities.errors import BillFileInvalid
from citycard_utilities.settlement import Item, Settlement

AT = dt.datetime(2026, 3, 2, 9, 0)


def settlement(*items, opening=0, fee=0, paid=0):
    total = sum(item.amount_fen for item in items)
    return Settlement(
        biller="water-works",
        run=7,
        day=dt.date(2026, 3, 2),
        opening_fen=opening,
        items=items,
        fee_fen=fee,
        paid_fen=paid,
        closing_fen=opening + total - fee - paid,
        end_to_end="E2E-7",
        account_no="6200",
        differences=(),
    )


def item(what, fen, name="r"):
    return Item(what=what, reference=name, bill="W1", household="H,1", at=AT, amount_fen=fen, applied_fen=fen)


TOLD = settlement(item("card", 1020), item("account", 2000), item("back", -500), opening=7, fee=8, paid=2500)


@given(
    st.lists(
        st.tuples(st.sampled_from(["card", "account", "mandate", "prepaid", "back", "other"]),
                  st.integers(-(10**9), 10**9)),
        max_size=8,
    ),
    st.integers(-(10**9), 10**9), st.integers(0, 10**6), st.integers(0, 10**9),
)  # fmt: skip
def test_a_file_is_read_as_it_was_written(items, opening, fee, paid):
    told = settlement(
        *(item(what, fen, f"r{n}") for n, (what, fen) in enumerate(items)),
        opening=opening,
        fee=fee,
        paid=paid,
    )
    data = write_dayfile(told)
    read = read_dayfile(data, file="w.csv")

    assert data == write_dayfile(told)
    assert (read.items, read.run, read.opening_fen) == (told.items, 7, opening)
    assert (read.fee_fen, read.paid_fen, read.closing_fen) == (fee, paid, told.closing_fen)


@settings(max_examples=300)
@given(st.integers(0, 10**6), st.integers(1, 255))
def test_every_byte_that_is_changed_is_found(place, by):
    data = bytearray(write_dayfile(TOLD))
    changed = bytearray(data)
    changed[place % len(data)] ^= by
    try:
        read = read_dayfile(bytes(changed), file="w.csv")
    except BillFileInvalid:
        return
    # Only what no reader reads can differ: how the last line ends.
    assert attrs.evolve(read, sha256="") == attrs.evolve(read_dayfile(bytes(data), file="w"), sha256="")
    assert place % len(data) == len(data) - 1


@pytest.mark.parametrize("cut", [1, 20, 80, 200, 400])
def test_a_file_that_was_cut_off_is_found(cut):
    with pytest.raises(BillFileInvalid):
        read_dayfile(write_dayfile(TOLD)[:-cut], file="w.csv") if cut > 1 else read_dayfile(b"", file="w")


def test_totals_that_do_not_follow_from_the_lines_are_found():
    for wrong, word in (
        (attrs.evolve(TOLD, closing_fen=1), "closing balance"),
        (attrs.evolve(TOLD, items=(*TOLD.items, attrs.evolve(TOLD.items[0], what="gift"))), "closing"),
    ):
        with pytest.raises(BillFileInvalid, match=word):
            read_dayfile(write_dayfile(wrong), file="w.csv")
