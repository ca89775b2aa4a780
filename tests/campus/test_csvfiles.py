import datetime as dt

import pytest

from citycard_campus.csvfiles import day, rows
from citycard_campus.errors import FileNotRoll


def read(text, *needed):
    return list(rows(text, needed, file="f.csv"))


def test_columns_are_found_by_name_in_any_order_and_form():
    assert read("\ufeff B , a,c\n 2 ,1,3\n\n4,5,6\n", "a", "b") == [
        (2, {"a": "1", "b": "2"}),
        (4, {"a": "5", "b": "4"}),
    ]


def test_a_missing_value_is_empty_and_a_missing_column_named():
    assert read("a,b\n1\n", "a", "b") == [(2, {"a": "1", "b": ""})]
    with pytest.raises(FileNotRoll, match=r"f\.csv cannot be read: its first line names no column b and"):
        read("a\n1\n", "a", "b", "c")


def test_a_file_without_end_is_refused():
    with pytest.raises(FileNotRoll, match="split it"):
        read("a\n" + "x" * (16 * 1024 * 1024), "a")


def test_days_have_one_form():
    assert day("2027-07-15", "until") == dt.date(2027, 7, 15)
    for text in ("15.7.2027", "2027-02-30", "", "tomorrow"):
        with pytest.raises(ValueError, match="until is"):
            day(text, "until")
