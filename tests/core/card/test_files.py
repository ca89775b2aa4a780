from __future__ import annotations

import datetime as dt

import pytest

from citycard.card.codec import decode, encode, evolve, layout_of
from citycard.card.files import (
    TRANSIT_PROFILE,
    EnableFlag,
    Holder,
    InteropKind,
    JourneyKind,
    JourneyRecord,
    LogRecord,
    Management,
    PublicApplication,
)
from citycard.errors import BytesInvalid

# Offsets and lengths as JT/T 978 and PBOC print them; the classes must agree.
PRINTED = {
    PublicApplication: {
        "issuer": 0,
        "application_type": 8,
        "enabled": 9,
        "asn": 10,
        "start": 20,
        "expiry": 24,
    },
    Holder: {"card_type": 0, "staff": 1, "name": 2, "id_number": 22, "id_kind": 54},
    Management: {"country": 0, "province": 4, "city": 6, "interop": 8, "card_kind": 10, "reserved": 11},
    LogRecord: {"counter": 0, "overdraft_limit_fen": 2, "amount_fen": 5, "tti": 9, "terminal": 10, "at": 16},
    JourneyRecord: {
        "kind": 0,
        "terminal": 1,
        "industry": 9,
        "station": 10,
        "amount_fen": 17,
        "balance_fen": 21,
        "at": 25,
        "city": 32,
        "institution": 34,
        "open_amount_fen": 42,
        "open_minutes": 46,
    },
}


@pytest.mark.parametrize("cls", PRINTED, ids=lambda cls: cls.__name__)
def test_fields_lie_at_the_offsets_of_the_standard(cls: type) -> None:
    offsets = {field.name: field.offset for field in layout_of(cls).fields}
    assert offsets | PRINTED[cls] == offsets


def test_file_sizes_are_those_of_the_standard() -> None:
    sizes = {file.fid: (file.size, file.records, file.record_size) for file in TRANSIT_PROFILE.files}
    assert sizes == {
        0x15: (30, 0, 0),
        0x16: (55, 0, 0),
        0x17: (60, 0, 0),
        0x18: (230, 10, 23),
        0x1A: (2048, 0, 0),
        0x1E: (1440, 30, 48),
        0x02: (22, 0, 0),
    }


def test_a_file_and_its_layout_have_one_size() -> None:
    for file in TRANSIT_PROFILE.files:
        if file.record is not None:
            assert layout_of(file.record).size == (file.record_size or file.size)
        assert TRANSIT_PROFILE.file(file.fid) is file
        assert file.sfi == file.fid


def test_a_recorded_card_is_read_as_its_reader_showed_it() -> None:
    application = decode(
        PublicApplication,
        bytes.fromhex("01011000FFFFFFFF0201031051700701047913812019071820401231 0000"),
    )
    management = decode(Management, bytes.fromhex("0000015610001000000101" + "00" * 49))
    assert application.asn == "03105170070104791381"
    assert application.enabled is EnableFlag.ENABLED
    assert application.expiry == dt.date(2040, 12, 31)
    assert management.interop is InteropKind.INTEROPERABLE


def test_empty_log_and_journey_records_can_be_read() -> None:
    assert decode(LogRecord, bytes(23)).at is None
    assert decode(JourneyRecord, bytes(48)).kind is JourneyKind.NONE
    assert encode(decode(JourneyRecord, bytes(48))) == bytes(48)


def test_an_unknown_journey_kind_is_refused() -> None:
    with pytest.raises(BytesInvalid, match=r"JourneyRecord\.kind at byte 0 cannot be read from 0B"):
        decode(JourneyRecord, b"\x0b" + bytes(47))


def test_a_citys_own_card_kind_can_be_stored() -> None:
    management = Management(province="1000", city="1000", card_kind=42)
    assert decode(Management, encode(management)).card_kind == 42
    assert evolve(management, card_kind=1).card_kind == 1
