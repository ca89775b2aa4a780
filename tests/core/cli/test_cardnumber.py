"""A card's number as it is typed."""

from __future__ import annotations

import pytest

from citycard.cli.cardnumber import card_number
from citycard.errors import RegistryInvalid

ASN = "01019901000000000017"


@pytest.mark.parametrize("typed", [ASN, ASN[1:], " 0101 9901 0000 0000 0017 ", "101 9901 0000 0000 0017"])
def test_the_number_is_taken_as_read_and_as_printed(typed):
    assert card_number(typed) == ASN


@pytest.mark.parametrize("typed", ["", "12", ASN[2:], ASN + "0", "0101990100000000001A", "０" * 20])
def test_any_other_number_says_what_is_expected(typed):
    with pytest.raises(RegistryInvalid, match="expected 20 digits"):
        card_number(typed)
