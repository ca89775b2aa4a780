"""Software cards behind the real pcscd, driven by programs that know nothing of citycard."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
import time

import attrs
import pytest

from citycard.chip import PROFILES, Chip
from citycard.errors import CardRemoved, CardServed, SlotOccupied, SlotUnreachable
from citycard.mifare.card import SectorCard
from citycard.mifare.pseudo import PseudoReader
from citycard.pcsc import PcscReader, VpcdSlot
from citycard.psam import TRANSIT_PSAM, Psam

SELECT_PURSE = bytes.fromhex("00A4040008A00000063201010500")
WRONG_PIN = bytes.fromhex("0020000006303030303030")


@pytest.fixture
def program(pcscd):
    """Run opensc-tool or scriptor against the service and return what it says."""

    def run(name, *arguments, **options):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed: apt install opensc pcsc-tools")
        done = subprocess.run(
            [name, *arguments],
            env={**os.environ, **pcscd.environment, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            **options,
        )
        return done.stdout + done.stderr

    return run


def blank(name="fmcos"):
    return Chip.blank(PROFILES[name], transport=True)


def test_opensc_sees_readers_and_cards_and_their_answers_to_reset(program, offered, pcscd):
    card = blank()
    offered(card)
    listed = program("opensc-tool", "--list-readers")

    assert re.search(rf"Yes\s+{pcscd.slots[0].reader}", listed)
    assert re.search(rf"No\s+{pcscd.slots[1].reader}", listed)
    assert program("opensc-tool", "--reader", pcscd.slots[0].reader, "--atr").strip() == card.atr.hex(":")


def test_opensc_sends_commands_and_gets_the_cards_own_bytes(program, offered, pcscd):
    offered(blank())
    said = program(
        "opensc-tool",
        "-r",
        pcscd.slots[0].reader,
        "-c",
        "default",
        "-s",
        "00A40000023F00",
        "-s",
        "00E4000000",
    )

    assert "Received (SW1=0x90, SW2=0x00)" in said
    assert "1PAY.SYS.DDF" in said
    assert "Received (SW1=0x6D, SW2=0x00)" in said


@pytest.mark.parametrize("name", ["fmcos", "t-union"])
def test_scriptor_takes_a_blank_chip_out_of_transport_state(program, offered, pcscd, tmp_path, name):
    card = blank(name)
    offered(card)
    script = tmp_path / "script"
    script.write_text("reset\n00 A4 00 00 02 3F 00\n00 82 00 00 08 00 00 00 00 00 00 00 00\n00 84 00 00 08\n")
    said = program("scriptor", "-r", pcscd.slots[0].reader, str(script))

    answers = re.findall(r"([0-9A-F]{2} [0-9A-F]{2}) : ", said)
    assert answers == ["90 00", "69 84", "90 00"]  # no challenge was asked for, so no try is lost


def test_several_cards_in_several_slots_answer_at_the_same_time(offered, pcscd):
    cards = [blank() for _ in pcscd.slots]
    offered(*cards)
    readers = [PcscReader(slot.reader) for slot in pcscd.slots]
    for reader in readers:
        reader.wait_for_card(10)
        reader.connect()
    answers = {reader.transmit(bytes.fromhex("0084000008")) for reader in readers for _ in range(3)}
    for reader in readers:
        reader.close()

    assert len(answers) == 3 * len(pcscd.slots)


def test_a_tear_takes_the_card_out_at_that_write_and_it_recovers(offered, card, pcscd):
    slot = offered(card)
    before = card.image()
    with PcscReader(pcscd.slots[0].reader) as reader:
        reader.wait_for_card(10)
        reader.connect()
        reader.transmit(SELECT_PURSE)
        slot.tear(1, torn=True)
        with pytest.raises(CardRemoved):
            reader.transmit(WRONG_PIN)
        assert slot.wait_removed()
        assert card.image() != before  # an open journal lies on it
        slot.insert()
        reader.wait_for_card(10)
        reader.connect()
        assert card.image() == before  # the commit had no mark: the try was not counted
        reader.transmit(SELECT_PURSE)
        assert reader.transmit(WRONG_PIN) == b"\x63\xc2"


def test_who_hears_that_a_card_is_torn_may_put_it_in_again_at_once(offered, card, pcscd):
    torn, inserted = threading.Event(), threading.Event()

    def event(word, _):
        if word == "torn":
            torn.set()
            inserted.wait(5)  # the thread of the slot is still telling it

    slot = offered(card, event=event)
    with PcscReader(pcscd.slots[0].reader) as reader:
        reader.wait_for_card(10)
        reader.connect()
        reader.transmit(SELECT_PURSE)
        slot.tear(0)
        with pytest.raises(CardRemoved):
            reader.transmit(WRONG_PIN)
        assert torn.wait(5)
        slot.insert(3)
        inserted.set()

    assert slot.inserted


def test_what_has_changed_is_kept_before_the_answer_leaves(offered, card, pcscd):
    kept = []
    offered(card, changed=kept.append)
    with PcscReader(pcscd.slots[0].reader) as reader:
        reader.wait_for_card(10)
        reader.connect()
        reader.transmit(SELECT_PURSE)
        assert kept == []
        reader.transmit(WRONG_PIN)
        assert kept[-1] == card.image()


def test_the_card_is_in_again_when_the_service_is_back(offered, card, pcscd):
    events = []
    slot = offered(card, event=lambda word, _: events.append(word))
    pcscd.stop(kill=True)
    pcscd.start()
    with PcscReader(pcscd.slots[0].reader) as reader:
        assert reader.wait_for_card(15) == card.atr

    assert slot.inserted
    assert [word for word in events if word in {"inserted", "service-gone"}] == [
        "inserted",
        "service-gone",
        "inserted",
    ]


def test_a_card_lies_in_one_slot_at_a_time(offered, card, pcscd):
    slot = offered(card)
    with pytest.raises(CardServed, match=str(slot.port)):
        VpcdSlot(card, port=pcscd.slots[1].port).insert()
    slot.remove()
    with VpcdSlot(card, port=pcscd.slots[1].port) as other:
        assert other.inserted


def test_a_slot_that_another_card_is_in_is_told(offered, card, pcscd, monkeypatch):
    slot = offered(card)
    monkeypatch.setattr("citycard.pcsc.slot._SILENCE_S", 1.0)
    with pytest.raises(SlotOccupied, match="another card is in it"):
        VpcdSlot(blank(), port=slot.port).insert()


def test_where_no_service_runs_the_error_says_what_to_do(card):
    begun = time.monotonic()
    with pytest.raises(SlotUnreachable, match="systemctl start pcscd"):
        VpcdSlot(card, port=1).insert(timeout=0.3)
    assert time.monotonic() - begun < 5


def test_a_sam_that_speaks_t0_and_a_sector_card_are_read_beside_a_user_card(offered, card, pcscd):
    sam = Psam.blank(attrs.evolve(TRANSIT_PSAM, t0=True))
    sector = PseudoReader(SectorCard.blank(bytes.fromhex("04A1B2C3")))
    offered(card, sam, sector)
    answers = []
    for slot, command in zip(pcscd.slots, ("00B0950000", "00A40000023F0000", "FFCA000000"), strict=False):
        with PcscReader(slot.reader) as reader:
            reader.wait_for_card(10)
            reader.connect()
            if slot is pcscd.slots[0]:
                reader.transmit(SELECT_PURSE)
            answers.append(reader.transmit(bytes.fromhex(command)))

    assert answers[0][-2:] == b"\x90\x00"
    # What the SAM keeps back for GET RESPONSE has been fetched.
    assert (answers[1][:1], answers[1][-2:]) == (b"\x6f", b"\x90\x00")
    assert answers[2] == bytes.fromhex("04A1B2C39000")
