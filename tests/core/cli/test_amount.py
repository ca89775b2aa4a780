"""Amounts as people type them."""

import click
import pytest

from citycard.cli.amount import amount_of
from citycard.errors import AmountInvalid


@pytest.mark.parametrize(("text", "fen"), [("12.34", 1234), ("5", 500), ("0.5", 50), ("0", 0)])
def test_yuan_are_read_into_fen(text, fen):
    assert amount_of(text) == fen


def test_below_zero_is_a_wrong_call():
    with pytest.raises(click.UsageError, match="-5 is below zero: an amount is yuan without a sign"):
        amount_of("-5")


@pytest.mark.parametrize("text", ["five", "1.234", "1,5", ""])
def test_what_is_no_amount_says_what_is_expected(text):
    with pytest.raises(AmountInvalid, match=r"expected yuan with at most two decimals, such as 12\.34"):
        amount_of(text)
