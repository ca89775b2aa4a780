"""Judge batch files: each one handed in is accepted, a duplicate, or quarantined with a code."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import attrs

from citycard.clearing.codes import FileCode, FileState
from citycard.clearing.reports import FileOutcome
from citycard.errors import BatchDamaged
from citycard.terminal.batch import Batch, read_batch

__all__ = ["Delivery", "File", "KnownFiles", "read_files", "sort_out"]

File = str | Path | tuple[str, bytes]

_LONGEST_NAME = 400


@attrs.define(kw_only=True)
class Delivery:
    """One file on its way: its bytes, the batch in it as far as it is one, and where it ends."""

    name: str
    data: bytes = attrs.field(repr=False)
    digest: str
    batch: Batch | None
    state: FileState = FileState.ACCEPTED
    code: FileCode = FileCode.OK
    reason: str = ""

    def end(self, state: FileState, code: FileCode, reason: str) -> None:
        """Say where the file ends."""
        self.state, self.code, self.reason = state, code, reason[:_LONGEST_NAME]

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
class KnownFiles:
    """What is known when files arrive: who may hand in, what was accepted, what the manifests announced.

    ``accepted`` gives the digest accepted under a terminal and batch number, ``announced`` the digests that
    manifests give for it.
    """

    terminals: frozenset[str]
    revoked: frozenset[str]
    accepted: Mapping[tuple[str, int], str]
    announced: Mapping[tuple[str, int], frozenset[str]]


def read_files(files: Iterable[File], total: Callable[[bytes], int]) -> Iterator[Delivery]:
    """Read files and the batches in them; what is damaged ends quarantined with the code of its damage.

    ``total`` adds up the amounts of records.
    """
    for file in files:
        if isinstance(file, tuple):
            name, data = file
        else:
            name, data = Path(file).name, Path(file).read_bytes()
        delivery = Delivery(
            name=_readable(name)[-_LONGEST_NAME:],
            data=data,
            digest=hashlib.sha256(data).hexdigest(),
            batch=None,
        )
        try:
            delivery.batch = read_batch(data, total=total)
        except BatchDamaged as damage:
            delivery.end(FileState.QUARANTINED, FileCode(str(damage.data["code"])), str(damage))
        yield delivery


def _readable(name: str) -> str:
    """Write bytes of a file's name that are no text, and NUL, so that every database can keep them."""
    return name.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def sort_out(
    deliveries: Iterable[Delivery], known: KnownFiles, verify: Callable[[bytes, bytes, bytes], bool]
) -> None:
    """Say where each file ends. ``verify(terminal6, digest, signature)`` checks a terminal's signature.

    Deliveries may be sorted out again when more is known; only damage found while reading stays.
    """
    accepted = dict(known.accepted)
    for delivery in deliveries:
        if delivery.batch is None:
            continue
        header, trailer = delivery.batch.header, delivery.batch.trailer
        key = (header.terminal, header.number)
        if accepted.get(key) == delivery.digest:
            delivery.end(FileState.DUPLICATE, FileCode.F04, "the same file was accepted before")
        elif reason := _stranger(header.terminal, known):
            delivery.end(FileState.QUARANTINED, FileCode.F01, reason)
        elif not verify(bytes.fromhex(header.terminal), trailer.digest, trailer.signature):
            delivery.end(FileState.QUARANTINED, FileCode.F02, f"not signed by terminal {header.terminal}")
        elif delivery.digest not in known.announced.get(key, {delivery.digest}):
            delivery.end(
                FileState.QUARANTINED, FileCode.F03, "a manifest announces another digest for this batch"
            )
        elif key in accepted:
            reason = f"batch {header.number} of terminal {header.terminal} was accepted with other content"
            delivery.end(FileState.QUARANTINED, FileCode.F04, reason)
        else:
            delivery.end(FileState.ACCEPTED, FileCode.OK, "")
            accepted[key] = delivery.digest


def _stranger(terminal: str, known: KnownFiles) -> str:
    if terminal not in known.terminals:
        return f"terminal {terminal} is not registered"
    return f"terminal {terminal} is closed" if terminal in known.revoked else ""
