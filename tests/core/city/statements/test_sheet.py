"""Words are cut so that they fit: Latin at spaces, Chinese between any two letters, monsters anywhere."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.city.statements.sheet import Sheet


@pytest.fixture(scope="module")
def paper():
    return Sheet(io.BytesIO(), title="t", author="a", foot="f")


def test_latin_is_cut_at_spaces(paper):
    assert paper.wrapped("clearing run one", 10, paper.width("clearing run", 10)) == ["clearing run", "one"]


def test_chinese_is_cut_anywhere(paper):
    assert paper.wrapped("深圳地铁集团", 10, paper.width("深圳地铁", 10)) == ["深圳地铁", "集团"]


@given(words=st.text("ab 深圳→é-.", max_size=60), width=st.integers(30, 200))
def test_no_line_is_too_wide_and_no_letter_is_lost(paper, words, width):
    lines = paper.wrapped(words, 10, width)
    assert all(paper.width(line, 10) <= width + 0.001 for line in lines)
    assert "".join(lines).replace(" ", "") == words.replace(" ", "")
