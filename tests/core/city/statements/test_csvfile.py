"""The CSV of a statement is RFC 4180, exact to the fen, and harmless in a spreadsheet."""

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citycard.city.statements.csvfile import COLUMNS, csv_lines, guarded


def rows(statement, **options):
    text = "".join(csv_lines(statement, **options))
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True))


def test_it_begins_with_the_names_of_its_columns_and_is_framed_by_balances(made):
    first, opening, line, closing = rows(made([-380], opening_fen=5000))
    assert tuple(first) == COLUMNS
    assert (opening[4], opening[-3:-1]) == ("Opening balance", ["50.00", "5000"])
    assert dict(zip(COLUMNS, line, strict=True)) == {
        "account": "card/1/purse",
        "booked_at": "2018-09-01 06:00:00",
        "at": "2018-09-01 06:00:00",
        "code": "20",
        "what": "Purchase",
        "what_zh": "消费",
        "who": "Metro",
        "where": "罗湖",
        "why": "exit",
        "why_zh": "出站",
        "amount": "-3.80",
        "amount_fen": "-380",
        "balance": "46.20",
        "balance_fen": "4620",
        "reference": "r0",
    }
    assert (closing[5], closing[-3:-1]) == ("期末余额", ["46.20", "4620"])


def test_rows_end_with_cr_lf_and_the_byte_order_mark_comes_when_asked_for(made):
    plain = list(csv_lines(made([1])))
    assert all(line.endswith("\r\n") for line in plain)
    assert "".join(csv_lines(made([1]), bom=True)) == "\ufeff" + "".join(plain)


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠x"]
)
def test_a_text_that_would_be_a_formula_gets_an_apostrophe(made, text):
    line = rows(made([1], who=text))[2]
    assert line[COLUMNS.index("who")] == f"'{text}"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(who=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20))
def test_any_name_comes_back_as_it_was(made, who):
    assert rows(made([1, 2], who=who))[3][COLUMNS.index("who")] == guarded(who)
