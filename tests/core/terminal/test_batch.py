from __future__ import annotations

import datetime as dt
import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citycard.errors import BatchDamaged, TerminalInvalid
from citycard.terminal.batch import read_batch, write_batch

TERMINAL = "300089000340"
CREATED = dt.datetime.fromisoformat("2026-03-03T01:02:03")
DAY = dt.date(2026, 3, 2)
KEY = b"a terminal's key"


class Sam:
    """Signs with a keyed hash; the format does not care which."""

    terminal = TERMINAL

    def sign_batch(self, digest32: bytes) -> bytes:
        return hmac.digest(KEY, digest32, "sha256")[:16]


def verify(terminal: str, digest: bytes, signature: bytes) -> bool:
    return terminal == TERMINAL and hmac.compare_digest(hmac.digest(KEY, digest, "sha256")[:16], signature)


def record(amount_fen: int, fill: int = 0) -> bytes:
    return bytes([fill]) * 33 + amount_fen.to_bytes(4, "big") + bytes([fill]) * 91


def written(*records: bytes) -> bytes:
    return write_batch(TERMINAL, 7, 101, records, Sam(), CREATED, DAY)


def code_of(data: bytes) -> str:
    with pytest.raises(BatchDamaged) as caught:
        read_batch(data, verify)
    assert set(caught.value.data) == {"code", "field", "offset", "expected"}
    return caught.value.data["code"]


def resealed(data: bytes, *, count: int | None = None, total: int | None = None) -> bytes:
    """Give a changed file a digest and a signature that fit it, as a broken terminal would."""
    covered, trailer = data[:-64], data[-64:]
    digest = hashlib.sha256(covered).digest()
    shown = trailer[4:8] if count is None else count.to_bytes(4, "big")
    summed = trailer[8:16] if total is None else total.to_bytes(8, "big")
    return covered + trailer[:4] + shown + summed + digest + Sam().sign_batch(digest)


def test_a_batch_lies_byte_for_byte_as_documented() -> None:
    records = record(385, 1), record(0xFFFFFFFF, 2)
    covered = (
        b"CCB1"
        + bytes.fromhex("0001 300089000340 00000007 00000065 00000002 20260302 20260303010203 0080 000000")
        + records[0]
        + records[1]
    )
    digest = hashlib.sha256(covered).digest()
    trailer = b"CCE1" + bytes.fromhex("00000002 0000000100000180") + digest
    assert written(*records) == covered + trailer + hmac.digest(KEY, digest, "sha256")[:16]


@given(st.lists(st.binary(min_size=128, max_size=128), max_size=5))
def test_what_is_handed_in_is_read_back(records: list[bytes]) -> None:
    batch = read_batch(written(*records), verify)
    assert batch.records == tuple(records)
    assert (batch.header.terminal, batch.header.number, batch.header.first_sequence) == (TERMINAL, 7, 101)
    assert (batch.header.business_date, batch.header.created_at) == (DAY, CREATED)
    assert batch.trailer.total_fen == sum(int.from_bytes(one[33:37], "big") for one in records)


@pytest.mark.parametrize("change", [0x01, 0x80, 0xFF])
def test_a_change_of_any_byte_is_noticed(change: int) -> None:
    data = written(record(385, 1), record(200, 2))
    codes = [code_of(data[:at] + bytes([data[at] ^ change]) + data[at + 1 :]) for at in range(len(data))]
    end = len(data) - 64
    assert codes[:6] == ["F07"] * 6
    assert codes[6:end] == ["F03"] * (end - 6)
    assert codes[end : end + 4] == ["F07"] * 4
    assert codes[end + 4 : end + 16] == ["F06"] * 12
    assert codes[end + 16 : end + 48] == ["F03"] * 32
    assert codes[end + 48 :] == ["F02"] * 16


def test_a_file_cut_short_anywhere_is_noticed() -> None:
    data = written(record(385, 1))
    assert {code_of(data[:size]) for size in range(len(data))} == {"F07"}


@given(st.binary(max_size=400))
def test_random_bytes_are_never_a_batch(data: bytes) -> None:
    assert code_of(data) == "F07"


@settings(max_examples=300)
@given(st.data())
def test_any_sealed_bytes_are_a_batch_or_damaged_and_nothing_else(data: st.DataObject) -> None:
    good = written(record(385, 1))
    head = bytearray(good)
    for at, byte in data.draw(st.dictionaries(st.integers(6, 167), st.integers(0, 255), max_size=6)).items():
        head[at] = byte
    try:
        read_batch(resealed(bytes(head)), verify)
    except BatchDamaged as damaged:
        assert damaged.data["code"] in {"F02", "F06", "F07"}  # noqa: PT017


@pytest.mark.parametrize(
    ("data", "code", "field", "offset"),
    [
        (b"", "F07", "file", 0),
        (b"CCB2" + bytes(200), "F07", "magic", 0),
        (b"CCB1\x00\x02" + bytes(200), "F07", "version", 4),
        (written()[:-64] + b"\0" + written()[-64:], "F07", "records", 40),
        (resealed(written(record(1)), count=2), "F06", "trailer count", 172),
        (resealed(written(record(1)), total=2), "F06", "total_fen", 176),
        (resealed(written(record(1))[:21] + b"\x05" + written(record(1))[22:]), "F06", "header count", 20),
        (resealed(written()[:24] + b"\xff" + written()[25:]), "F07", "business_date", 24),
        (resealed(written()[:36] + b"\x81" + written()[37:]), "F07", "record_size", 35),
        (written()[:-1] + b"\0", "F02", "signature", 88),
    ],
)
def test_damage_is_named_by_code_field_and_offset(data: bytes, code: str, field: str, offset: int) -> None:
    with pytest.raises(BatchDamaged) as caught:
        read_batch(data, verify)
    found = caught.value.data
    assert (found["code"], found["field"], found["offset"]) == (code, field, offset)


def test_a_signature_of_another_terminal_is_refused() -> None:
    other = write_batch("300089000777", 7, 101, [], Sam(), CREATED, DAY)
    assert code_of(other) == "F02"
    assert read_batch(other).header.terminal == "300089000777"


def test_a_record_of_another_size_cannot_be_handed_in() -> None:
    with pytest.raises(TerminalInvalid, match="a record has not the 128 bytes"):
        written(bytes(127))
