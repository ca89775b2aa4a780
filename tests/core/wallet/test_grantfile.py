import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.errors import GrantFileInvalid
from citycard.wallet.grantfile import read_grants

CARD, OTHER = "0" * 19 + "1", "0" * 19 + "2"


def read(text):
    good, bad = read_grants(text, file="grants.csv")
    return [(one.line, one.number, one.amount_fen) for one in good], {one.line: one.reason for one in bad}


def test_columns_are_found_by_name_in_any_order():
    text = f"\ufeffName, Amount ,card\nLi,12.50,{CARD}\n\nWang,3,{OTHER[:10]} {OTHER[10:]}\n"
    assert read(text) == ([(2, CARD, 1250), (4, OTHER, 300)], {})


def test_bad_lines_are_told_and_the_rest_is_kept():
    lines = [f"{CARD},5", "123,5", f"{OTHER},five", f"{OTHER},-1", f"{OTHER},0", f"{CARD},9", f"{OTHER},1.00"]
    good, bad = read("card,amount\n" + "\n".join(lines))
    assert [line for line, _, _ in good] == [2, 8]
    assert sorted(bad) == [3, 4, 5, 6, 7]
    assert bad[7] == f"{CARD} stands in line 2 already"


@pytest.mark.parametrize("head", ["", "card,sum", "amount", "a;b"])
def test_a_file_without_the_columns_is_refused_as_a_whole(head):
    with pytest.raises(GrantFileInvalid, match="names no column"):
        read_grants(head + "\n1,2\n", file="grants.csv")


@given(st.text(max_size=200))
def test_whatever_stands_in_a_file_each_line_is_granted_or_told(text):
    good, bad = read_grants("card,amount\n" + text, file="grants.csv")
    assert not {one.line for one in good} & {one.line for one in bad}
