"""Judge batch files: each one handed in is accepted, a duplicate, or quarantined with a code."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path

import attrs

from citycard.clearing.arrivals import arrive
from citycard.clearing.codes import FileCode, FileState
from citycard.clearing.cover import MOST_BYTES, Cover
from citycard.clearing.reports import FileOutcome, readable
from citycard.clearing.sent import KnownSenders, Sender, SentDelivery, read_sent_file, sort_out_sent
from citycard.errors import BatchDamaged, FileUnreadable, Phrase
from citycard.terminal.batch import Batch, read_batch

__all__ = ["Delivery", "File", "KnownFiles", "Limits", "kept_name", "read_files", "sort_out", "unread"]

File = str | Path | tuple[str, bytes] | tuple[Cover, bytes]

_LONGEST_NAME = 400


@attrs.define(kw_only=True)
class Delivery:
    """One batch file on its way: its bytes, the batch in it as far as it is one, and where it ends.

    ``sent`` is the sender's file that it came in, if any.
    """

    name: str
    data: bytes = attrs.field(repr=False)
    digest: str
    batch: Batch | None
    sent: SentDelivery | None = None
    state: FileState = FileState.ACCEPTED
    code: FileCode = FileCode.OK
    reason: str = ""

    def end(self, state: FileState, code: FileCode, reason: str) -> None:
        """Say where the file ends."""
        self.state, self.code, self.reason = state, code, readable(reason)[:_LONGEST_NAME]

    @property
    def vouched_for(self) -> str:
        """Give the partner whose sender signed for this batch, or nothing."""
        return self.sent.vouched_for if self.sent else ""

    def outcome(self) -> FileOutcome:
        """Say where the file ended."""
        header = self.batch.header if self.batch else None
        return FileOutcome(
            name=self.name,
            digest=self.digest,
            state=self.state,
            code=self.code,
            reason=self.reason,
            terminal=header.terminal if header else "",
            number=header.number if header else None,
            records=header.count if header else 0,
            amount_fen=self.batch.trailer.total_fen if self.batch else 0,
        )


@attrs.frozen(kw_only=True)
class Limits:
    """How late a batch may come: days from its business date to today; 0 is no limit."""

    today: date
    late_days: int = 0
    expired_days: int = 0


@attrs.frozen(kw_only=True)
class KnownFiles:
    """What is known when files arrive: who may hand in, what was accepted, what the manifests announced.

    ``partners`` gives the partner of each terminal, ``accepted`` the digest accepted under a terminal and
    batch number, ``announced`` the digests that manifests give for it. Late files whose digest was
    ``released`` are let through, and what a sender signed for then needs no other signature.
    """

    partners: Mapping[str, str]
    revoked: frozenset[str]
    accepted: Mapping[tuple[str, int], str]
    announced: Mapping[tuple[str, int], frozenset[str]]
    senders: KnownSenders
    limits: Limits
    released: frozenset[str] = frozenset()
    vouched: frozenset[str] = frozenset()


def read_files(
    files: Iterable[File],
    total: Callable[[bytes], int],
    folder: Path,
    sender: Callable[[str], Sender | None],
) -> Iterator[Delivery | SentDelivery | FileOutcome]:
    """Read files and the batches in them; what is damaged ends quarantined with the code of its damage.

    After a sender's file come its batches. A file that cannot be read has ended, and stops no other.
    ``total`` adds up the amounts of records, ``sender`` knows who hands in files, by id.
    """
    for file in files:
        try:
            name, data = _arrived(file)
        except FileUnreadable as error:
            yield unread(error)
            continue
        if isinstance(name, Cover):
            yield from _read_sent(read_sent_file(name, data, folder, sender(name.sender)), total)
        else:
            yield _read(name, data, total)


def _arrived(file: File) -> tuple[str, bytes] | tuple[Cover, bytes]:
    if not isinstance(file, tuple):
        return arrive(file if isinstance(file, Path) else Path(file)).source
    if len(file[1]) > MOST_BYTES:
        name = file[0].file if isinstance(file[0], Cover) else file[0]
        raise FileUnreadable(
            file=name,
            reason=Phrase(
                "it has {count} bytes, more than {most_bytes}", count=len(file[1]), most_bytes=MOST_BYTES
            ),
        )
    return file


def kept_name(name: str) -> str:
    """Give the name under which a file stands in the book and in reports."""
    return readable(name)[-_LONGEST_NAME:]


def unread(error: FileUnreadable) -> FileOutcome:
    """Say where a file ended that could not be read: nothing of it is kept."""
    return FileOutcome(
        name=kept_name(error.data["file"]),
        digest="",
        state=FileState.QUARANTINED,
        code=FileCode.F07,
        reason=readable(str(error))[:_LONGEST_NAME],
    )


def _read_sent(sent: SentDelivery, total: Callable[[bytes], int]) -> Iterator[Delivery | SentDelivery]:
    yield sent
    for place, data in enumerate(sent.rows.batches if sent.rows else (), start=1):
        delivery = _read(f"{sent.name}/{place}", data, total)
        delivery.sent = sent
        if delivery.batch is not None:
            header = delivery.batch.header
            delivery.name = f"{sent.name}/{header.terminal}-{header.number:06d}"
        yield delivery


def _read(name: str, data: bytes, total: Callable[[bytes], int]) -> Delivery:
    delivery = Delivery(
        name=kept_name(name),
        data=data,
        digest=hashlib.sha256(data).hexdigest(),
        batch=None,
    )
    try:
        delivery.batch = read_batch(data, total=total)
    except BatchDamaged as damage:
        delivery.end(FileState.QUARANTINED, FileCode(str(damage.data["code"])), str(damage))
    return delivery


def sort_out(
    files: Iterable[Delivery | SentDelivery], known: KnownFiles, verify: Callable[[bytes, bytes, bytes], bool]
) -> tuple[list[SentDelivery], list[Delivery]]:
    """Say where each file ends, and give senders' files and the batches that count.

    The batches of a sender's file that is quarantined do not. ``verify(terminal6, digest, signature)`` checks
    a terminal's signature. Files may be sorted out again when more is known; only damage found while reading
    stays.
    """
    accepted, accepted_sent = dict(known.accepted), dict(known.senders.accepted)
    unsigned = set(known.senders.unsigned)
    sent: list[SentDelivery] = []
    batches: list[Delivery] = []
    for file in files:
        if isinstance(file, SentDelivery):
            sort_out_sent(file, known.senders, accepted_sent, unsigned)
            sent.append(file)
        elif file.sent is None or file.sent.state is not FileState.QUARANTINED:
            _sort_out(file, known, accepted, verify)
            batches.append(file)
    return sent, batches


def _sort_out(
    delivery: Delivery,
    known: KnownFiles,
    accepted: dict[tuple[str, int], str],
    verify: Callable[[bytes, bytes, bytes], bool],
) -> None:
    if delivery.batch is None:
        return
    header = delivery.batch.header
    key = (header.terminal, header.number)
    quarantined = FileState.QUARANTINED
    if accepted.get(key) == delivery.digest:
        delivery.end(FileState.DUPLICATE, FileCode.F04, "the same file was accepted before")
    elif reason := _stranger(header.terminal, known):
        delivery.end(quarantined, FileCode.F01, reason)
    elif reason := _unsigned(delivery, delivery.batch, known, verify):
        delivery.end(quarantined, FileCode.F02, reason)
    elif delivery.digest not in known.announced.get(key, {delivery.digest}):
        delivery.end(quarantined, FileCode.F03, "a manifest announces another digest for this batch")
    elif key in accepted:
        reason = f"batch {header.number} of terminal {header.terminal} was accepted with other content"
        delivery.end(quarantined, FileCode.F04, reason)
    elif late := _late(delivery.digest, header.business_date, known):
        delivery.end(quarantined, *late)
    else:
        delivery.end(FileState.ACCEPTED, FileCode.OK, "")
        accepted[key] = delivery.digest


def _stranger(terminal: str, known: KnownFiles) -> str:
    if terminal not in known.partners:
        return f"terminal {terminal} is not registered"
    return f"terminal {terminal} is closed" if terminal in known.revoked else ""


def _unsigned(
    delivery: Delivery, batch: Batch, known: KnownFiles, verify: Callable[[bytes, bytes, bytes], bool]
) -> str:
    """Say why nobody stands for a batch: neither its terminal nor a sender of the terminal's partner."""
    terminal, trailer = batch.header.terminal, batch.trailer
    if delivery.digest in known.vouched or delivery.vouched_for == known.partners[terminal]:
        return ""
    if verify(bytes.fromhex(terminal), trailer.digest, trailer.signature):
        return ""
    if delivery.vouched_for:
        return f"not signed by terminal {terminal}, which is none of partner {delivery.vouched_for}"
    return f"not signed by terminal {terminal}"


def _late(digest: str, business_date: date, known: KnownFiles) -> tuple[FileCode, str] | None:
    limits = known.limits
    days = (limits.today - business_date).days
    said = f"business date {business_date} is {days} days ago"
    if limits.expired_days and days > limits.expired_days:
        return FileCode.F08, f"{said}, more than the {limits.expired_days} of expired_days"
    if limits.late_days and days > limits.late_days and digest not in known.released:
        return FileCode.L02, f"{said}, more than the {limits.late_days} of late_days: it waits for a release"
    return None
