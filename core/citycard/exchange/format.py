"""The files that cities exchange: JSON Lines, a header, the lines, and a signature (docs/interconnect.md).

The header counts the lines and their fen, so that a file cannot lose one; the last line has the SHA-256 of
all bytes before it and the sender's Ed25519 signature of that. A file that was cut has no last line.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any, Final

import attrs

from citycard.card.codec import layout_of
from citycard.clearing.codes import State
from citycard.errors import ExchangeFileDamaged, Phrase
from citycard.keys import SealKey, SealSigner
from citycard.terminal.record import RECORD_SIZE, TransactionRecord

__all__ = [
    "NUMBER_MOST",
    "Answer",
    "ExchangeFile",
    "FileKind",
    "Header",
    "ListedCard",
    "SentRecord",
    "file_name",
    "read_file",
    "signed_by",
    "write_file",
]

_FORMAT: Final = "citycard-exchange-1"
_DOMAIN: Final = b"citycard exchange file 1\0"
_MOST: Final = 2**53
NUMBER_MOST: Final = 2**31 - 1
"""The most files, lines, lists or records: the book counts them in 32 bits. Sums of money may be larger."""
_AMOUNT: Final = next(
    slice(field.offset, field.offset + field.kind.size)
    for field in layout_of(TransactionRecord).fields
    if field.name == "amount_fen"
)


class FileKind(StrEnum):
    """What a file holds: records for their issuer, its answers, or the cards it wants refused."""

    RECORDS = "records"
    ANSWERS = "answers"
    CARDS = "cards"


def _damaged(code: str, field: str, expected: str) -> ExchangeFileDamaged:
    return ExchangeFileDamaged(code=code, field=field, expected=expected)


def _whole(name: str, value: object, lowest: int, most: int) -> int:
    if type(value) is not int or not lowest <= value <= most:
        msg = f"{name} as a whole number from {lowest} to {most}"
        raise ValueError(msg)
    return value


def _amount(_record: object, attribute: attrs.Attribute[int], value: object) -> None:
    _whole(attribute.name, value, 0, _MOST)


def _count(lowest: int = 0) -> Any:
    def check(_record: object, attribute: attrs.Attribute[int], value: object) -> None:
        _whole(attribute.name, value, lowest, NUMBER_MOST)

    return check


def _text(pattern: str, words: str) -> Any:
    def check(_record: object, attribute: attrs.Attribute[str], value: object) -> None:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            msg = f"{attribute.name} as {words}"
            raise ValueError(msg)

    return check


def _day(value: Any) -> dt.date:
    return value if isinstance(value, dt.date) else dt.date.fromisoformat(value)


def _pairs(value: Any) -> tuple[tuple[int, int], ...]:
    return tuple(
        (_whole("lists", one, 0, NUMBER_MOST), _whole("lists", other, 0, NUMBER_MOST)) for one, other in value
    )


_CODE: Final = _text(r"[0-9]{4}", "four digits")


@attrs.frozen(kw_only=True)
class Header:
    """The first line. ``number`` counts the files of a kind from one sender to one receiver, from 1.

    ``day`` is the sender's local day, and for answers their window. ``lists`` (records) says from which of
    the sender's blacklists on which of the receiver's is in them, ``answers`` (answers) the file of records,
    ``list`` (cards) the blacklist; ``gross_fen`` and ``fee_fen`` (answers) are of what is accepted.
    """

    kind: FileKind = attrs.field(converter=FileKind)
    sender: str = attrs.field(validator=_CODE)
    receiver: str = attrs.field(validator=_CODE)
    number: int = attrs.field(validator=_count(1))
    day: dt.date = attrs.field(converter=_day)
    records: int = attrs.field(validator=_count())
    amount_fen: int = attrs.field(validator=_amount)
    gross_fen: int = attrs.field(default=0, validator=_amount)
    fee_fen: int = attrs.field(default=0, validator=_amount)
    answers: int | None = attrs.field(default=None, validator=attrs.validators.optional(_count(1)))
    list: int | None = attrs.field(default=None, validator=attrs.validators.optional(_count()))
    lists: tuple[tuple[int, int], ...] = attrs.field(default=(), converter=_pairs)

    def __attrs_post_init__(self) -> None:
        needed = {FileKind.ANSWERS: "answers", FileKind.CARDS: "list"}.get(self.kind)
        if needed is not None and getattr(self, needed) is None:
            msg = f"{needed}, in a file of {self.kind}"
            raise ValueError(msg)


@attrs.frozen(kw_only=True)
class SentRecord:
    """A record for its issuer: the 128 bytes, the acquirer's id of it, and its business date there."""

    line: int = attrs.field(validator=_count(1))
    record: str = attrs.field(validator=_text(r"[0-9]{12}-[0-9]{1,10}-[0-9]{1,10}", "terminal-batch-line"))
    date: dt.date = attrs.field(converter=_day)
    raw: str = attrs.field(validator=_text(rf"[0-9A-F]{{{2 * RECORD_SIZE}}}", "128 bytes in capital hex"))

    @property
    def amount_fen(self) -> int:
        """Give what the record charged."""
        return int.from_bytes(bytes.fromhex(self.raw)[_AMOUNT], "big")


