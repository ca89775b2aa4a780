"""A sender's file on its way: its cover, its bytes, the batches in it, and where it ends."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import attrs
import pyarrow as pa

from citycard.clearing.codes import FileCode, FileState
from citycard.clearing.cover import Cover
from citycard.clearing.reports import SentOutcome, readable
from citycard.clearing.rows import Rows
from citycard.errors import FixedMappingInvalid, SentFileDamaged

__all__ = ["KnownSenders", "Sender", "SentDelivery", "doubts", "read_sent_file", "sort_out_sent"]

_LONGEST_REASON = 400


@attrs.frozen(kw_only=True)
class Sender:
    """Whoever hands in files of rows for a partner, and the public key (PEM) of its signatures."""

    id: str
    partner: str
    public_key: str
    opened_at: datetime
    closed_at: datetime | None = None


@attrs.define(kw_only=True)
class SentDelivery:
    """A sender's file: what its cover says, what was found in it, and where it ends.

    ``refused`` says why nothing could be found in it; ``vouched_for`` is the partner whose sender signed it,
    or empty.
    """

    name: str
    cover: Cover
    data: bytes = attrs.field(repr=False)
    digest: str
    rows: Rows | None = None
    refused: tuple[FileCode, str] | None = None
    state: FileState = FileState.ACCEPTED
    code: FileCode = FileCode.OK
    reason: str = ""
    vouched_for: str = ""

    def end(self, state: FileState, code: FileCode, reason: str) -> None:
        """Say where the file ends."""
        self.state, self.code, self.reason = state, code, readable(reason)[:_LONGEST_REASON]

    def settle(self, *, came_before: bool) -> None:
        """Accept the file, or say that it was accepted before."""
        if came_before:
            self.end(FileState.DUPLICATE, FileCode.F04, "the same file was accepted before")
        else:
            self.end(FileState.ACCEPTED, FileCode.OK, "")

    @property
    def uses_number(self) -> bool:
        """Say whether this is the file that has the sender's number from now on."""
        return self.state is FileState.ACCEPTED and bool(self.cover.signature)

    def outcome(self) -> SentOutcome:
        """Say where the file ended; records and sum as the cover has them."""
        return SentOutcome(
            name=self.name,
            digest=self.digest,
            state=self.state,
            code=self.code,
            reason=self.reason,
            sender=self.cover.sender,
            number=self.cover.number,
            format=self.cover.format,
            records=self.cover.records,
            amount_fen=self.cover.amount_fen,
            unreadable=self.rows.unreadable if self.rows else 0,
            problems=self.rows.problems if self.rows else (),
        )


@attrs.frozen(kw_only=True)
class KnownSenders:
    """What is known when files of senders arrive: who they are, and what was accepted.

    ``accepted`` gives the digest of the signed file that used a number; ``unsigned`` has sender, number and
    digest of the others.
    """

    senders: Mapping[str, Sender]
    accepted: Mapping[tuple[str, int], str]
    unsigned: frozenset[tuple[str, int, str]] = frozenset()


def read_sent_file(cover: Cover, data: bytes, folder: Path, sender: Sender | None) -> SentDelivery:
    """Read a sender's file; ``refused`` says what is wrong with it. ``folder`` is the city's.

    Nothing of it is taken apart whose cover is not believed.
    """
    from citycard.clearing.sentformats import read_sent

    found = SentDelivery(name=cover.file, cover=cover, data=data, digest=hashlib.sha256(data).hexdigest())
    if (len(data), found.digest) != (cover.size, cover.sha256):
        found.refused = FileCode.F03, "the file has not the size and the SHA-256 on its cover"
        return found
    if doubt := doubts(cover, sender):
        found.refused = doubt
        return found
    try:
        found.rows = read_sent(cover, data, folder)
    except SentFileDamaged as damage:
        found.refused = FileCode(str(damage.data["code"])), str(damage)
    except FixedMappingInvalid as error:
        found.refused = FileCode.F07, f"the city's own 978.toml is not valid: {error.data['reason']}"
    except (pa.ArrowException, ValueError, ArithmeticError, LookupError, TypeError, OSError) as error:
        # Whatever a library finds in a stranger's file, it must not stop the files of others.
        found.refused = FileCode.F07, f"F07: the file cannot be read: {type(error).__name__}: {error}"
    return found


def sort_out_sent(
    sent: SentDelivery,
    known: KnownSenders,
    accepted: dict[tuple[str, int], str],
    unsigned: set[tuple[str, int, str]],
) -> None:
    """Say where a sender's file ends; ``accepted`` and ``unsigned`` are what was so far, and are added to.

    Only what its sender signed uses a number.
    """
    cover, key = sent.cover, (sent.cover.sender, sent.cover.number)
    quarantined = FileState.QUARANTINED
    sent.vouched_for = ""
    if doubt := doubts(cover, known.senders.get(cover.sender)):
        sent.end(quarantined, *doubt)
    elif sent.refused is not None:
        sent.end(quarantined, *sent.refused)
    elif reason := _totals(sent):
        sent.end(quarantined, FileCode.F06, reason)
    elif not cover.signature:
        came_before = accepted.get(key) == sent.digest or (*key, sent.digest) in unsigned
        sent.settle(came_before=came_before)
        unsigned.add((*key, sent.digest))
    elif accepted.get(key, sent.digest) != sent.digest:
        reason = f"file {cover.number} of sender {cover.sender} was accepted with other content"
        sent.end(quarantined, FileCode.F04, reason)
    else:
        sent.vouched_for = known.senders[cover.sender].partner
        sent.settle(came_before=key in accepted)
        accepted[key] = sent.digest


def doubts(cover: Cover, sender: Sender | None) -> tuple[FileCode, str] | None:
    """Say why a cover is not believed: its sender takes no part, or did not sign what is signed."""
    if sender is None or sender.closed_at is not None:
        what = "not registered" if sender is None else "closed"
        return FileCode.F01, f"sender {cover.sender} is {what}"
    if cover.signature and not cover.holds(sender.public_key):
        return FileCode.F02, f"the cover is not signed by sender {cover.sender}"
    return None


def _totals(sent: SentDelivery) -> str:
    cover, rows = sent.cover, sent.rows
    assert rows is not None
    if rows.records != cover.records:
        return f"the file has {rows.records} records, its cover says {cover.records}"
    # What is written for an amount that cannot be read nobody knows.
    if rows.amount_fen > cover.amount_fen or (rows.amounts_clear and rows.amount_fen != cover.amount_fen):
        return f"the records sum to {rows.amount_fen} fen, the cover says {cover.amount_fen}"
    return ""
