"""Read what is known about a portion of files: whose terminals they name, and what was accepted before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select, tuple_

from citycard.clearing.codes import FileCode, FileState
from citycard.clearing.context import ClearingContext
from citycard.clearing.delivery import Delivery, KnownFiles, Limits
from citycard.clearing.manifest import Manifest
from citycard.clearing.sent import KnownSenders, Sender, SentDelivery
from citycard.clearing.senttables import late_release, sender, sent_file
from citycard.clearing.tables import batch_file, manifest_line
from citycard.registry.records import TerminalStatus
from citycard.registry.tables import terminal
from citycard.store.bulk import select_in

__all__ = ["known_files"]


def known_files(
    conn: Connection,
    context: ClearingContext,
    files: Iterable[Delivery | SentDelivery],
    announced: Manifest | None,
) -> KnownFiles:
    """Read what sorting out these files needs to know."""
    sent = [file for file in files if isinstance(file, SentDelivery)]
    deliveries = [file for file in files if isinstance(file, Delivery) and file.batch]
    headers = [delivery.batch.header for delivery in deliveries if delivery.batch]
    query = select(terminal.c.number, terminal.c.partner, terminal.c.status)
    numbers = sorted({header.terminal for header in headers})
    found = list(select_in(conn, query, terminal.c.number, numbers))
    keys = sorted({(header.terminal, header.number) for header in headers})
    terms = context.terms
    limits = Limits(
        today=context.clock.now().astimezone(ZoneInfo(terms.timezone)).date(),
        late_days=terms.late_days,
        expired_days=terms.expired_days,
    )
    released = _released(conn, [delivery.digest for delivery in deliveries]) if terms.late_days else {}
    return KnownFiles(
        partners={row.number: row.partner for row in found},
        revoked=frozenset(row.number for row in found if row.status == TerminalStatus.REVOKED),
        accepted=_accepted(conn, keys),
        announced=_announced(conn, keys, announced),
        senders=_senders(conn, sent),
        limits=limits,
        released=frozenset(released),
        vouched=frozenset(digest for digest, signed in released.items() if signed),
    )


def _accepted(conn: Connection, keys: list[tuple[str, int]]) -> dict[tuple[str, int], str]:
    query = select(batch_file.c.terminal, batch_file.c.number, batch_file.c.digest)
    query = query.where(batch_file.c.state == FileState.ACCEPTED.value)
    pairs = tuple_(batch_file.c.terminal, batch_file.c.number)
    return {(row.terminal, row.number): row.digest for row in select_in(conn, query, pairs, keys)}


def _announced(
    conn: Connection, keys: list[tuple[str, int]], announced: Manifest | None
) -> dict[tuple[str, int], frozenset[str]]:
    query = select(manifest_line.c.terminal, manifest_line.c.number, manifest_line.c.digest)
    pairs = tuple_(manifest_line.c.terminal, manifest_line.c.number)
    digests: dict[tuple[str, int], set[str]] = defaultdict(set)
    for row in select_in(conn, query, pairs, keys):
        digests[row.terminal, row.number].add(row.digest)
    for line in announced.batches if announced else ():
        digests[line.terminal, line.number].add(line.sha256)
    return {key: frozenset(values) for key, values in digests.items()}


def _released(conn: Connection, digests: list[str]) -> dict[str, bool]:
    """Say which late files were released, and whether a sender had signed for them."""
    query = select(late_release.c.digest)
    released = [row.digest for row in select_in(conn, query, late_release.c.digest, digests)]
    rows = select(batch_file.c.digest).where(
        batch_file.c.code == FileCode.L02.value, batch_file.c.sender != ""
    )
    signed = {row.digest for row in select_in(conn, rows, batch_file.c.digest, released)}
    return {digest: digest in signed for digest in released}


def _senders(conn: Connection, sent: list[SentDelivery]) -> KnownSenders:
    keys = sorted({(file.cover.sender, file.cover.number) for file in sent})
    query = select(sent_file.c.sender, sent_file.c.number, sent_file.c.digest, sent_file.c.signed)
    query = query.where(sent_file.c.state == FileState.ACCEPTED.value)
    pairs = tuple_(sent_file.c.sender, sent_file.c.number)
    rows = select_in(conn, select(sender), sender.c.id, sorted({name for name, _ in keys}))
    before = list(select_in(conn, query, pairs, keys))
    return KnownSenders(
        senders={row.id: Sender(**row._mapping) for row in rows},  # noqa: SLF001 - a Row's own way
        accepted={(row.sender, row.number): row.digest for row in before if row.signed},
        unsigned=frozenset((row.sender, row.number, row.digest) for row in before if not row.signed),
    )
