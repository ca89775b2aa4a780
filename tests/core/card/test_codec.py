from __future__ import annotations

import datetime as dt
from enum import IntEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

import citycard.card
import citycard.terminal  # noqa: F401 - registers the layouts of the terminal
from citycard.card.codec import (
    amount,
    bcd,
    choice,
    date,
    decode,
    encode,
    evolve,
    flag,
    hexed,
    layout,
    layout_of,
    layouts,
    moment,
    raw,
    reserved,
    signed,
    text,
    unsigned,
)
from citycard.errors import BytesInvalid, FieldInvalid, LayoutInvalid, LengthInvalid


class Zone(IntEnum):
    CENTRE = 1
    HARBOUR = 7


@layout(size=59)
class Everything:
    small: int = unsigned(1)
    odd: int = unsigned(3)
    change: int = signed(2)
    odd_change: int = signed(3)
    price_fen: int = amount()
    number: str = bcd(3)
    code: str = hexed(2)
    inside: bool = flag()
    zone: Zone = choice(Zone, 2)
    day: dt.date | None = date()
    at: dt.datetime | None = moment()
    name: str = text(20, personal=True)
    rest: bytes = raw(3)
    later: bytes = reserved(4)


READ = Everything(
    small=5,
    odd=0x010203,
    change=-2,
    odd_change=-3,
    price_fen=300,
    number="042042",
    code="C0DE",
    inside=True,
    zone=Zone.HARBOUR,
    day=dt.date(2024, 2, 29),
    at=dt.datetime(2024, 12, 31, 23, 59, 59),
    name="Ö",
    rest=b"abc",
)

FIELD_VALUES = {
    "small": st.integers(0, 255),
    "odd": st.integers(0, 2**24 - 1),
    "change": st.integers(-(2**15), 2**15 - 1),
    "odd_change": st.integers(-(2**23), 2**23 - 1),
    "price_fen": st.integers(0, 2**32 - 1),
    "number": st.text("0123456789", min_size=6, max_size=6),
    "code": st.text("0123456789ABCDEF", min_size=4, max_size=4),
    "inside": st.booleans(),
    "zone": st.sampled_from(Zone),
    "day": st.none() | st.dates(),
    "at": st.none() | st.datetimes().map(lambda at: at.replace(microsecond=0)),
    "name": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5),
    "rest": st.binary(min_size=3, max_size=3),
}


def test_every_field_kind_lies_where_the_page_says() -> None:
    expected = bytes.fromhex(
        "05 010203 FFFE FFFFFD 0000012C 042042 C0DE 01 0007 20240229 20241231235959"
        + "Ö".encode("gb18030").ljust(20, b"\0").hex()
        + "616263 00000000"
    )
    assert encode(READ) == expected
    assert decode(Everything, expected) == READ


@given(st.fixed_dictionaries(FIELD_VALUES))
def test_what_is_written_is_read_back(values: dict[str, object]) -> None:
    record = Everything(**values)  # type: ignore[arg-type]
    assert decode(Everything, encode(record)) == record


@given(st.binary(min_size=59, max_size=59))
def test_bytes_that_can_be_read_are_written_back_the_same(data: bytes) -> None:
    try:
        record = decode(Everything, data)
    except BytesInvalid:
        return
    assert encode(record) == data


