from __future__ import annotations

from enum import IntEnum

import pytest

from citycard.card.codec import bcd, choice, encode, layout, reserved, unsigned
from citycard.card.sector import ReadAccess, SectorLayout, WriteAccess
from citycard.errors import LayoutInvalid, SectorInvalid


class Gate(IntEnum):
    WEST = 1


@layout(size=6)
class Visit:
    day: str = bcd(4)
    count: int = unsigned(1)
    reserved: bytes = reserved(1)


@layout(size=1)
class Through:
    gate: Gate = choice(Gate)


def test_size_and_initial_bytes_come_from_the_record() -> None:
    sector = SectorLayout(name="zoo", record=Visit)
    assert (sector.size, sector.initial) == (6, bytes(6))
    assert (sector.read, sector.write) == (ReadAccess.FREE, WriteAccess.PURCHASE)


def test_access_can_be_named_by_its_word() -> None:
    sector = SectorLayout(name="zoo", record=Visit, read="free", write="maintenance")
    assert (sector.read, sector.write) == (ReadAccess.FREE, WriteAccess.MAINTENANCE)
    with pytest.raises(ValueError, match="'pin' is not a valid ReadAccess"):
        SectorLayout(name="zoo", record=Visit, read="pin")


def test_a_size_that_is_not_the_records_is_refused() -> None:
    with pytest.raises(SectorInvalid, match="sector zoo: size is 48, its record Visit has 6 bytes"):
        SectorLayout(name="zoo", record=Visit, size=48)


def test_a_record_too_large_for_its_file_is_refused() -> None:
    @layout(size=126)
    class Long:
        rest: bytes = reserved(126)

    with pytest.raises(SectorInvalid, match="it takes 126 bytes: at most 125 fit in one record"):
        SectorLayout(name="zoo", record=Long)


def test_a_new_card_must_carry_a_valid_record() -> None:
    with pytest.raises(SectorInvalid, match="its initial bytes are no record"):
        SectorLayout(name="zoo", record=Through)
    sector = SectorLayout(name="zoo", record=Through, initial=b"\x01")
    assert sector.initial == b"\x01"


@pytest.mark.parametrize("record_id", [0, 0x02, 0x4301, 0x43FF])
def test_a_record_id_of_the_allocations_own_range_is_refused(record_id: int) -> None:
    with pytest.raises(SectorInvalid, match="is not free"):
        SectorLayout(name="zoo", record=Visit, record_id=record_id)


def test_examples_are_checked_when_the_sector_is_declared() -> None:
    visit = Visit(day="20240501", count=3)
    assert SectorLayout(name="zoo", record=Visit, examples=((encode(visit), visit),)).examples
    with pytest.raises(SectorInvalid, match="example 202405010400 does not give its record back"):
        SectorLayout(name="zoo", record=Visit, examples=((bytes.fromhex("202405010400"), visit),))


def test_a_record_class_without_layout_is_refused() -> None:
    with pytest.raises(LayoutInvalid, match="layout dict: it is not made by @layout"):
        SectorLayout(name="zoo", record=dict)