@attrs.frozen(kw_only=True)
class Answer:
    """What the issuer says of one record, by the line it was sent in."""

    line: int = attrs.field(validator=_count(1))
    state: State = attrs.field(converter=State)
    code: str = attrs.field(validator=_text(r"[A-Z][0-9]{2}|OK", "a code"))
    amount_fen: int = attrs.field(validator=_amount)
    fee_fen: int = attrs.field(validator=_amount)


@attrs.frozen(kw_only=True)
class ListedCard:
    """A card that its city wants refused."""

    asn: str = attrs.field(validator=_text(r"[0-9]{20}", "20 digits"))

    @property
    def amount_fen(self) -> int:
        """Give no amount: it is about none."""
        return 0


_LINES: Final[dict[FileKind, type[Any]]] = {
    FileKind.RECORDS: SentRecord,
    FileKind.ANSWERS: Answer,
    FileKind.CARDS: ListedCard,
}


@attrs.frozen(kw_only=True)
class ExchangeFile:
    """A file taken apart; ``lines`` are of the class that its kind says."""

    header: Header
    lines: Sequence[Any] = attrs.field(repr=False)
    digest32: bytes
    key: str
    signature: bytes = attrs.field(repr=False)


def file_name(header: Header) -> str:
    """Name a file so that its place in the order can be seen: ``9901-9902-records-000001.ccx``."""
    return f"{header.sender}-{header.receiver}-{header.kind}-{header.number:06d}.ccx"


def write_file(
    header: Header, lines: Iterable[SentRecord | Answer | ListedCard], signer: SealSigner
) -> bytes:
    """Write a file; the same content gives the same bytes."""
    told = {name: value for name, value in attrs.asdict(header).items() if value not in (None, ())}
    content = b"".join(map(_json, ({"format": _FORMAT} | told, *map(attrs.asdict, lines))))
    digest = hashlib.sha256(content).digest()
    signature = signer.sign(_DOMAIN + digest)
    return content + _json({"sha256": digest.hex(), "key": signer.key.id, "signature": signature.hex()})


def read_file(data: bytes) -> ExchangeFile:
    """Take a file apart; raise ExchangeFileDamaged with F03, F06 or F07. Who signed it is checked apart."""
    content, trailer = _last_line(data)
    digest = hashlib.sha256(content).digest()
    if trailer["sha256"] != digest.hex():
        raise _damaged("F03", "sha256", Phrase("{digest}, as the bytes before it have", digest=digest.hex()))
    rows = content.split(b"\n")[:-1]
    told = _object(rows[0], 1)
    if told.pop("format", None) != _FORMAT:
        raise _damaged("F07", "format", _FORMAT)
    header: Header = _made(Header, told, 1)
    lines = [_made(_LINES[header.kind], _object(row, place), place) for place, row in enumerate(rows[1:], 2)]
    total_fen = sum(line.amount_fen for line in lines)
    if (header.records, header.amount_fen) != (len(lines), total_fen):
        raise _damaged(
            "F06",
            "header",
            Phrase("{count} records of {total_fen} fen, as there are", count=len(lines), total_fen=total_fen),
        )
    _check_order(header, lines)
    return ExchangeFile(
        header=header,
        lines=lines,
        digest32=digest,
        key=str(trailer["key"]),
        signature=_bytes(trailer["signature"]),
    )


def signed_by(file: ExchangeFile, keys: Iterable[SealKey]) -> bool:
    """Say whether one of these keys signed the file."""
    return any(key.signed(_DOMAIN + file.digest32, file.signature) for key in keys)


def _check_order(header: Header, lines: Sequence[Any]) -> None:
    if header.kind is FileKind.RECORDS and [one.line for one in lines] != list(range(1, len(lines) + 1)):
        raise _damaged("F07", "line", "the lines numbered from 1 without a hole")
    if header.kind is FileKind.ANSWERS and len({one.line for one in lines}) != len(lines):
        raise _damaged("F07", "line", "each line answered once")


def _json(value: dict[str, Any]) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)
    return text.encode() + b"\n"


def _plain(value: object) -> str:
    assert isinstance(value, dt.date)
    return value.isoformat()


def _last_line(data: bytes) -> tuple[bytes, dict[str, Any]]:
    head, _, last = data[:-1].rpartition(b"\n")
    expected = "a last line with sha256, key and signature: the file was cut, or is none"
    if not head or not data.endswith(b"\n"):
        raise _damaged("F07", "last line", expected)
    trailer = _parsed(last)
    if not isinstance(trailer, dict) or {*trailer} != {"sha256", "key", "signature"}:
        raise _damaged("F07", "last line", expected)
    return head + b"\n", trailer


def _object(row: bytes, place: int) -> dict[str, Any]:
    value = _parsed(row)
    if not isinstance(value, dict):
        raise _damaged("F07", f"line {place} of the file", "a JSON object")
    return value


def _parsed(row: bytes) -> Any:
    try:
        return json.loads(row)
    except (ValueError, RecursionError):
        return None


def _made(kind: type[Any], value: dict[str, Any], place: int) -> Any:
    try:
        return kind(**value)
    except (TypeError, ValueError) as wrong:
        words = re.sub(r"\s+", " ", str(wrong))[:160]
        raise _damaged("F07", f"line {place} of the file", words) from None


def _bytes(value: object) -> bytes:
    try:
        return bytes.fromhex(str(value))
    except ValueError:
        return b""
