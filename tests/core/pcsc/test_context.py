from __future__ import annotations

import pytest

from citycard.errors import ReaderMissing
from citycard.pcsc import list_readers
from citycard.pcsc.context import Seen, choose

READERS = ("ACS ACR1252 00 00", "ACS ACR1252 00 01", "HID Omnikey 5022 01 00")
CARD = Seen(present=True, atr=b"\x3b", count=1, in_use=False)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (None, READERS[2]),
        (1, READERS[1]),
        ("1", READERS[1]),
        (READERS[1], READERS[1]),
        ("omnikey", READERS[2]),
        (r"ACR\d+ 00 01$", READERS[1]),
        ("ACS", READERS[0]),
    ],
)
def test_a_reader_is_chosen_by_index_name_or_expression(wanted, found):
    assert choose(wanted, READERS, {READERS[2]: CARD}) == found


@pytest.mark.parametrize("wanted", [3, "7", "Feitian", "("])
def test_a_reader_that_is_not_there_is_told_with_those_that_are(wanted):
    with pytest.raises(ReaderMissing, match="ACS ACR1252 00 00, ACS ACR1252 00 01, HID"):
        choose(wanted, READERS, {})


def test_where_there_is_no_reader_at_all_the_error_says_none():
    with pytest.raises(ReaderMissing, match="readers: none"):
        choose(None, (), {})


def test_the_readers_of_the_service_are_listed(pcscd):
    assert list_readers() == [slot.reader for slot in pcscd.slots]
