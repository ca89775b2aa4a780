"""Make seals, beside the posting and after it.

Whoever posts waits for no seal. Sealing holds the ledger's one row for a moment only, to draw a line in time:
every answer that is there is older than it, and every later one will not be. What lies behind the line is
hashed without any lock, because it changes no more, and the seal is written in one transaction. Whoever dies
on the way leaves nothing, and of two who seal at once one writes the seal and the other finds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import attrs
from sqlalchemy import Connection, Engine, func, select, update
from sqlalchemy.exc import IntegrityError

from citycard.clock import Clock
from citycard.errors import LedgerAltered
from citycard.ledger.leaves import accounts_query, leaf, refusals_query, transfers_query
from citycard.ledger.merkle import MerkleTree, leaf_hash
from citycard.ledger.seals import NO_SEAL, Seal, last_seal
from citycard.ledger.tables import account, account_seal, ledger, request, seal, transfer
from citycard.store import reading, writing
from citycard.store.bulk import chunks

__all__ = ["SPAN", "Signer", "seal_ledger", "waits_for_seal"]

#: A seal covers at most so many transfers: a proof out of it takes a moment, and a fault is known to be near.
SPAN = 65_536

_TICK = timedelta(microseconds=1)
_AT_ONCE = 2000


class Signer(Protocol):
    """What signs a seal: ``keys.SealSigner``, in the vault's current version."""

    @property
    def key(self) -> Any:
        """The public key, with its ``id``."""

    def sign(self, data: bytes) -> bytes:
        """Return the signature of data."""


def waits_for_seal(conn: Connection) -> bool:
    """Say whether the ledger has anything that no seal covers."""
    last = last_seal(conn)
    number: int = conn.scalar(select(ledger.c.posted_seq)) or 0
    refused = select(request.c.id).where(
        request.c.posted_seq.is_(None), request.c.first_seen >= last.refused_until
    )
    opened = select(account_seal.c.account_id).where(account_seal.c.seal.is_(None))
    return number > last.last_posted_seq or any(conn.scalar(one.limit(1)) for one in (refused, opened))


def seal_ledger(engine: Engine, signer: Signer, clock: Clock, *, span: int = SPAN) -> list[Seal]:
    """Seal everything that the ledger has now, and return the seals made; none when nothing waits.

    Raise LedgerAltered when a transfer is missing among those to be sealed, or has no answer.
    """
    with reading(engine) as conn:
        if not waits_for_seal(conn):
            return []
    with writing(engine) as conn:
        line = _draw_line(conn)
    made: list[Seal] = []
    while True:
        with reading(engine) as conn:
            drafted = _Draft.of(conn, line, span)
            one = None if drafted is None else drafted.read(conn, signer, clock.now())
        if drafted is None or one is None:
            return made
        if _keep(engine, one, drafted.account_ids):
            made.append(one)


def _draw_line(conn: Connection) -> datetime:
    """Give the moment right after the newest answer, and let all later answers be given then or later."""
    head = conn.execute(select(ledger).with_for_update()).one_or_none()
    if head is None:
        return NO_SEAL.refused_until
    newest = select(transfer.c.posted_at).where(transfer.c.posted_seq == head.posted_seq)
    refused = select(func.max(request.c.first_seen)).where(request.c.posted_seq.is_(None))
    moments = [moment for moment in map(conn.scalar, (newest, refused)) if moment is not None]
    if not moments:
        return NO_SEAL.refused_until
    line: datetime = max(moments) + _TICK
    if head.posted_at is None or head.posted_at < line:
        conn.execute(update(ledger).values(posted_at=line))
    return line


