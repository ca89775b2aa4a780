"""The book of files: one row for each that was sent or handed in, and numbers without a hole."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

import attrs
from sqlalchemy import Connection, Row, func, insert, select

from citycard.clearing.codes import FileState
from citycard.clearing.context import CityFile
from citycard.exchange.format import NUMBER_MOST, FileKind, Header, file_name
from citycard.exchange.tables import exchange_file

__all__ = [
    "NEWEST",
    "BookedFile",
    "FileTotal",
    "MissingFile",
    "accepted_file",
    "book_file",
    "booked_files",
    "city_file",
    "file_page",
    "missing_files",
    "next_number",
]


@attrs.frozen(kw_only=True)
class BookedFile:
    """A file that was sent (``way`` is out) or handed in (in), and where it ended.

    ``records`` and ``amount_fen`` are of all its lines, ``gross_fen`` and ``fee_fen`` of what a file of
    answers accepts; ``answers`` is the file of records it is about, ``path`` its place in the city's folder.
    ``seq`` counts the files in the order in which they were booked, 0 for one that is not booked.
    """

    way: str
    city: str
    kind: str
    number: int | None
    name: str
    digest: str
    state: FileState = attrs.field(converter=FileState)
    code: str
    reason: str = ""
    day: date | None = None
    records: int = 0
    amount_fen: int = 0
    gross_fen: int = 0
    fee_fen: int = 0
    answers: int | None = None
    list: int | None = None
    intake: int | None = None
    run: int | None = None
    path: str = ""
    seq: int = 0

    @classmethod
    def sent(cls, header: Header, data: bytes, *, run: int | None = None) -> BookedFile:
        """Give the row of a file that is sent; its place follows from its name."""
        name = file_name(header)
        return cls(
            way="out",
            city=header.receiver,
            name=name,
            digest=hashlib.sha256(data).hexdigest(),
            state=FileState.ACCEPTED,
            code="OK",
            run=run,
            path=f"exchange/out/{header.receiver}/{name}",
            **told(header),
        )


def told(header: Header) -> dict[str, Any]:
    """Give what the header of a file says of it."""
    names = ("number", "day", "records", "amount_fen", "gross_fen", "fee_fen", "answers", "list")
    return {"kind": header.kind.value} | {name: getattr(header, name) for name in names}


FileTotal = tuple[str, str, int, int]
"""What a file of answers comes to for one state and code: state, code, records, fen."""

NEWEST: Final = 2**62
"""Comes after every ``seq``: before it stand the newest files."""


@attrs.frozen(kw_only=True)
class MissingFile:
    """A number that a city left out among its files of a kind, or whose file has not come (F05)."""

    city: str
    kind: str
    number: int


def book_file(
    conn: Connection, file: BookedFile, at: datetime, *, totals: Sequence[FileTotal] | None = None
) -> BookedFile:
    """Write down a file, and with answers that are sent what they come to; give it as it is booked."""
    row = attrs.asdict(file) | {"state": file.state.value, "at": at}
    del row["seq"]
    row["totals"] = None if totals is None else [list(total) for total in totals]
    (seq,) = conn.execute(insert(exchange_file), row).inserted_primary_key or (0,)
    return attrs.evolve(file, seq=int(seq))


def booked_files(
    conn: Connection, *, way: str = "", city: str = "", kind: str = "", accepted: bool = False
) -> list[BookedFile]:
    """Give files in the order in which they were booked, all or those of one way, city and kind."""
    query = select(exchange_file).order_by(exchange_file.c.seq)
    for column, value in (
        (exchange_file.c.way, way),
        (exchange_file.c.city, city),
        (exchange_file.c.kind, kind),
    ):
        query = query.where(column == value) if value else query
    if accepted:
        query = query.where(exchange_file.c.state == FileState.ACCEPTED.value)
    return [_booked(row) for row in conn.execute(query)]


def file_page(
    conn: Connection, *, city: str = "", before: int = NEWEST, limit: int | None = None
) -> list[BookedFile]:
    """Give files of all cities or of one, the newest first, from the one booked last before ``before``."""
    query = select(exchange_file).where(exchange_file.c.seq < before)
    if city:
        query = query.where(exchange_file.c.city == city)
    rows = conn.execute(query.order_by(exchange_file.c.seq.desc()).limit(limit))
    return [_booked(row) for row in rows]


def accepted_file(conn: Connection, way: str, city: str, kind: FileKind, number: int) -> BookedFile | None:
    """Give the one file with a number that was sent or accepted, or None."""
    query = select(exchange_file).where(
        exchange_file.c.way == way,
        exchange_file.c.city == city,
        exchange_file.c.kind == kind.value,
        exchange_file.c.number == number,
        exchange_file.c.state == FileState.ACCEPTED.value,
    )
    row = conn.execute(query).one_or_none()
    return None if row is None else _booked(row)


def city_file(conn: Connection, city: str, number: int) -> CityFile | None:
    """Give what clearing asks about a file of records that a city handed in, or None."""
    # The id of a record may name any number, and no file has one that the book cannot hold.
    file = accepted_file(conn, "in", city, FileKind.RECORDS, number) if number <= NUMBER_MOST else None
    if file is None:
        return None
    assert file.intake is not None
    return CityFile(name=file.name, digest=file.digest, intake=file.intake, path=file.path)


def next_number(conn: Connection, city: str, kind: FileKind) -> int:
    """Give the number of the next file of a kind for a city."""
    query = select(func.coalesce(func.max(exchange_file.c.number), 0)).where(
        exchange_file.c.way == "out", exchange_file.c.city == city, exchange_file.c.kind == kind.value
    )
    return int(conn.scalar(query) or 0) + 1


def missing_files(conn: Connection) -> tuple[MissingFile, ...]:
    """List the numbers that are missing among the files that came in, of each city and kind."""
    query = select(exchange_file.c.city, exchange_file.c.kind, exchange_file.c.number).where(
        exchange_file.c.way == "in", exchange_file.c.state == FileState.ACCEPTED.value
    )
    seen: Mapping[tuple[str, str], set[int]] = defaultdict(set)
    for row in conn.execute(query):
        seen[row.city, row.kind].add(row.number)
    return tuple(
        MissingFile(city=city, kind=kind, number=number)
        for (city, kind), numbers in sorted(seen.items())
        for number in _holes(sorted(numbers))
    )


def _holes(numbers: Sequence[int]) -> list[int]:
    holes: list[int] = []
    for before, after in zip((0, *numbers), numbers, strict=False):
        holes += range(before + 1, min(after, before + 1 + _HOLES_MOST))
    return holes


_HOLES_MOST = 1000


def _booked(row: Row[Any]) -> BookedFile:
    facts = dict(row._mapping)  # noqa: SLF001 - the documented way to read a row by name
    return BookedFile(**{field.name: facts[field.name] for field in attrs.fields(BookedFile)})
