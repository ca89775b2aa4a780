"""A biller's file: what is taken, what is bad, and what is no file at all."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard import yuan
from citycard_utilities.billfile import BillLine, masked_name, read_bills
from citycard_utilities.errors import BillFileInvalid

HEAD = "bill,household,amount,due,action,name,period"
GOOD = "W1,H1,20.00,2026-03-20,,王小明,2026-02"


def file(*lines, head=HEAD, end=None):
    return "\n".join([head, *lines, *([] if end is None else [end])]).encode()


def read(*lines, head=HEAD, end=None):
    return read_bills(file(*lines, head=head, end=end), file="w.csv")


def test_a_line_is_read_with_the_holders_name_masked():
    found = read(GOOD, end="end,1,20.00")

    assert found.lines == (BillLine(2, "W1", "H1", 2000, dt.date(2026, 3, 20), False, "王**", "2026-02"),)
    assert (found.bad, found.declared) == ((), 1)


def test_columns_may_stand_in_any_order_after_a_byte_order_mark_with_others_between():
    text = "\ufeffdue, note ,AMOUNT,household,bill\r\n2026-03-20,x,0.01,H1,W1\r\n\r\nend,1,0.01\r\n"

    (line,) = read_bills(text.encode(), file="w.csv").lines
    assert (line.number, line.household, line.minor, line.holder) == ("W1", "H1", 1, "")


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("w1,H1,20.00,2026-03-20,,,", "bill"),
        (",H1,20.00,2026-03-20,,,", "bill"),
        ("W" * 21 + ",H1,20.00,2026-03-20,,,", "bill"),
        ("W1,,20.00,2026-03-20,,,", "household"),
        ("W1,户1,20.00,2026-03-20,,,", "household"),
        ("W1,H1,,2026-03-20,,,", "amount"),
        ("W1,H1,0.00,2026-03-20,,,", "amount"),
        ("W1,H1,-1.00,2026-03-20,,,", "amount"),
        ("W1,H1,1.005,2026-03-20,,,", "amount"),
        ("W1,H1,1e3,2026-03-20,,,", "amount"),
        ("W1,H1,100000000.01,2026-03-20,,,", "amount"),
        ("W1,H1,1.00,2026-02-30,,,", "due"),
        ("W1,H1,1.00,20260320,,,", "due"),
        ("W1,H1,1.00,2026-03-20,delete,,", "action"),
        ("W1,H1,1.00,2026-03-20,,," + "p" * 21, "period"),
        ("W1", "household"),
    ],
)
def test_a_bad_line_is_told_with_its_field_and_the_rest_is_kept(line, field):
    fields = line.split(",")
    try:
        fen = round(float(fields[2]) * 100) if "e" not in fields[2] and len(fields[2]) < 13 else None
    except (ValueError, IndexError):
        fen = None
    readable = fen is not None and fields[2] != "1.005"
    end = f"end,2,{yuan(2000 + fen)}" if readable else "end,2,99.99"
    found = read(line, GOOD.replace("W1", "W2"), end=end)

    assert [(bad.line, bad.field) for bad in found.bad] == [(2, field)]
    assert [one.number for one in found.lines] == ["W2"]


def test_a_bill_that_stands_there_twice_counts_once():
    found = read(GOOD, GOOD.replace("20.00", "30.00"), end="end,2,50.00")

    assert [one.minor for one in found.lines] == [2000]
    assert [(bad.line, bad.text) for bad in found.bad] == [(3, "W1")]


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (file(GOOD), "trailer"),
        (file(end="end,0,0.00", head="bill,household,amount"), "due"),
        (file(end="end,0,0.00", head="bill,bill,household,amount,due"), "two columns"),
        (file(GOOD, end="end,2,20.00"), "counts 2"),
        (file(GOOD, end="end,1,20.01"), "20.01"),
        (file(GOOD, end="end,one,20.00"), "trailer"),
        (file(GOOD, end="end,1"), "trailer"),
        (file(GOOD, end="end,1,20.00,x"), "trailer"),
        (file('W1,"H1,20', end="end,1,20.00"), "no CSV"),
        (GOOD.encode("gb18030"), "UTF-8"),
        (b"\x00\x01\xff", "UTF-8"),
    ],
)
def test_what_is_cut_off_or_no_file_is_refused_as_a_whole(data, word):
    with pytest.raises(BillFileInvalid, match=word):
        read_bills(data, file="w.csv")


@given(st.binary(max_size=300))
def test_bytes_that_mean_nothing_are_refused_by_name(data):
    # Made-up bytes have no trailer that counts and sums what stands before it.
    with pytest.raises(BillFileInvalid) as refused:
        read_bills(HEAD.encode() + b"\n" + data, file="w.csv")
    assert refused.value.data["line"] >= 1


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=50), st.integers(0, 10))
def test_every_file_with_a_right_trailer_is_read_and_cut_anywhere_is_refused(amounts, cut):
    lines = [f"W{place},H1,{yuan(fen)},2026-03-20,,," for place, fen in enumerate(amounts)]
    data = file(*lines, end=f"end,{len(lines)},{yuan(sum(amounts))}\n")

    assert [one.minor for one in read_bills(data, file="w").lines] == amounts
    with pytest.raises(BillFileInvalid):
        read_bills(data[: -(len(data) * (cut + 1) // 12) - 2], file="w")


def test_a_name_shows_its_first_letter_alone():
    assert [masked_name(name) for name in ("", "王", "王小明", " Anna ")] == ["", "王", "王**", "A***"]
