"""Hold the chain of seals to its signatures, and everything under the seals to the seals.

Seals, accounts, transfers and refusals are read side by side, each in the order in which it was sealed, so
that nothing is read twice and nothing is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import attrs
from sqlalchemy import Connection, CursorResult, Result, Select, select

from citycard.ids import derived_id
from citycard.ledger.findings import Finding
from citycard.ledger.leaves import (
    accounts_query,
    content_digest,
    leaf,
    refusals_query,
    transfers_query,
)
from citycard.ledger.merkle import MerkleTree, leaf_hash
from citycard.ledger.seals import NO_SEAL, Seal, SealHead, text_of
from citycard.ledger.tables import account, account_seal, seal

__all__ = ["Chain", "Key"]

_AT_ONCE = 2000
_MOVES = frozenset({"single", "post"})


class Key(Protocol):
    """A public key of seals (``keys.SealKey``)."""

    @property
    def id(self) -> str: ...

    @property
    def version(self) -> int: ...

    @property
    def honoured(self) -> bool: ...

    def signed(self, data: bytes, signature64: bytes, /) -> bool: ...


class _Rows:
    """Rows of which the next one can be looked at."""

    __slots__ = ("_rows", "next")

    def __init__(self, result: Result[Any]) -> None:
        self._rows = iter(result)
        self.next: Any = next(self._rows, None)

    def take(self) -> Any:
        row, self.next = self.next, next(self._rows, None)
        return row


@attrs.define(kw_only=True)
class Chain:
    """Check the chain. ``keys`` by id; ``heads`` are seals that were seen before, by whoever noted them.

    ``check`` gives what it finds; afterwards the counts say what was read, and ``last`` is the newest seal.
    """

    conn: Connection
    keys: Mapping[str, Key]
    heads: Sequence[SealHead] = ()
    progress: Callable[[int], None] = lambda _count: None
    last: Seal = NO_SEAL
    accounts: int = 0
    transfers: int = 0
    refusals: int = 0
    unsealed: dict[str, int] = attrs.field(factory=dict)
    _sums: dict[str, list[int]] = attrs.field(factory=dict)
    _number: int = 0

    def check(self) -> Iterator[Finding]:
        """Read everything once, in the order of the seals."""
        dialect = self.conn.dialect.name
        sealed = (
            accounts_query(dialect)
            .add_columns(account_seal.c.seal.label("under"))
            .join(account_seal, account_seal.c.account_id == account.c.id)
            .order_by(account_seal.c.seal.nulls_last(), account_seal.c.account_id)
        )
        with (
            self._opened(select(seal).order_by(seal.c.seq)) as chain,
            self._opened(sealed) as accounts,
            self._opened(transfers_query(dialect)) as transfers,
            self._opened(refusals_query(dialect)) as refusals,
        ):
            yield from self._walk(chain, _Rows(accounts), _Rows(transfers), _Rows(refusals))

    def _opened(self, query: Select[Any]) -> CursorResult[Any]:
        return self.conn.execute(query.execution_options(yield_per=_AT_ONCE))

    def _walk(
        self, chain: Result[Any], accounts: _Rows, transfers: _Rows, refusals: _Rows
    ) -> Iterator[Finding]:
        for one in self._read(chain):
            if isinstance(one, Finding):
                yield one
                continue
            yield from self._link(one)
            yield from self._accounts(accounts, one)
            yield from self._transfers(transfers, one)
            yield from self._refusals(refusals, one)
            self.last = one
        yield from self._end()
        before = self.accounts, self.transfers, self.refusals
        yield from self._accounts(accounts, None)
        yield from self._transfers(transfers, None)
        yield from self._refusals(refusals, None)
        now = self.accounts, self.transfers, self.refusals
        names = ("accounts", "transfers", "refusals")
        self.unsealed = {name: b - a for name, a, b in zip(names, before, now, strict=True)}

    @staticmethod
    def _read(chain: Result[Any]) -> Iterator[Seal | Finding]:
        for row in chain:
            try:
                yield Seal.of(row)
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                yield _seal(row.seq, "sums", f"seal {row.seq} cannot be read: {error}")

    # ── the seals themselves ──

    def _link(self, one: Seal) -> Iterator[Finding]:
        last = self.last
        expected = (
            ("seq", one.seq, last.seq + 1),
            ("first_posted_seq", one.first_posted_seq, last.last_posted_seq + 1),
            ("prev_hash", one.prev_hash.hex(), last.hash32.hex()),
        )
        for field, found, wanted in expected:
            if found != wanted:
                words = f"seal {one.seq} says {field} {found}, and {wanted} follows on seal {last.seq}"
                yield _seal(one.seq, field, words)
        if one.refused_until < last.refused_until:
            yield _seal(one.seq, "refused_until", f"seal {one.seq} ends before seal {last.seq}")
        yield from self._signature(one)
        for head in self.heads:
            if head.seq == one.seq and head.hash32 != one.hash32:
                yield _seal(one.seq, "", f"seal {one.seq} is another one than the one that was noted")

    def _signature(self, one: Seal) -> Iterator[Finding]:
        key = self.keys.get(one.key_id)
        if key is None:
            yield _seal(
                one.seq, "key_id", f"seal {one.seq} is signed with a key {one.key_id!r}, not the city's"
            )
        elif not key.signed(one.content.encode(), one.signature):
            yield _seal(one.seq, "signature", f"the signature of seal {one.seq} does not fit what it says")
        older = self.keys.get(self.last.key_id)
        if key is not None and older is not None and key.version < older.version:
            yield _seal(
                one.seq, "key_id", f"seal {one.seq} is signed with an older key than seal {self.last.seq}"
            )

    def _end(self) -> Iterator[Finding]:
        key = self.keys.get(self.last.key_id)
        if key is not None and not key.honoured:
            words = f"seal {self.last.seq}, the newest, is signed with a key that is retired"
            yield _seal(self.last.seq, "key_id", words)
        for head in self.heads:
            if head.seq > self.last.seq:
                words = f"seal {head.seq} was noted, and the newest is {self.last.seq}: seals were taken away"
                yield _seal(head.seq, "", words)

    # ── what is under them ──

    def _accounts(self, rows: _Rows, one: Seal | None) -> Iterator[Finding]:
        tree = MerkleTree()
        while rows.next is not None and (one is None or _at_most(rows.next.under, one.seq)):
            row = rows.take()
            tree.add(leaf_hash(leaf("account", row)))
            words = self._wrong_account(row, one)
            if words:
                seq = None if one is None else one.seq
                yield Finding(part="account", id=str(row.address), seal=seq, field=words[0], found=words[1])
        self.accounts += tree.size
        if one is not None:
            yield from _compare(one, "accounts", tree)

    def _wrong_account(self, row: Any, one: Seal | None) -> tuple[str, str] | None:
        # Made anew each time: ``account_id`` would keep every address in memory.
        if derived_id("account", row.address).hex != row.id:
            return "address", f"account {row.address!r} does not have the id of its address"
        if row.under is not None and (one is None or row.under != one.seq):
            return "seal", f"account {row.address} says seal {row.under}, which is not there"
        return None

    def _transfers(self, rows: _Rows, one: Seal | None) -> Iterator[Finding]:
        tree, seq = MerkleTree(), None if one is None else one.seq
        odd: Any = None
        quiet = True
        while rows.next is not None and (one is None or rows.next.posted_seq <= one.last_posted_seq):
            row = rows.take()
            tree.add(leaf_hash(leaf("transfer", row)))
            self._number += 1
            if row.posted_seq != self._number:
                quiet = False
                yield self._missing(seq, row.posted_seq)
                self._number = row.posted_seq
            wrong = _wrong_transfer(row)
            if wrong is not None:
                quiet = False
                yield attrs.evolve(wrong, seal=seq, posted_seq=row.posted_seq, id=_dashed(row.id))
            if odd is None and row.posted_at != row.first_seen:
                odd = row
            if row.kind in _MOVES:
                self._sum(row)
            self._tell(tree.size)
        self.transfers += tree.size
        if one is None:
            return
        found = list(_compare(one, "transfers", tree))
        if found and quiet and odd is not None:
            times = f"posted at {odd.posted_at} and answered at {odd.first_seen}"
            words = f"transfer number {odd.posted_seq} was {times}"
            where: dict[str, Any] = {"seal": seq, "posted_seq": odd.posted_seq, "id": _dashed(odd.id)}
            yield Finding(part="transfer", field="posted_at", found=words, **where)
        yield from found
        yield from self._check_sums(one)
        self._number = one.last_posted_seq

    def _missing(self, seq: int | None, found: int) -> Finding:
        words = f"transfer number {self._number} is missing: {found} comes next"
        return Finding(part="transfer", seal=seq, posted_seq=self._number, field="posted_seq", found=words)

    def _sum(self, row: Any) -> None:
        self._sums.setdefault(str(row.debit_currency), [0, 0])[0] += row.amount_fen
        self._sums.setdefault(str(row.credit_currency), [0, 0])[1] += row.amount_fen

    def _check_sums(self, one: Seal) -> Iterator[Finding]:
        sums = {name: tuple(pair) for name, pair in self._sums.items()}
        if sums != one.sums:
            said = f"{_said(one.sums)} were moved so far, the transfers say {_said(sums)}"
            words = f"seal {one.seq} says that {said}"
            yield _seal(one.seq, "sums", words)

    def _refusals(self, rows: _Rows, one: Seal | None) -> Iterator[Finding]:
        tree, until = MerkleTree(), "" if one is None else text_of(one.refused_until)
        row: Any = None
        while rows.next is not None and (one is None or rows.next.first_seen < until):
            row = rows.take()
            tree.add(leaf_hash(leaf("refusal", row)))
        self.refusals += tree.size
        if one is None:
            return
        for found in _compare(one, "refusals", tree):
            # Of one refusal it is known which one it is.
            only = tree.size == one.refusals == 1
            yield attrs.evolve(found, part="refusal", id=_dashed(row.id)) if only else found

    def _tell(self, count: int) -> None:
        if count % _AT_ONCE == 0:
            self.progress(self.transfers + count)


def _wrong_transfer(row: Any) -> Finding | None:
    number = row.posted_seq
    if row.digest is None:
        return Finding(
            part="answer", field="id", found=f"transfer number {number} has no answer under its id"
        )
    if row.answered_seq != number:
        words = f"the answer to transfer number {number} says number {row.answered_seq}"
        return Finding(part="answer", field="posted_seq", found=words)
    if row.result != "posted":
        words = f"transfer number {number} was answered with {row.result!r}"
        return Finding(part="answer", field="result", found=words)
    if row.debit_address is None or row.credit_address is None:
        field = "dr_account" if row.debit_address is None else "cr_account"
        return Finding(
            part="transfer", field=field, found=f"{field} of transfer number {number} is not there"
        )
    if content_digest(row) != row.digest:
        words = f"what transfer number {number} says does not fit the digest in its answer"
        return Finding(part="transfer", field="content", found=words)
    return None


def _compare(one: Seal, what: str, tree: MerkleTree) -> Iterator[Finding]:
    count: int = getattr(one, what)
    root: bytes = getattr(one, f"{what}_root")
    if tree.size != count:
        yield _seal(one.seq, what, f"seal {one.seq} covers {count} {what}, and {tree.size} are there")
    if tree.root() != root:
        yield _seal(one.seq, f"{what}_root", f"the {what} of seal {one.seq} are not those that were sealed")


def _seal(seq: int, field: str, words: str) -> Finding:
    return Finding(part="seal", seal=seq, field=field, found=words)


def _at_most(under: int | None, seq: int) -> bool:
    return under is not None and under <= seq


def _said(sums: Mapping[str, Iterable[int]]) -> str:
    named = (f"{name} {' and '.join(map(str, pair))}" for name, pair in sorted(sums.items()))
    return ", ".join(named) or "nothing"


def _dashed(text: object) -> str:
    hexed = str(text)
    return f"{hexed[:8]}-{hexed[8:12]}-{hexed[12:16]}-{hexed[16:20]}-{hexed[20:]}"