@attrs.define(kw_only=True)
class _Draft:
    """What the next seal will cover."""

    previous: Seal
    last_posted_seq: int
    refused_until: datetime
    span: int
    account_ids: list[UUID] = attrs.field(factory=list)

    @classmethod
    def of(cls, conn: Connection, line: datetime, span: int) -> _Draft | None:
        previous = last_seal(conn)
        number: int = conn.scalar(select(ledger.c.posted_seq)) or 0
        last = min(previous.last_posted_seq + span, number)
        if last < number:
            moment = conn.scalar(select(transfer.c.posted_at).where(transfer.c.posted_seq == last))
            line = line if moment is None else min(line, moment + _TICK)
        until = max(line, previous.refused_until)
        waiting = select(account_seal.c.account_id).where(account_seal.c.seal.is_(None))
        ids = list(conn.scalars(waiting.order_by(account_seal.c.account_id).limit(span)))
        return cls(previous=previous, last_posted_seq=last, refused_until=until, span=span, account_ids=ids)

    def read(self, conn: Connection, signer: Signer, now: datetime) -> Seal | None:
        """Read and hash it all, and sign; None when there is nothing."""
        accounts, transfers, refusals = self._accounts(conn), self._transfers(conn), self._refusals(conn)
        if not (accounts.size or transfers.size or refusals.size):
            return None
        unsigned = Seal(
            seq=self.previous.seq + 1,
            first_posted_seq=self.previous.last_posted_seq + 1,
            last_posted_seq=self.last_posted_seq,
            refused_until=self.refused_until,
            accounts=accounts.size,
            transfers=transfers.size,
            refusals=refusals.size,
            accounts_root=accounts.root(),
            transfers_root=transfers.root(),
            refusals_root=refusals.root(),
            sums=self._sums(conn),
            prev_hash=self.previous.hash32,
            sealed_at=now,
            key_id=signer.key.id,
        )
        return attrs.evolve(unsigned, signature=signer.sign(unsigned.content.encode()))

    def _accounts(self, conn: Connection) -> MerkleTree:
        waiting = (
            accounts_query(conn.dialect.name)
            .join(account_seal, account_seal.c.account_id == account.c.id)
            .where(account_seal.c.seal.is_(None))
            .order_by(account_seal.c.account_id)
            .limit(self.span)
        )
        rows = conn.execute(waiting.execution_options(yield_per=_AT_ONCE))
        return MerkleTree(leaf_hash(leaf("account", row)) for row in rows)

    def _transfers(self, conn: Connection) -> MerkleTree:
        first = self.previous.last_posted_seq + 1
        within = transfer.c.posted_seq.between(first, self.last_posted_seq)
        query = transfers_query(conn.dialect.name).where(within)
        tree = MerkleTree()
        with conn.execute(query.execution_options(yield_per=_AT_ONCE)) as rows:
            for number, row in enumerate(rows, first):
                if row.posted_seq != number or row.answered_seq != number:
                    raise LedgerAltered(found=f"transfer number {number} or its answer is not there", count=1)
                tree.add(leaf_hash(leaf("transfer", row)))
        if tree.size != self.last_posted_seq - first + 1:
            raise LedgerAltered(found=f"transfer number {first + tree.size} is not there", count=1)
        return tree

    def _refusals(self, conn: Connection) -> MerkleTree:
        query = refusals_query(conn.dialect.name).where(
            request.c.first_seen >= self.previous.refused_until, request.c.first_seen < self.refused_until
        )
        rows = conn.execute(query.execution_options(yield_per=_AT_ONCE))
        return MerkleTree(leaf_hash(leaf("refusal", row)) for row in rows)

    def _sums(self, conn: Connection) -> dict[str, tuple[int, int]]:
        debits = self._moved(conn, transfer.c.dr_account)
        credits_ = self._moved(conn, transfer.c.cr_account)
        before = self.previous.sums
        return {
            currency: (
                before.get(currency, (0, 0))[0] + debits.get(currency, 0),
                before.get(currency, (0, 0))[1] + credits_.get(currency, 0),
            )
            for currency in sorted({*before, *debits, *credits_})
        }

    def _moved(self, conn: Connection, side: Any) -> dict[str, int]:
        query = (
            select(account.c.currency, func.sum(transfer.c.amount_fen))
            .join(account, account.c.id == side)
            .where(
                transfer.c.posted_seq > self.previous.last_posted_seq,
                transfer.c.posted_seq <= self.last_posted_seq,
                transfer.c.kind.in_(["single", "post"]),
            )
            .group_by(account.c.currency)
        )
        return {currency: int(fen) for currency, fen in conn.execute(query)}


def _keep(engine: Engine, one: Seal, account_ids: Sequence[UUID]) -> bool:
    """Write a seal; say False when somebody else wrote one of its number first."""
    try:
        with writing(engine) as conn:
            conn.execute(seal.insert(), one.row())
            for piece in chunks(account_ids):
                waiting = account_seal.c.account_id.in_(piece), account_seal.c.seal.is_(None)
                conn.execute(update(account_seal).where(*waiting).values(seal=one.seq))
    except IntegrityError:
        return False
    return True
