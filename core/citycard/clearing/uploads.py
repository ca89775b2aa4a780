"""Uploads of senders' files: begun by a cover, continued wherever they broke, taken in once they are whole.

The bytes lie in ``uploads/<id>.part``, and its length is how far the upload is: nothing is told to be there
before it was forced to the medium. The id follows from the cover, so that whoever begins again goes on.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import IO, Any, Final
from uuid import UUID

import attrs
from sqlalchemy import Connection, delete, func, select, update

from citycard.clearing.codes import FileCode, FileState
from citycard.clearing.context import ClearingContext
from citycard.clearing.cover import Cover, read_cover
from citycard.clearing.files import read_archived
from citycard.clearing.intake import receive
from citycard.clearing.reports import FileOutcome, RowProblem, SentOutcome
from citycard.clearing.senders import find_sender
from citycard.clearing.senttables import sent_file, upload
from citycard.errors import (
    BodyTooLarge,
    CitycardError,
    Phrase,
    UploadBroken,
    UploadConflict,
    UploadsTooMany,
    UploadUnknown,
    UploadUntraceable,
)
from citycard.files import sync_folder
from citycard.ids import derived_id
from citycard.store.bulk import insert_missing
from citycard.store.engine import reading, writing

__all__ = [
    "MOST_UNFINISHED",
    "Appending",
    "Upload",
    "UploadAnswer",
    "append",
    "begin",
    "find_upload",
    "finish",
    "look_after_uploads",
]

_KEPT: Final = timedelta(days=3)
MOST_UNFINISHED: Final = 100
"""So many uploads of one sender may be unfinished."""

_log = logging.getLogger("citycard.clearing")


@attrs.frozen(kw_only=True)
class UploadAnswer:
    """What came of an upload: where the file ended, and its batches that are quarantined."""

    file: SentOutcome
    quarantined: tuple[FileOutcome, ...] = ()

    @property
    def clean(self) -> bool:
        """Say whether neither the file nor a batch in it is quarantined."""
        return self.file.state is not FileState.QUARANTINED and not self.quarantined


@attrs.frozen(kw_only=True)
class Upload:
    """An upload: how far it is, in bytes, and what came of it once it was taken in."""

    id: UUID
    partner: str
    cover: Cover
    offset: int
    answer: UploadAnswer | None = None

    @property
    def complete(self) -> bool:
        """Say whether the file was taken in."""
        return self.answer is not None


def begin(context: ClearingContext, cover: Cover) -> Upload:
    """Begin an upload, or find the one that the same cover began.

    Where something of it ended quarantined it is judged once more, from the bytes that are kept: the reason
    may be gone. Raise SenderUnknown, UploadsTooMany, or UploadUntraceable.
    """
    find_sender(context, cover.sender)
    name = derived_id("upload", hashlib.sha256(cover.written()).hexdigest())
    row = {
        "id": name,
        "sender": cover.sender,
        "number": cover.number,
        "cover": attrs.asdict(cover),
        "begun_at": context.clock.now(),
        "answer": None,
    }
    with writing(context.engine) as conn:
        # Whoever goes on has three days from now.
        unfinished = update(upload).where(upload.c.id == name, upload.c.answer.is_(None))
        known = conn.execute(unfinished.values(begun_at=row["begun_at"])).rowcount
        if not known and insert_missing(conn, upload, [row]):
            _require_few(conn, cover.sender)
    found = find_upload(context, name)
    return _judge_again(context, found) if found.answer and not found.answer.clean else found


def _require_few(conn: Connection, name: str) -> None:
    query = select(func.count()).where(upload.c.sender == name, upload.c.answer.is_(None))
    if (conn.scalar(query) or 0) > MOST_UNFINISHED:
        raise UploadsTooMany(sender=name, limit=MOST_UNFINISHED)


def _judge_again(context: ClearingContext, found: Upload) -> Upload:
    cover = found.cover
    query = (
        select(sent_file.c.archive)
        .where(sent_file.c.sender == cover.sender, sent_file.c.number == cover.number)
        .where(sent_file.c.digest == cover.sha256, sent_file.c.archive != "")
        .order_by(sent_file.c.intake.desc())
        .limit(1)
    )
    with reading(context.engine) as conn:
        archive = conn.scalars(query).one_or_none()
    if archive is None:
        raise UploadUntraceable(sender=cover.sender, number=cover.number, digest=cover.sha256)
    return _take_in(context, found, read_archived(context.folder / archive, cover.sha256))


def find_upload(context: ClearingContext, name: UUID) -> Upload:
    """Find an upload; raise UploadUnknown."""
    with reading(context.engine) as conn:
        row = conn.execute(select(upload).where(upload.c.id == name)).one_or_none()
    if row is None:
        raise UploadUnknown(upload=name)
    cover = read_cover(row.cover)
    answer = _answer(row.answer) if row.answer else None
    return Upload(
        id=name,
        partner=find_sender(context, cover.sender).partner,
        cover=cover,
        offset=cover.size if answer else _length(_path(context, name)),
        answer=answer,
    )


class Appending:
    """A whole upload in the making: bytes are written at its end, and count once they are kept."""

    def __init__(self, file: IO[bytes], cover: Cover, offset: int) -> None:
        self._file, self._cover, self.offset = file, cover, offset

    def write(self, piece: bytes) -> None:
        """Write a piece; raise BodyTooLarge beyond the size on the cover."""
        if self.offset + len(piece) > self._cover.size:
            raise BodyTooLarge(limit=self._cover.size)
        self._file.write(piece)
        self.offset += len(piece)

    def keep(self) -> None:
        """Force what was written to the medium."""
        self._file.flush()
        os.fsync(self._file.fileno())


@contextmanager
def append(context: ClearingContext, found: Upload, offset: int) -> Iterator[Appending]:
    """Go on with an upload at ``offset``, where it must be; at the end, even of a cut, what came is kept.

    Raise UploadConflict when it is elsewhere, or while somebody else goes on with it.
    """
    path = _path(context, found.id)
    with _held(path) as file:
        if find_upload(context, found.id).complete:
            path.unlink(missing_ok=True)
        there = find_upload(context, found.id).offset
        if offset != there:
            reason = Phrase(
                "the upload is at offset {there}, not {offset}: ask for the offset, and go on there",
                there=there,
                offset=offset,
            )
            raise UploadConflict(reason=reason)
        piece = Appending(file, found.cover, offset)
        try:
            yield piece
        finally:
            piece.keep()


def finish(context: ClearingContext, name: UUID) -> Upload:
    """Take in an upload whose bytes are all there, once, and give the same answer ever after.

    An upload that is not whole is given as it is. Raise UploadBroken when the bytes are not those of the
    cover; they are thrown away then. Raise UploadUntraceable when they came before and nothing says how they
    ended.
    """
    found = find_upload(context, name)
    path = _path(context, name)
    if found.complete or found.offset != found.cover.size:
        return found
    try:
        data = path.read_bytes() if found.cover.size else b""
    except FileNotFoundError:
        # Another connection finished it a moment ago.
        return find_upload(context, name)
    digest = hashlib.sha256(data).hexdigest()
    if digest != found.cover.sha256:
        path.unlink(missing_ok=True)
        raise UploadBroken(found=digest, expected=found.cover.sha256)
    return _take_in(context, found, data)


def _take_in(context: ClearingContext, found: Upload, data: bytes) -> Upload:
    report = receive(context, [(found.cover, data)])
    odd = tuple(one for one in report.files if one.state is FileState.QUARANTINED)
    answer = UploadAnswer(file=_first(context, report.sent[0]), quarantined=odd)
    with writing(context.engine) as conn:
        conn.execute(update(upload).where(upload.c.id == found.id).values(answer=attrs.asdict(answer)))
    _path(context, found.id).unlink(missing_ok=True)
    return find_upload(context, found.id)


def look_after_uploads(context: ClearingContext) -> int:
    """Finish uploads that are whole, and forget those that were left off; return how many were forgotten.

    Whoever sent the last byte may have been cut off before it was taken in.
    """
    before = context.clock.now() - _KEPT
    with reading(context.engine) as conn:
        query = select(upload.c.id, upload.c.begun_at).where(upload.c.answer.is_(None))
        begun = conn.execute(query).all()
    return sum(_looked_after(context, row.id, left_off=row.begun_at < before) for row in begun)


def _looked_after(context: ClearingContext, name: UUID, *, left_off: bool) -> bool:
    """Finish an upload that is whole, or forget one that was left off; one stops no other."""
    try:
        found = finish(context, name)
        whole = found.complete or found.offset == found.cover.size
        return left_off and not whole and _forget(context, name)
    except (CitycardError, OSError) as error:
        _log.warning("upload %s: %s", name, error)
        return False


def _forget(context: ClearingContext, name: UUID) -> bool:
    path = _path(context, name)
    old = upload.c.begun_at < context.clock.now() - _KEPT
    # Nobody is sending it, and nobody has begun it again a moment ago.
    with suppress(UploadConflict), _held(path):
        with writing(context.engine) as conn:
            unfinished = delete(upload).where(upload.c.id == name, upload.c.answer.is_(None), old)
            gone = conn.execute(unfinished).rowcount == 1
        if gone:
            path.unlink(missing_ok=True)
        return gone
    return False


@contextmanager
def _held(path: Path) -> Iterator[IO[bytes]]:
    """Hold an upload, so that nobody else writes to it; raise UploadConflict."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists()
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            reason = "another connection is sending this upload: end it, ask for the offset, and go on there"
            raise UploadConflict(reason=reason) from None
        if new:
            # The bytes are worth nothing without the name.
            sync_folder(path.parent)
        yield file


