import pytest
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import example, given
from hypothesis import strategies as st

from citycard_retail.errors import MessageInvalid
from citycard_retail.iso import Message, check_mac, message_mac, read_message, write_message

KEY = bytes(range(16))
FIELDS = {"3": "000000", "4": "000000002550", "11": "000001", "41": "20000001", "42": "990154110000001"}


def test_a_message_is_these_bytes():
    raw = write_message(Message(mti="0200", fields=FIELDS), KEY)
    # Bits 3, 4, 11, 41, 42 and 64; the MAC is an AES-CMAC over what stands before it.
    assert raw[:20] == b"0200" + b"3020000000C00001"
    assert raw[20:-16] == b"000000" + b"000000002550" + b"000001" + b"20000001" + b"990154110000001"
    mac = CMAC(AES(KEY))
    mac.update(raw[:-16])
    assert raw[-16:] == mac.finalize()[:8].hex().upper().encode()


def test_where_a_field_is_above_64_the_mac_is_in_128():
    told = FIELDS | {"102": "0" * 20}
    raw = write_message(Message(mti="0200", fields=told), KEY)
    assert int(raw[4:20], 16) >> 63 == 1
    assert int(raw[20:36], 16) & 1 == 1
    message, covered, mac8 = read_message(raw)
    assert (message.fields, covered, mac8) == (told, raw[:-16], message_mac(KEY, raw[:-16]))


def test_a_repeat_says_the_same_as_the_first():
    assert Message(mti="0201", fields=FIELDS).plain == Message(mti="0200", fields=FIELDS).plain
    assert Message(mti="0220", fields=FIELDS).plain != Message(mti="0200", fields=FIELDS).plain


def code_of(raw):
    """Return the response code that says what is wrong with a message, 00 when nothing is."""
    try:
        message, covered, mac8 = read_message(raw)
        check_mac(KEY, covered, mac8)
    except MessageInvalid as told:
        return told.data["code"]
    assert raw.startswith(covered)
    assert set(message.fields) <= {str(number) for number in range(2, 128)}
    return "00"


@given(st.integers(0, 82), st.integers(1, 255))
def test_a_byte_that_was_changed_on_the_way_is_noticed(at, change):
    raw = bytearray(write_message(Message(mti="0200", fields=FIELDS), KEY))
    assert (len(raw), code_of(bytes(raw))) == (83, "00")
    raw[at] ^= change
    assert code_of(bytes(raw)) in {"30", "A0"}


@given(st.binary(max_size=300))
@example(b"0200" + b"7020000000C00001" + b"99" + b"1" * 90)
@example(b"0200" + b"FFFFFFFFFFFFFFFF" * 2)
def test_whatever_bytes_come_they_are_no_message_of_ours(raw):
    assert code_of(raw) in {"30", "A0"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("4", "00000000255O"),
        ("12", "246060"),
        ("13", "1332"),
        ("49", "840"),
        ("55", "9F26"),
        ("2", "6222000011112222"),
    ],
)
def test_a_field_that_is_not_of_its_form_or_not_known_is_told(field, value):
    raw = write_message(Message(mti="0200", fields=FIELDS | {field: value}), KEY)
    with pytest.raises(MessageInvalid, match=f"field {field}, response code 30"):
        read_message(raw)


def test_a_field_that_is_too_long_cannot_be_written():
    with pytest.raises(MessageInvalid, match="field 4"):
        write_message(Message(mti="0200", fields=FIELDS | {"4": "0" * 13}), KEY)
