"""What a reader remembers."""

from __future__ import annotations

from citycard.mifare.trades import OpenTrades


def test_a_card_is_remembered_until_its_end_is_known():
    known = OpenTrades()
    known.remember("4100", 380)
    assert (known.find("4100"), known.find("4101"), len(known)) == (380, None, 1)
    known.forget("4100")
    known.forget("4100")
    assert known.find("4100") is None
