"""A sector card in a reader, as the tests want it."""

from __future__ import annotations

import pytest

from citycard.mifare.card import SectorCard
from citycard.mifare.pseudo import PseudoReader


@pytest.fixture
def blank():
    """Return a 1K card as its maker delivers it."""
    return SectorCard.blank(bytes.fromhex("01020304"))


@pytest.fixture
def say(blank):
    """Return a function that sends a pseudo-APDU in hexadecimal and gives the answer in hexadecimal."""
    reader = PseudoReader(blank)
    reader.power_on()

    def send(apdu):
        return reader.transmit(bytes.fromhex(apdu)).hex().upper()

    return send
