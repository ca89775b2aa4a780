"""Batch files: what a terminal hands in, under a digest and its signature (docs/terminal.md)."""

from __future__ import annotations

import datetime as dt
import hashlib
import struct
from collections.abc import Callable, Sequence
from hmac import compare_digest

import attrs

from citycard.card.codec import (
    bcd,
    date,
    decode,
    encode,
    examples,
    layout,
    layout_of,
    moment,
    raw,
    reserved,
    unsigned,
)
from citycard.errors import BatchDamaged, CodecError, TerminalInvalid
from citycard.terminal.record import RECORD_SIZE
from citycard.terminal.sam import Sam

__all__ = [
    "BATCH_VERSION",
    "Batch",
    "BatchHeader",
    "BatchTrailer",
    "batch_length",
    "read_batch",
    "write_batch",
]

BATCH_VERSION = 1
_MAGIC, _END = b"CCB1", b"CCE1"
_HEADER, _TRAILER = 40, 64
_AMOUNTS = struct.Struct(">33xI91x")


@layout(size=_HEADER)
class BatchHeader:
    """The first 40 bytes of a batch file: whose, which, how many."""

    magic: bytes = raw(4, default=_MAGIC, note="CCB1")
    version: int = unsigned(2, default=BATCH_VERSION)
    terminal: str = bcd(6)
    number: int = unsigned(4, note="batch number of this terminal, counted from 1")
    first_sequence: int = unsigned(4, note="sequence number of the first record")
    count: int = unsigned(4, note="records")
    business_date: dt.date = date(blank=False)
    created_at: dt.datetime = moment(blank=False, note="local time")
    record_size: int = unsigned(2, default=RECORD_SIZE)
    reserved: bytes = reserved(3)


@layout(size=_TRAILER)
class BatchTrailer:
    """The last 64 bytes: totals, SHA-256 of the bytes before, the terminal's AES-CMAC of that digest."""

    magic: bytes = raw(4, default=_END, note="CCE1")
    count: int = unsigned(4, note="records")
    total_fen: int = unsigned(8, note="sum of all amounts")
    digest: bytes = raw(32, note="SHA-256 of header and records")
    signature: bytes = raw(16, note="AES-CMAC of the digest under the terminal's key")


examples(
    BatchHeader,
    (
        "43434231 0001 300089000340 00000007 00000065 00000002 20241229 20241230020000 0080 000000",
        BatchHeader(
            terminal="300089000340",
            number=7,
            first_sequence=101,
            count=2,
            business_date=dt.date(2024, 12, 29),
            created_at=dt.datetime.fromisoformat("2024-12-30T02:00:00"),
        ),
    ),
)
examples(
    BatchTrailer,
    (
        f"43434531 00000002 00000000000003E8 {'11' * 32} {'22' * 16}",
        BatchTrailer(count=2, total_fen=1000, digest=b"\x11" * 32, signature=b"\x22" * 16),
    ),
)


_AT = {field.name: field.offset for field in layout_of(BatchHeader).fields}


@attrs.frozen(kw_only=True)
class Batch:
    """A batch file taken apart. ``records`` are 128 bytes each, numbered from ``first_sequence``.

    ``body`` has the same records, one after the other.
    """

    header: BatchHeader
    body: bytes = attrs.field(repr=False)
    trailer: BatchTrailer

    @property
    def records(self) -> tuple[bytes, ...]:
        """Give each record by itself."""
        return tuple(self.body[at : at + RECORD_SIZE] for at in range(0, len(self.body), RECORD_SIZE))


