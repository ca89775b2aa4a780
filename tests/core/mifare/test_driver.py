"""The driver over readers with and without value commands."""

from __future__ import annotations

import pytest

from citycard.errors import SectorAccessFailed, ValueBlockInvalid, ValueFallbackRefused
from citycard.mifare.access import PURSE_SECTOR, KeyKind
from citycard.mifare.card import TRANSPORT_KEY, SectorCard
from citycard.mifare.driver import ReaderCapabilities, SectorReader
from citycard.mifare.pseudo import PseudoReader, ReaderModel
from citycard.mifare.value import LARGEST
from citycard.terminal.reader import InProcessReader

A, B = b"AAAAAA", b"BBBBBB"


def keys(uid, sector, key):
    if sector != 2:
        return TRANSPORT_KEY
    return A if key is KeyKind.A else B


@pytest.fixture
def purse():
    """Return a card with a purse of 500 in block 8, and its copy in block 9."""
    card = SectorCard.blank(bytes.fromhex("01020304"))
    reader = SectorReader(InProcessReader(PseudoReader(card)), lambda *_: TRANSPORT_KEY)
    reader.connect()
    for block in (8, 9):
        reader.store(block, 500, 9, KeyKind.A)
    reader.write(11, A + PURSE_SECTOR.encode() + b"\x69" + B, KeyKind.A)
    return card


def driver(card, *, value_commands=True, known=None):
    reader = PseudoReader(card, ReaderModel(value_commands=value_commands))
    made = SectorReader(InProcessReader(reader), keys, ReaderCapabilities(value_commands=known))
    made.connect()
    return made


def test_key_a_takes_away_by_the_chips_own_command(purse):
    reader = driver(purse)
    reader.decrement(8, 120)
    reader.copy(8, 9)
    assert [reader.read_value(block) for block in (8, 9)] == [380, 380]
    assert reader.capabilities.value_commands is True


def test_key_a_cannot_add(purse):
    with pytest.raises(SectorAccessFailed, match="changing the value of block 8 was refused with 6300"):
        driver(purse).increment(8, 1, KeyKind.A)


@pytest.mark.parametrize("known", [None, False])
def test_without_value_commands_key_b_writes_the_block_whole(purse, known):
    reader = driver(purse, value_commands=False, known=known)
    reader.decrement(8, 120, KeyKind.B)
    reader.increment(8, 20, KeyKind.B)
    reader.copy(8, 9, KeyKind.B)
    assert [reader.read_value(block) for block in (8, 9)] == [400, 400]
    assert purse.memory.block(8)[12:] == bytes.fromhex("09F609F6")
    assert reader.capabilities.value_commands is False


def test_without_value_commands_key_a_is_not_used_as_if_it_could_write(purse):
    before = purse.image()
    with pytest.raises(ValueFallbackRefused, match="key A may not write it"):
        driver(purse, value_commands=False).decrement(8, 1, KeyKind.A)
    assert purse.image() == before


def test_the_fallback_checks_the_format_and_the_size(purse):
    reader = driver(purse, value_commands=False)
    reader.write(8, bytes(15) + b"\1")
    with pytest.raises(ValueBlockInvalid):
        reader.decrement(8, 1, KeyKind.B)
    reader.store(8, LARGEST, 8)
    with pytest.raises(ValueFallbackRefused, match="32 bits"):
        reader.increment(8, 1, KeyKind.B)


def test_the_fallback_needs_a_key_b_even_where_key_a_may_write(purse):
    reader = driver(purse, value_commands=False)
    reader.store(12, 1, 12, KeyKind.A)
    with pytest.raises(ValueFallbackRefused, match="key B has to be used"):
        reader.decrement(12, 1, KeyKind.A)


def test_a_wrong_key_is_tried_once_and_reported(purse):
    sent = []

    class Listening(InProcessReader):
        def transmit(self, apdu):
            sent.append(apdu[1])
            return super().transmit(apdu)

    reader = SectorReader(Listening(PseudoReader(purse)), lambda *_: b"wrong!")
    reader.connect()
    with pytest.raises(SectorAccessFailed, match="authentication of block 8"):
        reader.read(8)
    assert sent == [0xCA, 0x82, 0x86]


def test_the_older_authentication_works_as_well(purse):
    reader = SectorReader(
        InProcessReader(PseudoReader(purse)), keys, ReaderCapabilities(obsolete_authenticate=True, slot=1)
    )
    assert reader.connect().hex() == "01020304"
    assert reader.read_value(8) == 500
