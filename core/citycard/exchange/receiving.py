"""Take in the files of other cities: each one handed in is accepted, a duplicate, or quarantined with a code.

A file is one transaction: its bytes are kept first, and all that it means is written with its row. Handing it
in again changes nothing, and one that was broken off or cut on its way is simply handed in again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import attrs
from sqlalchemy import Connection

from citycard import registry
from citycard.clearing.codes import FileState
from citycard.errors import ExchangeFileDamaged, ForeignListRefused, Phrase, RegistryMissing
from citycard.exchange.answers import objection_to, take_answers
from citycard.exchange.context import ExchangeContext
from citycard.exchange.filebook import BookedFile, accepted_file, book_file, told
from citycard.exchange.format import ExchangeFile, FileKind, read_file, signed_by
from citycard.exchange.incoming import take_records
from citycard.exchange.tables import exchange_file
from citycard.files import write_whole
from citycard.registry.foreignlists import check_foreign_list, take_foreign_list
from citycard.store.engine import write_alone, writing

__all__ = ["FILE_MEANINGS", "receive"]

FILE_MEANINGS: Final = {
    "OK": "in order",
    "F01": "the sender is not on the list of cities",
    "F02": "none of the sender's keys signed it",
    "F03": "the digest is not that of the content",
    "F04": "the file, or another one of its kind with its number, was accepted before",
    "F05": "the file is missing among the sender's numbers",
    "F06": "the header's count or total differs from the lines",
    "F07": "the form is not known, or the file was cut",
    "F08": "it is for another city, or answers what was not sent or has its answer",
    "F09": "a fee differs from the one that was agreed",
    "F10": "it lists a card of this city, or one that another city listed",
}
"""The codes a file of another city can end with (docs/interconnect.md)."""

_LONGEST = 400


def receive(context: ExchangeContext, files: Iterable[Path | tuple[str, bytes]]) -> list[BookedFile]:
    """Take in files, given as paths or as pairs of name and bytes, and say where each one ended."""
    ended = []
    for file in files:
        name, data = file if isinstance(file, tuple) else (file.name, file.read_bytes())
        ended.append(_receive(context, _readable(name), data))
    return ended


def _readable(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")[-_LONGEST:]


def _receive(context: ExchangeContext, name: str, data: bytes) -> BookedFile:
    digest = hashlib.sha256(data).hexdigest()
    path = f"exchange/in/{digest}.ccx"
    write_whole(context.folder / path, data)
    ended = BookedFile(
        way="in",
        city="",
        kind="",
        number=None,
        name=name,
        digest=digest,
        state=FileState.QUARANTINED,
        code="",
        path=path,
    )
    try:
        file = read_file(data)
    except ExchangeFileDamaged as damage:
        ended = _end(ended, str(damage.data["code"]), str(damage))
        with writing(context.engine) as conn:
            return book_file(conn, ended, context.clock.now())
    with writing(context.engine) as conn:
        write_alone(conn, exchange_file)
        ended = _sorted_out(
            context, conn, attrs.evolve(ended, city=file.header.sender, **told(file.header)), file
        )
        if ended.state is FileState.ACCEPTED:
            ended = _take(context, conn, ended, file)
        return book_file(conn, ended, context.clock.now())


def _end(file: BookedFile, code: str, reason: str, state: FileState = FileState.QUARANTINED) -> BookedFile:
    # What a file says of itself can be any text, and not every one can be kept.
    words = "".join(letter if letter.isprintable() else " " for letter in reason)
    return attrs.evolve(file, state=state, code=code, reason=words[:_LONGEST])


def _sorted_out(
    context: ExchangeContext, conn: Connection, ended: BookedFile, file: ExchangeFile
) -> BookedFile:
    header = file.header
    try:
        registry.find_city(conn, header.sender)
    except RegistryMissing as missing:
        return _end(ended, "F01", str(missing))
    if not signed_by(file, registry.city_keys(conn, header.sender)):
        return _end(
            ended,
            "F02",
            Phrase(
                "no key of city {sender} signed it: it names {key}", sender=header.sender, key=file.key[:60]
            ),
        )
    if header.receiver != context.code:
        return _end(
            ended,
            "F08",
            Phrase(
                "it is for city {receiver}, and this is {code}", receiver=header.receiver, code=context.code
            ),
        )
    before = accepted_file(conn, "in", header.sender, header.kind, header.number)
    if before is not None and before.digest == ended.digest:
        return _end(ended, "F04", "the same file was accepted before", FileState.DUPLICATE)
    if before is not None:
        return _end(
            ended,
            "F04",
            Phrase("{kind} {number} was accepted with other content", kind=header.kind, number=header.number),
        )
    objection = _objection(conn, file)
    return _end(ended, *objection) if objection else _end(ended, "OK", "", FileState.ACCEPTED)


def _objection(conn: Connection, file: ExchangeFile) -> tuple[str, str] | None:
    if file.header.kind is FileKind.ANSWERS:
        return objection_to(conn, file)
    if file.header.kind is FileKind.CARDS:
        try:
            check_foreign_list(conn, file.header.sender, [line.asn for line in file.lines])
        except ForeignListRefused as refused:
            return "F10", str(refused)
    return None


def _take(context: ExchangeContext, conn: Connection, ended: BookedFile, file: ExchangeFile) -> BookedFile:
    """Do what an accepted file means."""
    header = file.header
    if header.kind is FileKind.RECORDS:
        return attrs.evolve(ended, intake=take_records(context, conn, file))
    if header.kind is FileKind.ANSWERS:
        take_answers(context, conn, file)
    else:
        assert header.list is not None
        take_foreign_list(conn, header.sender, header.list, [line.asn for line in file.lines])
        registry.publish_blacklist(conn, at=context.clock.now())
    return ended