def _path(context: ClearingContext, name: UUID) -> Path:
    return context.folder / "uploads" / f"{name}.part"


def _length(path: Path) -> int:
    """Give how much is there, and force it to the medium: another connection may be writing it just now."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        os.fsync(file.fileno())
        return size
    return 0


def _first(context: ClearingContext, now: SentOutcome) -> SentOutcome:
    """Say where a file ended the first time: whoever was killed before the answer was kept asks twice."""
    if now.state is not FileState.DUPLICATE:
        return now
    with reading(context.engine) as conn:
        row = conn.execute(
            select(sent_file)
            .where(
                sent_file.c.sender == now.sender,
                sent_file.c.number == now.number,
                sent_file.c.digest == now.digest,
                sent_file.c.state == FileState.ACCEPTED.value,
            )
            .order_by(sent_file.c.intake)
            .limit(1)
        ).one_or_none()
    if row is None:
        raise UploadUntraceable(sender=now.sender, number=now.number, digest=now.digest)
    return _outcome({field.name: getattr(row, field.name) for field in attrs.fields(SentOutcome)})


def _answer(stored: dict[str, Any]) -> UploadAnswer:
    odd = tuple(FileOutcome(**one) for one in stored["quarantined"])
    return UploadAnswer(file=_outcome(stored["file"]), quarantined=odd)


def _outcome(stored: dict[str, Any]) -> SentOutcome:
    problems = tuple(RowProblem(**one) for one in stored["problems"])
    state, code = FileState(stored["state"]), FileCode(stored["code"])
    return SentOutcome(**stored | {"problems": problems, "state": state, "code": code})
