"""What a page's form sends is read field by field, and what is wrong names its field."""

from __future__ import annotations

import pytest

from citycard.errors import QueryInvalid
from citycard.web import whole_in


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("007", 7), ("999999999", 999_999_999)])
def test_a_whole_number_is_read_from_a_field(text, number):
    assert whole_in({"people": text}, "people") == number


@pytest.mark.parametrize("text", ["", "-1", "1.5", "1e3", " 1", "1\n", "１", "²", "many", "1000000000"])
def test_what_is_no_whole_number_is_told_with_its_field(text):
    with pytest.raises(QueryInvalid) as told:
        whole_in({"people": text}, "people", "how many come")
    assert str(told.value) == f"people {text!r} is not valid: expected how many come"


def test_a_field_that_is_missing_is_told():
    with pytest.raises(QueryInvalid, match="people '' is not valid: expected a whole number"):
        whole_in({}, "people")
