"""A terminal's reader on the real PC/SC service, with a software card in its slot."""

from __future__ import annotations

import re
import threading
import time

import pytest

from citycard.chip import PROFILES, Chip, personalise
from citycard.chip.personalise import chip_profile, prepare
from citycard.errors import (
    CardRemoved,
    NoCardInReader,
    PcscServiceMissing,
    PersonalisationFailed,
    ReaderBusy,
    ReaderFailed,
    ReaderMissing,
)
from citycard.pcsc import PcscReader

SELECT = bytes.fromhex("00A40000023F00")
CHALLENGE = bytes.fromhex("0084000008")


@pytest.fixture
def reader(pcscd):
    with PcscReader(pcscd.slots[0].reader) as one:
        yield one


def test_a_card_behind_the_service_answers_as_the_card_itself(reader, offered, card):
    offered(card)

    assert reader.wait_for_card(10) == card.atr
    assert reader.connect() == card.atr
    again = card.clone()
    again.power_on()
    assert reader.transmit(SELECT) == again.transmit(SELECT)


def test_every_connection_starts_from_nothing(reader, offered, card):
    offered(card)
    reader.wait_for_card(10)
    reader.connect()
    reader.transmit(bytes.fromhex("00A4040008A000000632010105"))
    assert reader.transmit(bytes.fromhex("805C000204")) == bytes.fromhex("000000009000")
    reader.connect()

    assert reader.transmit(bytes.fromhex("805C000204")) != bytes.fromhex("000000009000")


def test_an_empty_reader_is_told_at_once_and_waited_for_as_long_as_asked(reader):
    with pytest.raises(CardRemoved, match="power up"):
        reader.connect()
    begun = time.monotonic()
    with pytest.raises(NoCardInReader, match=r"no card within 0\.3 seconds"):
        reader.wait_for_card(0.3)
    assert time.monotonic() - begun < 3


def test_a_wait_of_no_time_looks_once(reader, offered, card):
    with pytest.raises(NoCardInReader, match=rf"^{re.escape(reader.wanted)}: no card within 0 seconds"):
        reader.wait_for_card(0)
    offered(card)
    reader.wait_for_card(10)

    assert reader.wait_for_card(0) == card.atr


def test_a_service_that_never_answered_is_told_at_once_and_a_restart_is_waited_for(offered, card, pcscd):
    with PcscReader(pcscd.slots[0].reader) as reader:
        pcscd.stop(kill=True)
        begun = time.monotonic()
        try:
            for seconds in (0, 10):
                with pytest.raises(PcscServiceMissing):
                    reader.wait_for_card(seconds)
            assert time.monotonic() - begun < 5
        finally:
            pcscd.start()
        offered(card)
        reader.wait_for_card(10)
        pcscd.stop(kill=True)
        later = threading.Timer(0.5, pcscd.start)
        later.start()
        assert reader.wait_for_card(10) == card.atr
        later.join()


def test_a_card_that_comes_later_ends_the_wait(reader, offered, card):
    later = threading.Timer(0.3, lambda: offered(card))
    later.start()

    assert reader.wait_for_card(10) == card.atr
    later.join()


def test_a_card_that_leaves_is_told_and_can_come_back(reader, offered, card):
    slot = offered(card)
    reader.wait_for_card(10)
    reader.connect()
    slot.remove()
    with pytest.raises(CardRemoved):
        reader.transmit(CHALLENGE)
    slot.insert()
    reader.wait_for_card(10)
    reader.connect()

    assert reader.transmit(CHALLENGE)[-2:] == b"\x90\x00"


def test_a_card_is_ours_alone_unless_it_is_shared(reader, offered, card, pcscd):
    offered(card)
    reader.wait_for_card(10)
    reader.connect()
    with PcscReader(pcscd.slots[0].reader) as other, pytest.raises(ReaderBusy, match="another program"):
        other.connect()
    reader.close()
    with (
        PcscReader(pcscd.slots[0].reader, shared=True) as one,
        PcscReader(pcscd.slots[0].reader, shared=True) as other,
    ):
        one.connect()
        other.connect()
        assert other.transmit(CHALLENGE)[-2:] == b"\x90\x00"


def test_both_protocols_can_be_named(pcscd, offered, card):
    offered(card)
    for protocol in ("T0", "T1"):
        with PcscReader(pcscd.slots[0].reader, protocol=protocol) as one:
            one.wait_for_card(10)
            one.connect()
            assert one.transmit(SELECT)[-2:] == b"\x90\x00"


def test_a_card_that_says_nothing_in_time_fails_the_reader_and_not_the_program(pcscd, offered, card):
    class Stuck(Chip):
        __slots__ = ()

        def transmit(self, apdu):
            time.sleep(2.0)
            return super().transmit(apdu)

    stuck = Stuck.from_image(card.image(), card.profile)
    offered(stuck)
    with PcscReader(pcscd.slots[0].reader, timeout=0.4) as one:
        one.wait_for_card(10)
        one.connect()
        begun = time.monotonic()
        with pytest.raises(ReaderFailed, match="no answer in the time"):
            one.transmit(CHALLENGE)
        assert time.monotonic() - begun < 1.8
        with pytest.raises(CardRemoved):
            one.transmit(CHALLENGE)


class InReader:
    """A card in a reader, as the issuing script wants it."""

    def __init__(self, reader, profile):
        self.reader, self.profile = reader, profile
        self.power_on, self.power_off = reader.connect, reader.disconnect
        self.transmit = reader.transmit


def test_a_blank_chip_in_transport_state_becomes_a_card_through_the_reader(reader, offered, issue):
    blank = Chip.blank(chip_profile(base=PROFILES["fmcos"]), transport=True)
    offered(blank)
    reader.wait_for_card(10)
    through = InReader(reader, blank.profile)
    prepare(through, issue.version)
    personalise(through, **issue.data)
    reader.connect()
    reader.transmit(bytes.fromhex("00A4040008A000000632010105"))

    assert reader.transmit(bytes.fromhex("00B095001E"))[10:20].hex() == issue.data["asn"]
    # The transport keys are gone: the same again is refused.
    with pytest.raises(PersonalisationFailed):
        personalise(through, **issue.data)


def test_the_service_may_die_in_the_middle_of_a_transaction(reader, offered, card, pcscd):
    offered(card)
    reader.wait_for_card(10)
    reader.connect()
    reader.transmit(SELECT)
    pcscd.stop(kill=True)
    with pytest.raises(ReaderFailed, match="service went away"):
        reader.transmit(CHALLENGE)
    with pytest.raises(PcscServiceMissing):
        reader.connect()
    pcscd.start()

    assert reader.wait_for_card(10) == card.atr
    reader.connect()
    assert reader.transmit(CHALLENGE)[-2:] == b"\x90\x00"


def test_a_reader_that_is_not_there_is_told_with_those_that_are(pcscd):
    with PcscReader("Feitian") as reader, pytest.raises(ReaderMissing, match=pcscd.slots[0].reader):
        reader.connect()
