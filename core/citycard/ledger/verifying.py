"""Verify the ledger as a whole, and say the first thing that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import SQLAlchemyError

from citycard.ledger.audit import audit
from citycard.ledger.chain import Chain, Key
from citycard.ledger.derived import check_derived
from citycard.ledger.findings import Finding, Verification
from citycard.ledger.replay import replay
from citycard.ledger.seals import SealHead
from citycard.store import open_store, reading

__all__ = ["verify_ledger"]

#: So many findings are told; whoever looks for the cause needs the first ones.
_MOST = 200

#: What a row raises that cannot be read as what it should be.
_UNREADABLE = (SQLAlchemyError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError)


def verify_ledger(
    engine: Engine,
    keys: Iterable[Key],
    *,
    heads: Sequence[SealHead] = (),
    progress: Callable[[str, int], None] = lambda _what, _count: None,
) -> Verification:
    """Verify one state of the ledger, whoever writes meanwhile.

    ``keys`` are the public keys of seals; ``heads`` seals that were noted somewhere else: without one, seals
    that were taken away from the end are not missed. ``progress`` is told what is being done, and how many
    transfers were read. What is found comes in the order of posting, then what has no place in it. Memory
    does not grow with the ledger.
    """
    try:
        with _sorting_on_disk(engine) as own, reading(own) as conn:
            return _verified(conn, {key.id: key for key in keys}, heads, progress)
    except SQLAlchemyError as error:
        found = Finding(part="file", found=f"the database cannot be read: {_told(error)}")
        return Verification(seals=0, accounts=0, transfers=0, refusals=0, head=None, findings=(found,))


def _verified(
    conn: Connection,
    keys: Mapping[str, Key],
    heads: Sequence[SealHead],
    progress: Callable[[str, int], None],
) -> Verification:
    chain = Chain(conn=conn, keys=keys, heads=heads, progress=lambda count: progress("seals", count))
    findings = list(_carefully("file", _file(conn)))
    findings += _carefully("seal", chain.check())
    for name, part, check in _CHECKS:
        progress(name, chain.transfers)
        findings += _carefully(part, check(conn))
    findings.sort(key=lambda one: (one.posted_seq is None, one.posted_seq or 0, one.seal or 0))
    unsealed = {f"unsealed_{name}": count for name, count in chain.unsealed.items()}
    return Verification(
        seals=chain.last.seq,
        accounts=chain.accounts,
        transfers=chain.transfers,
        refusals=chain.refusals,
        head=chain.last.head if chain.last.seq else None,
        findings=tuple(findings[:_MOST]),
        **unsealed,
    )


def _file(conn: Connection) -> Iterator[Finding]:
    """Let SQLite look through its own file: an index that differs from its table would hide rows."""
    if conn.dialect.name != "sqlite":
        return
    for (words,) in conn.exec_driver_sql("PRAGMA integrity_check(20)"):
        if words != "ok":
            yield Finding(part="file", found=f"the database's file is damaged: {words}")


def _audited(conn: Connection) -> Iterator[Finding]:
    for one in audit(conn):
        yield Finding(part="audit", field=one.invariant, found=f"{one.invariant}: {one.found}")


_CHECKS: tuple[tuple[str, str, Callable[[Connection], Iterator[Finding]]], ...] = (
    ("balances", "balance", replay),
    ("holds and limits", "ledger", check_derived),
    ("audit", "audit", _audited),
)


def _carefully(part: str, findings: Iterator[Finding]) -> list[Finding]:
    """Collect findings; what cannot even be read is one as well."""
    collected: list[Finding] = []
    try:
        for one in findings:
            if len(collected) < _MOST:
                collected.append(one)
    except _UNREADABLE as error:
        collected.append(Finding(part=part, found=f"it cannot be read on: {_told(error)}"))
    return collected


def _told(error: Exception) -> str:
    return " ".join(str(getattr(error, "orig", None) or error).split()) or type(error).__name__


@contextmanager
def _sorting_on_disk(engine: Engine) -> Iterator[Engine]:
    """Give an engine whose SQLite sorts in temporary files: the city's own does it in memory."""
    if engine.dialect.name != "sqlite":
        yield engine
        return
    own = open_store(engine.url.render_as_string(hide_password=False))
    event.listen(own, "connect", _sort_on_disk)
    try:
        yield own
    finally:
        own.dispose()


def _sort_on_disk(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA temp_store = FILE")
    # Everything is read once, in order: a large cache would only fill, and each sorting may grow as large.
    connection.execute("PRAGMA cache_size = -8192")
