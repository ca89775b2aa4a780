"""A file of another city is read as it was written, or refused by name."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.errors import ExchangeFileDamaged
from citycard.exchange.format import Answer, FileKind, Header, file_name, read_file, signed_by, write_file
from citycard.keys import Vault
from citycard.keys.hierarchy import CORE_PURPOSES
from citycard.keys.versions import KeyVersions


def signer(first=0):
    versions = KeyVersions()
    versions.ensure(CORE_PURPOSES)
    return Vault(bytes(range(first, first + 16)), versions).seal_signer()


OURS = signer()
LINES = [
    Answer(line=1, state="accepted", code="OK", amount_fen=350, fee_fen=3),
    Answer(line=2, state="rejected", code="T01", amount_fen=200, fee_fen=0),
]


def header(**changes):
    return Header(
        **{
            "kind": FileKind.ANSWERS,
            "sender": "9901",
            "receiver": "9902",
            "number": 3,
            "day": dt.date(2026, 3, 2),
            "records": 2,
            "amount_fen": 550,
            "gross_fen": 350,
            "fee_fen": 3,
            "answers": 7,
        }
        | changes
    )


DATA = write_file(header(), LINES, OURS)


def test_a_file_is_read_as_it_was_written():
    file = read_file(DATA)
    assert (file.header, list(file.lines)) == (header(), LINES)
    assert write_file(file.header, file.lines, OURS) == DATA
    assert file_name(file.header) == "9901-9902-answers-000003.ccx"


def test_only_the_key_that_signed_it_is_believed():
    file = read_file(DATA)
    assert signed_by(file, [signer(1).key, OURS.key])
    assert not signed_by(file, [signer(1).key])
    assert not signed_by(file, [])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"records": 3}, "F06"),
        ({"amount_fen": 549}, "F06"),
        ({"answers": None}, "F07"),
        ({"number": 2**31}, "F07"),
        ({"answers": 2**31}, "F07"),
        ({"list": 2**31}, "F07"),
        ({"records": 2**31}, "F07"),
        ({"amount_fen": 2**53 + 1}, "F07"),
        ({"lists": [[float("inf"), 1]]}, "F07"),
        ({"lists": [[1.5, 1]]}, "F07"),
        ({"lists": [["1", 1]]}, "F07"),
        ({"lists": [[1, 2**31]]}, "F07"),
        ({"lists": [[-1, 1]]}, "F07"),
        ({"lists": 7}, "F07"),
    ],
)
def test_a_header_that_says_otherwise_than_the_lines_is_refused(changes, code):
    told = json.loads(DATA.split(b"\n")[0]) | changes
    if changes.get("answers", 0) is None:
        del told["answers"]
    rows = [json.dumps(told).encode(), *DATA.split(b"\n")[1:-2]]
    assert refused(resigned(rows)) == code


def resigned(rows):
    """Give lines with a last line whose digest is right."""
    import hashlib

    content = b"".join(row + b"\n" for row in rows)
    last = {"sha256": hashlib.sha256(content).hexdigest(), "key": "", "signature": ""}
    return content + json.dumps(last).encode() + b"\n"


def refused(data):
    with pytest.raises(ExchangeFileDamaged) as damage:
        read_file(data)
    return damage.value.data["code"]


@given(st.integers(0, len(DATA) - 1))
def test_a_file_that_was_cut_anywhere_is_refused(length):
    assert refused(DATA[:length]) in {"F03", "F07"}


@given(st.integers(0, len(DATA) - 1), st.integers(1, 255))
def test_a_byte_that_changed_anywhere_is_noticed(place, change):
    data = DATA[:place] + bytes([DATA[place] ^ change]) + DATA[place + 1 :]
    try:
        file = read_file(data)
    except ExchangeFileDamaged:
        return
    # The name of the key and the form of the last line are no content.
    assert not signed_by(file, [OURS.key]) or (file.header, list(file.lines)) == (header(), LINES)


@pytest.mark.parametrize(
    "line",
    [
        b"[]",
        b"null",
        b"{}",
        b'{"line":"1"}',
        b'{"amount_fen":true,"code":"OK","fee_fen":0,"line":1,"state":"accepted"}',
        b'{"amount_fen":-1,"code":"OK","fee_fen":0,"line":1,"state":"accepted"}',
        b'{"amount_fen":1,"code":"OK","fee_fen":0,"line":1,"state":"lost"}',
        b'{"amount_fen":1,"code":"ok","fee_fen":0,"line":1,"state":"accepted"}',
        b'{"amount_fen":1,"code":"OK","fee_fen":0,"line":1,"state":"accepted","more":1}',
        b'{"amount_fen":1,"code":"OK","fee_fen":0,"line":2147483648,"state":"accepted"}',
        b"[" * 100_000,
    ],
)
def test_a_line_that_is_none_is_refused(line):
    assert refused(resigned([DATA.split(b"\n")[0], line])) == "F07"
