"""Saved cards: what comes back is the card that was saved, from this version or the one before."""

from __future__ import annotations

import struct
import zlib

import pytest

from citycard.chip import Chip, PowerLoss
from citycard.errors import CardImageInvalid


def first_version(chip, journal=b""):
    """Write a card as citycard did before chips had a hidden area."""
    cells = bytes(chip.eeprom.cells)
    body = cells + journal
    head = struct.pack(
        ">4sBHHII", b"CCIM", 1, chip.eeprom.capacity, len(cells), len(journal), zlib.crc32(body)
    )
    return head + body


def first_journal(*entries, mark=b"\xa5"):
    body = b"".join(struct.pack(">HH", address, len(data)) + data for address, data in entries)
    return mark + struct.pack(">HI", 7 + len(body), zlib.crc32(body)) + body


def test_a_card_comes_back_with_everything_it_keeps(desk, desk_of):
    desk.load(1000)
    desk.purchase(10)
    again = Chip.from_image(desk.chip.image())
    assert again.image() == desk.chip.image()
    assert desk_of(again).select().prove(2, 1) == desk.prove(2, 1)


def test_a_card_of_the_first_version_still_works(desk, desk_of):
    desk.load(1000)
    old = desk_of(Chip.from_image(first_version(desk.chip))).select()
    assert (old.balance(), old.counters()) == (1000, (1, 0))
    assert old.prove(2, 1) == desk.prove(2, 1)
    old.purchase(10)
    assert old.prove(2, 1) == desk.prove(2, 1)
    assert old.prove(6, 1) is not None


def test_an_interrupted_commit_of_the_first_version_is_finished(desk, desk_of):
    body = desk.chip.powered.directory.files[2].body
    committed = first_journal((body, bytes.fromhex("000000FF")), (body + 7, bytes.fromhex("0005")))
    old = desk_of(Chip.from_image(first_version(desk.chip, committed))).select()
    assert (old.balance(), old.counters()) == (255, (5, 0))


@pytest.mark.parametrize("damage", ["mark", "checksum", "short"])
def test_a_commit_of_the_first_version_that_never_happened_is_dropped(desk, desk_of, damage):
    body = desk.chip.powered.directory.files[2].body
    journal = bytearray(first_journal((body, bytes.fromhex("000000FF"))))
    if damage == "mark":
        journal[0] = 0xFF
    elif damage == "checksum":
        journal[-1] ^= 1
    else:
        del journal[4:]
    old = desk_of(Chip.from_image(first_version(desk.chip, bytes(journal)))).select()
    assert old.balance() == 0


def test_an_interrupted_commit_is_saved_as_it_stands(desk, desk_of):
    desk.load(1000)
    desk.chip.eeprom.cut_after(6)
    with pytest.raises(PowerLoss):
        desk.purchase(10)
    again = desk_of(Chip.from_image(desk.chip.image())).select()
    assert (again.balance(), again.prove(6, 1) is not None) in {(1000, False), (990, True)}


def broken(image, what):
    data = bytearray(image)
    if what == "version":
        data[4] = 9
    elif what == "magic":
        data[0] ^= 1
    elif what == "content":
        data[40] ^= 1
    elif what == "short":
        del data[10:]
    elif what == "cut":
        del data[-1:]
    return bytes(data)


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("version", "its version is 9, and this citycard reads 1 to 2"),
        ("magic", "no image of a chip"),
        ("content", "its length or checksum is wrong"),
        ("short", "too short"),
        ("cut", "its length or checksum is wrong"),
    ],
)
def test_anything_else_is_refused_with_its_reason(desk, what, reason):
    with pytest.raises(CardImageInvalid, match=reason):
        Chip.from_image(broken(desk.chip.image(), what))