@given(st.fixed_dictionaries(FIELD_VALUES), st.integers(0, 58), st.integers(0, 255))
def test_a_changed_byte_is_refused_or_changes_the_record(
    values: dict[str, object], at: int, byte: int
) -> None:
    data = encode(Everything(**values))  # type: ignore[arg-type]
    changed = data[:at] + bytes([byte]) + data[at + 1 :]
    try:
        record = decode(Everything, changed)
    except BytesInvalid:
        return
    assert (record == decode(Everything, data)) is (changed == data)


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("small", 256, "a whole number from 0 to 255"),
        ("small", -1, "a whole number from 0 to 255"),
        ("small", True, "a whole number from 0 to 255"),
        ("small", 1.0, "a whole number from 0 to 255"),
        ("change", 2**15, "a whole number from -32768 to 32767"),
        ("price_fen", -1, "fen from 0 to 4294967295"),
        ("price_fen", 2**32, "fen from 0 to 4294967295"),
        ("number", "42", "6 decimal digits"),
        ("number", "04204A", "6 decimal digits"),
        ("number", "٠٤٢٠٤٢", "6 decimal digits"),
        ("code", "c0de", "4 hexadecimal digits in capitals"),
        ("inside", 1, "True (01) or False (00)"),
        ("zone", 7, "one of 0001 CENTRE, 0007 HARBOUR"),
        ("day", dt.datetime(2024, 1, 1), "a calendar day or nothing"),
        (
            "at",
            dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
            "a local time without zone, in whole seconds, or nothing",
        ),
        (
            "at",
            dt.datetime(2024, 1, 1, microsecond=1),
            "a local time without zone, in whole seconds, or nothing",
        ),
        ("name", "一二三四五六七八九十一", "text of at most 20 bytes in GB18030"),
        ("name", "a\0b", "text of at most 20 bytes in GB18030"),
        ("rest", b"ab", "3 bytes"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_name(field: str, value: object, expected: str) -> None:
    with pytest.raises(FieldInvalid) as caught:
        evolve(READ, **{field: value})
    assert caught.value.data["layout"] == "Everything"
    assert caught.value.data["field"] == field
    assert caught.value.data["expected"] == expected


@pytest.mark.parametrize(
    ("offset", "bad", "field"),
    [
        (13, "0A", "number"),
        (18, "02", "inside"),
        (19, "0002", "zone"),
        (21, "20230229", "day"),
        (21, "FFFFFFFF", "day"),
        (25, "20241231240000", "at"),
        (25, "20241231235960", "at"),
        (32, "FF", "name"),
        (32, "610061", "name"),
    ],
)
def test_bytes_that_mean_nothing_are_refused_with_field_and_offset(offset: int, bad: str, field: str) -> None:
    data = bytearray(encode(READ))
    data[offset : offset + len(bad) // 2] = bytes.fromhex(bad)
    with pytest.raises(BytesInvalid) as caught:
        decode(Everything, bytes(data))
    assert (caught.value.data["field"], caught.value.data["offset"]) == (field, offset)


def test_personal_values_stay_out_of_error_messages() -> None:
    with pytest.raises(FieldInvalid) as caught:
        evolve(READ, name="张三" * 11)
    assert "张三" not in str(caught.value)


def test_a_record_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(LengthInvalid, match="Everything cannot be read from 58 bytes: expected 59"):
        decode(Everything, encode(READ)[:-1])


def test_reserved_bytes_survive_a_change_of_other_fields() -> None:
    data = encode(READ)[:-4] + b"\xde\xad\xbe\xef"
    assert encode(evolve(decode(Everything, data), small=6)) == b"\x06" + data[1:]


def test_a_layout_whose_sizes_do_not_add_up_is_refused() -> None:
    with pytest.raises(LayoutInvalid, match="its fields take 3 bytes, declared are 4"):

        @layout(size=4)
        class Short:
            only: int = unsigned(3)


def test_a_layout_with_an_undescribed_attribute_is_refused() -> None:
    with pytest.raises(LayoutInvalid, match="note is not made by a field maker"):

        @layout(size=3)
        class Loose:
            only: int = unsigned(3)
            note: str = "?"


def test_a_class_without_layout_is_named() -> None:
    with pytest.raises(LayoutInvalid, match="layout str: it is not made by @layout"):
        layout_of(str)


def test_an_authors_own_rule_holds_for_bytes_too() -> None:
    @layout(size=2)
    class Ordered:
        low: int = unsigned(1)
        high: int = unsigned(1)

        def __attrs_post_init__(self) -> None:
            if self.low > self.high:
                raise FieldInvalid(layout="Ordered", field="low", value=self.low, expected="at most high")

    assert decode(Ordered, b"\1\2") == Ordered(low=1, high=2)
    with pytest.raises(FieldInvalid, match="expected at most high"):
        decode(Ordered, b"\2\1")


def test_a_layout_of_one_field_is_read_and_written() -> None:
    @layout(size=3)
    class Single:
        number: str = bcd(3)

    @layout(size=2)
    class Plain:
        number: int = unsigned(2)

    assert encode(Single(number="123456")) == b"\x12\x34\x56"
    assert decode(Single, b"\x12\x34\x56") == Single(number="123456")
    assert encode(Plain(number=258)) == b"\1\2"


CARD_LAYOUTS = [cls for cls in layouts() if cls.__module__.startswith("citycard.")]


@pytest.mark.parametrize("cls", CARD_LAYOUTS, ids=lambda cls: cls.__name__)
def test_the_examples_beside_a_layout_hold_both_ways(cls: type) -> None:
    examples = layout_of(cls).examples
    assert examples, f"{cls.__name__} has no example bytes: call examples() beside it"
    for data, record in examples:
        assert encode(record) == data
        assert decode(cls, data) == record
