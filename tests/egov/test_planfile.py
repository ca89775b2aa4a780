"""Plans as files: what can be read is read, and nothing else brings the reader down."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard_egov.errors import EgovFileInvalid
from citycard_egov.planfile import read_plan

CARD = "01019901000000000001"


def test_lines_name_a_person_or_a_card_and_an_amount(number: Callable[..., str]) -> None:
    text = f"amount,note,id_number,card\n8.50,x,{number(1)},\n7,,,{CARD}\n"
    first, second = read_plan(text, file="plan.csv")
    assert (first.line, first.id_number, first.amount_fen, first.bad) == (2, number(1), 850, "")
    assert (second.line, second.card, second.amount_fen) == (3, CARD, 700)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (f"5,{CARD[:-1]}", "expected 20 digits"),
        (f"0,{CARD}", "expected 0.01 to 100000 yuan"),
        (f"100000.01,{CARD}", "expected 0.01 to 100000 yuan"),
        (f"-1,{CARD}", ""),
        (f"1.005,{CARD}", ""),
        (f"lots,{CARD}", ""),
        ("5,", "expected an id_number or a card"),
        ("5", "expected an id_number or a card"),
    ],
)
def test_a_bad_line_is_told_and_the_others_are_read(line: str, reason: str) -> None:
    bad, good = read_plan(f"amount,card\n{line}\n5,{CARD}\n", file="plan.csv")
    assert bad.bad
    assert reason in bad.bad
    assert good.amount_fen == 500


@pytest.mark.parametrize("text", ["", "card\n", "amount\n", "amount,card\n", "amount,card\n\n\n"])
def test_a_file_without_payments_is_refused(text: str) -> None:
    with pytest.raises(EgovFileInvalid, match=r"plan\.csv"):
        read_plan(text, file="plan.csv")


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused_by_name(text: str) -> None:
    try:
        lines = read_plan(f"amount,card,id_number\n{text}", file="plan.csv")
    except EgovFileInvalid:
        return
    assert all(bool(one.bad) != (one.amount_fen > 0) for one in lines)
