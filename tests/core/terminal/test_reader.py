from __future__ import annotations

import pytest

from citycard.errors import CardRemoved
from citycard.terminal import InProcessReader


def test_a_chip_that_loses_power_is_a_removed_card(card) -> None:
    reader = InProcessReader(card)
    assert reader.connect()[0] == 0x3B
    assert reader.transmit(bytes.fromhex("00A40000023F00"))[-2:] == b"\x90\x00"
    card.power_off()
    with pytest.raises(CardRemoved, match="the card left the field during command 00A40000"):
        reader.transmit(bytes.fromhex("00A40000023F00"))
