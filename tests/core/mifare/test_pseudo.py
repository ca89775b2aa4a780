"""Pseudo-APDUs, literal bytes, as PC/SC part 3 and the manuals of ACS write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.errors import PowerLoss
from citycard.mifare.card import SectorCard
from citycard.mifare.geometry import CardType
from citycard.mifare.pseudo import PseudoReader, ReaderModel

LOAD_KEY = "FF82000006FFFFFFFFFFFF"
OPEN_4 = "FF860000050100046000"


@pytest.fixture
def ready(say):
    assert say(LOAD_KEY) == "9000"
    assert say(OPEN_4) == "9000"
    return say


def test_the_uid_and_what_other_lengths_get(say):
    assert say("FFCA000000") == "010203049000"
    assert say("FFCA000004") == "010203049000"
    assert say("FFCA000007") == "010203046282"
    assert say("FFCA000002") == "6C04"
    assert say("FFCA010000") == "6A81"


def test_both_forms_of_authentication_open_a_sector(say):
    assert say("FFB0000410") == "6300"
    assert say(LOAD_KEY) == "9000"
    assert say("FF8800046000") == "9000"
    assert say("FFB0000410") == "00" * 16 + "9000"
    assert say("FF860000050100086100") == "9000"
    assert say("FFB0000410") == "6300"


def test_a_wrong_key_an_empty_slot_and_a_slot_that_is_not_there_fail(say):
    assert say("FF860000050100046001") == "6300"
    assert say("FF82000106000000000000") == "9000"
    assert say("FF860000050100046001") == "6300"
    assert say("FF82000206000000000000") == "6300"
    assert say("FF82200006FFFFFFFFFFFF") == "6300"


def test_blocks_are_written_and_read(ready):
    assert ready("FFD6000410" + "0F" * 16) == "9000"
    assert ready("FFB0000410") == "0F" * 16 + "9000"
    assert ready("FFB0000400") == "0F" * 16 + "9000"
    assert ready("FFB0000704"[:8] + "10") == "000000000000FF078069FFFFFFFFFFFF9000"


def test_values_are_stored_changed_read_and_restored(ready):
    assert ready("FFD70005050000000064") == "9000"
    assert ready("FFB0000510") == "640000009BFFFFFF6400000005FA05FA9000"
    assert ready("FFD7000505010000000A") == "9000"
    assert ready("FFD70005050200000001") == "9000"
    assert ready("FFB1000504") == "0000006D9000"
    assert ready("FFD70005020306") == "9000"
    assert ready("FFB1000604") == "0000006D9000"
    assert ready("FFD70005020308") == "6300"


def test_a_block_without_a_value_has_none(ready):
    assert ready("FFB1000404") == "6300"
    assert ready(OPEN_4) == "9000"
    assert ready("FFD70004050100000001") == "6300"


@pytest.mark.parametrize(
    ("apdu", "status"),
    [
        ("", "6700"),
        ("FFB000", "6700"),
        ("FFB00004", "6700"),
        ("FFB0000404", "6C10"),
        ("FFB0000420", "6C10"),
        ("FFD60004100000", "6700"),
        ("FFD600040400000000", "6700"),
        ("FFD7000404FFFFFFFF", "6700"),
        ("FFD7000405FFFFFFFFFF", "6300"),
        ("FFD7250405000000002A", "6300"),
        ("FFD72504020304", "6300"),
        ("FF860000050200046000", "6A86"),
        ("FF860000050100046200", "6A86"),
        ("FF86000004010004600000", "6700"),
        ("FF8200000500000000", "6700"),
        ("FF88000460", "6700"),
        ("FFCA0000", "6700"),
        ("FFCA020000", "6A86"),
        ("FFEE000000", "6D00"),
        ("00B0000410", "6E00"),
        ("FFD6000010" + "00" * 16, "6300"),
        ("FFB0014010", "6300"),
    ],
)
def test_what_is_malformed_or_refused_gets_a_status_and_changes_nothing(ready, blank, apdu, status):
    before = blank.image()
    assert ready(apdu) == status
    assert blank.image() == before


def test_a_reader_without_value_commands_says_so(blank):
    reader = PseudoReader(blank, ReaderModel(name="plain", value_commands=False))
    reader.power_on()
    assert reader.transmit(bytes.fromhex("FFD70005050000000064")) == b"\x6a\x81"
    assert reader.transmit(bytes.fromhex("FFB1000504")) == b"\x6a\x81"


def test_a_newer_reader_reads_a_sector_at_once_and_keeps_keys(blank):
    reader = PseudoReader(blank, ReaderModel(long_reads=True, stored_slots=2))
    reader.power_on()
    assert reader.transmit(bytes.fromhex("FF82200106FFFFFFFFFFFF")) == b"\x90\x00"
    assert reader.transmit(bytes.fromhex("FF860000050100046001")) == b"\x90\x00"
    assert reader.transmit(bytes.fromhex("FFB0000430")) == bytes(48) + b"\x90\x00"
    assert reader.transmit(bytes.fromhex("FFB0000430")[:-1] + b"\x50") == b"\x63\x00"


def test_the_high_byte_reaches_the_blocks_of_a_large_card():
    card = SectorCard.blank(b"\1\2\3\4", CardType.CLASSIC_4K)
    reader = PseudoReader(card)
    reader.power_on()
    for apdu in (LOAD_KEY, "FF860000050100FE6000", "FFD600FE10" + "AB" * 16):
        assert reader.transmit(bytes.fromhex(apdu)) == b"\x90\x00"
    assert card.memory.block(254) == b"\xab" * 16


def test_the_card_answers_its_atr_without_power_and_nothing_else(blank):
    reader = PseudoReader(blank)
    assert reader.atr == reader.power_on() == reader.reset()
    reader.power_off()
    with pytest.raises(PowerLoss):
        reader.transmit(bytes.fromhex("FFCA000000"))


@given(st.binary(max_size=24) | st.binary(max_size=20).map(lambda rest: b"\xff" + rest))
def test_any_bytes_get_an_answer(apdu):
    reader = PseudoReader(SectorCard.blank(b"\1\2\3\4"))
    reader.power_on()
    reader.transmit(bytes.fromhex(LOAD_KEY))
    reader.transmit(bytes.fromhex(OPEN_4))
    assert len(reader.transmit(apdu)) >= 2
