"""A trace can be pasted into a report: it has everything but the secrets."""

from __future__ import annotations

import pytest

from citycard.errors import CardRemoved
from citycard.pcsc.trace import TracedReader, masked
from citycard.terminal import InProcessReader


@pytest.mark.parametrize(
    "command",
    [
        "0020000003313233",
        "805E0100053132FF3334",
        "80D40100153E" + "11" * 20,
        "84D40100203E" + "11" * 31,
        "FF82000006A0A1A2A3A4A5",
        "842400000C" + "11" * 12,
    ],
)
def test_pins_and_keys_are_not_in_it(command):
    apdu = bytes.fromhex(command)

    assert masked(apdu) == f"{apdu[:5].hex(' ').upper()} [{len(apdu) - 5} bytes hidden]"


def test_every_command_and_answer_is_a_line_with_its_time(card):
    lines = []
    reader = TracedReader(InProcessReader(card), lines.append)
    reader.connect()
    reader.transmit(bytes.fromhex("00A40000023F00"))

    assert lines[0].startswith("ATR (")
    assert lines[1] == "A>> 00 A4 00 00 02 3F 00"
    assert lines[2].startswith("A<< (")
    assert lines[2].endswith("90 00")


def test_a_card_that_leaves_is_a_line_too(card):
    lines = []
    reader = TracedReader(InProcessReader(card), lines.append)
    with pytest.raises(CardRemoved):
        reader.transmit(bytes.fromhex("00A40000023F00"))

    assert lines[-1].endswith("CardRemoved")


def test_what_a_sam_deciphers_is_not_in_it():
    class Sam:
        def transmit(self, apdu):
            return bytes(range(8)) + b"\x90\x00"

    lines = []
    TracedReader(Sam(), lines.append).transmit(bytes.fromhex("80FA0000080011223344556677"))

    assert lines[-1].endswith("[8 bytes hidden] 90 00")