def write_batch(
    terminal: str,
    number: int,
    first_sequence: int,
    records: Sequence[bytes],
    sam: Sam,
    created_at: dt.datetime,
    business_date: dt.date,
) -> bytes:
    """Write a signed batch file of records of 128 bytes each. Raises TerminalInvalid for any other length."""
    if any(len(record) != RECORD_SIZE for record in records):
        raise TerminalInvalid(
            terminal=terminal, problem=f"a record has not the {RECORD_SIZE} bytes of docs/terminal.md"
        )
    header = BatchHeader(
        terminal=terminal,
        number=number,
        first_sequence=first_sequence,
        count=len(records),
        business_date=business_date,
        created_at=created_at.replace(microsecond=0),
    )
    covered = encode(header) + b"".join(records)
    digest = hashlib.sha256(covered).digest()
    trailer = BatchTrailer(
        count=len(records),
        total_fen=_total(covered[_HEADER:]),
        digest=digest,
        signature=sam.sign_batch(digest),
    )
    return covered + encode(trailer)


def _total(records: bytes) -> int:
    return sum(amount for (amount,) in _AMOUNTS.iter_unpack(records))


def read_batch(
    data: bytes,
    verify: Callable[[str, bytes, bytes], bool] | None = None,
    *,
    total: Callable[[bytes], int] = _total,
) -> Batch:
    """Take a batch file apart and check all that it says about itself.

    ``verify(terminal, digest, signature)`` checks the signature; without it the caller does that later with
    ``trailer``. ``total`` adds up the amounts of records, for callers who can do it faster. Raises only
    BatchDamaged: F07 format, F03 digest, F06 totals, F02 signature.
    """
    _check_form(data)
    covered, end = data[:-_TRAILER], len(data) - _TRAILER
    trailer = decode(BatchTrailer, data[-_TRAILER:])
    digest = hashlib.sha256(covered).digest()
    if not compare_digest(digest, trailer.digest):
        raise BatchDamaged(
            code="F03", field="digest", offset=end + 16, expected="the SHA-256 of the bytes before"
        )
    try:
        header = decode(BatchHeader, data[:_HEADER])
    except CodecError as error:
        raise BatchDamaged(
            code="F07",
            field=error.data.get("field", "header"),
            offset=error.data.get("offset", 0),
            expected=error.data["expected"],
        ) from None
    if header.record_size != RECORD_SIZE:
        raise BatchDamaged(
            code="F07", field="record_size", offset=_AT["record_size"], expected=str(RECORD_SIZE)
        )
    count = (len(covered) - _HEADER) // RECORD_SIZE
    _check_total("header count", header.count, count, _AT["count"])
    _check_total("trailer count", trailer.count, count, end + 4)
    body = covered[_HEADER:]
    _check_total("total_fen", trailer.total_fen, total(body), end + 8)
    if verify is not None and not verify(header.terminal, digest, trailer.signature):
        raise BatchDamaged(
            code="F02",
            field="signature",
            offset=end + 48,
            expected=f"the signature of terminal {header.terminal}",
        )
    return Batch(header=header, body=body, trailer=trailer)


def batch_length(data: bytes, at: int = 0) -> int:
    """Give the length that the batch file beginning at ``at`` must have by its header's count of records."""
    count = int.from_bytes(data[at + _AT["count"] : at + _AT["count"] + 4], "big")
    return _HEADER + count * RECORD_SIZE + _TRAILER


def _check_form(data: bytes) -> None:
    if len(data) < _HEADER + _TRAILER:
        raise BatchDamaged(
            code="F07", field="file", offset=len(data), expected=f"at least {_HEADER + _TRAILER} bytes"
        )
    if data[:4] != _MAGIC:
        raise BatchDamaged(code="F07", field="magic", offset=0, expected=_MAGIC.decode())
    if int.from_bytes(data[4:6], "big") != BATCH_VERSION:
        raise BatchDamaged(code="F07", field="version", offset=4, expected=str(BATCH_VERSION))
    end = len(data) - _TRAILER
    if data[end : end + 4] != _END:
        raise BatchDamaged(code="F07", field="trailer magic", offset=end, expected=_END.decode())
    if (end - _HEADER) % RECORD_SIZE:
        raise BatchDamaged(
            code="F07", field="records", offset=_HEADER, expected=f"a multiple of {RECORD_SIZE} bytes"
        )


def _check_total(field: str, stated: int, found: int, offset: int) -> None:
    if stated != found:
        raise BatchDamaged(code="F06", field=field, offset=offset, expected=f"{found}, not {stated}")
