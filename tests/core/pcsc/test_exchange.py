"""T=0 in one place, tried on the software SAM that answers as T=0 cards do."""

from __future__ import annotations

import attrs
import pytest

from citycard.pcsc.exchange import exchange_t0, prefers_t1
from citycard.psam import TRANSIT_PSAM, Psam

SELECT_ROOT = bytes.fromhex("00A40000023F0000")


def test_what_a_t0_card_keeps_back_is_fetched():
    sam = Psam.blank(attrs.evolve(TRANSIT_PSAM, t0=True))
    sam.power_on()
    sent = []

    def send(apdu):
        sent.append(apdu)
        return sam.transmit(apdu)

    answer = exchange_t0(send, SELECT_ROOT)

    assert answer[:1] == b"\x6f"
    assert answer[-2:] == b"\x90\x00"
    assert [apdu[:2].hex() for apdu in sent] == ["00a4", "00c0"]
    assert sent[0] == SELECT_ROOT[:-1]  # T=0 has no room for Le beside data


def test_a_command_that_authenticates_is_sent_once_whatever_the_card_answers():
    sent = []

    def card(apdu):
        sent.append(apdu)
        return b"\x6c\x08"

    assert exchange_t0(card, bytes.fromhex("0020000003123456")) == b"\x6c\x08"
    assert len(sent) == 1


@pytest.mark.parametrize(
    ("atr", "t1"),
    [
        ("3B88800143495459434152441A", True),  # put together by a contactless reader
        ("3B0643435053414D", False),  # no TD byte: T=0
        ("3B9011000000", False),  # TA1 and TD1, which names T=0
        ("3B8101FF", True),  # TD1 names T=1 alone
        ("3B80", False),  # cut off
        ("", False),
    ],
)
def test_the_answer_to_reset_says_which_protocol(atr, t1):
    assert prefers_t1(bytes.fromhex(atr)) is t1
