"""Play every transfer again, account by account, and hold the balances to what comes of it.

An account's transfers come in the order of posting, so that its sums are known after each of them: a guard
that was broken for one moment is found, however it ended. The database sorts, and nothing is kept but one
account.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import attrs
from sqlalchemy import Connection, Select, and_, literal, select, union_all

from citycard.ledger.findings import Finding
from citycard.ledger.leaves import raw
from citycard.ledger.tables import account, balance, request, transfer

__all__ = ["replay"]

_AT_ONCE = 5000
_GUARDED = {"dr<=cr": "D", "cr<=dr": "C"}
_SUMS = ("dr_posted_fen", "cr_posted_fen", "dr_pending_fen", "cr_pending_fen", "last_seq", "transfers")


def replay(conn: Connection) -> Iterator[Finding]:
    """Give every balance, history and guard that does not follow from the transfers, by account."""
    options: Any = {"yield_per": _AT_ONCE}
    with (
        conn.execute(_legs(conn.dialect.name), execution_options=options) as legs,
        conn.execute(_accounts(conn.dialect.name), execution_options=options) as accounts,
    ):
        yield from _play(iter(legs), accounts)


def _play(legs: Iterator[Any], accounts: Iterable[Any]) -> Iterator[Finding]:
    leg = next(legs, None)
    for row in accounts:
        while leg is not None and leg.key < row.key:
            yield _nobody(leg)
            leg = next(legs, None)
        played = _Played(address=str(row.address), guard=str(row.guard))
        while leg is not None and leg.key == row.key:
            yield from played.step(leg)
            leg = next(legs, None)
        yield from played.compare(row)
    while leg is not None:
        yield _nobody(leg)
        leg = next(legs, None)


@attrs.define(kw_only=True)
class _Played:
    """One account while its transfers are played."""

    address: str
    guard: str
    debits: int = 0
    credits: int = 0
    held: dict[str, int] = attrs.field(factory=lambda: {"D": 0, "C": 0})
    last: int = 0
    count: int = 0
    broke: bool = False

    def step(self, leg: Any) -> Iterator[Finding]:
        """Let one transfer take effect, and say what is wrong with it for this account."""
        number, side, kind = leg.posted_seq, leg.side, leg.kind
        if leg.before != self.last:
            field = "dr_before" if side == "D" else "cr_before"
            words = f"{field} of transfer number {number} is {leg.before}; {self.last} came before it"
            yield self._found("transfer", words, field=field, number=number)
        self.last, self.count = number, self.count + 1
        if kind in {"single", "post"}:
            if side == "D":
                self.debits += leg.amount_fen
            else:
                self.credits += leg.amount_fen
        if kind == "pending":
            self.held[side] += leg.amount_fen
        elif kind != "single":
            yield from self._end(leg)
        if _GUARDED.get(self.guard) == side and not self.broke:
            yield from self._guard(number)

    def _end(self, leg: Any) -> Iterator[Finding]:
        begun = leg.held_kind == "pending" and leg.held_seq < leg.posted_seq and leg.held_key == leg.key
        if not begun:
            words = f"transfer number {leg.posted_seq} ends a hold that {self.address} did not have"
            yield self._found("transfer", words, field="pending_id", number=leg.posted_seq)
            return
        self.held[leg.side] -= leg.held_fen
        whole = leg.amount_fen == leg.held_fen
        if leg.amount_fen > leg.held_fen or (leg.kind != "post" and not whole):
            words = (
                f"transfer number {leg.posted_seq} ends a hold of {leg.held_fen} fen with {leg.amount_fen}"
            )
            yield self._found("transfer", words, field="amount_fen", number=leg.posted_seq)

    def _guard(self, number: int) -> Iterator[Finding]:
        debits, credits_ = self.debits + self.held["D"], self.credits + self.held["C"]
        beyond = debits > self.credits if self.guard == "dr<=cr" else credits_ > self.debits
        if beyond:
            self.broke = True
            words = f"{self.address} went beyond its guard {self.guard} with transfer number {number}"
            yield self._found("transfer", words, field="guard", number=number)

    def compare(self, row: Any) -> Iterator[Finding]:
        """Say what the balance has that the transfers have not."""
        if row.balance_guard is None:
            yield self._found("balance", f"{self.address} has no balance")
            return
        came = (self.debits, self.credits, self.held["D"], self.held["C"], self.last, self.count)
        wanted = (*zip(_SUMS, came, strict=True), ("guard", row.guard), ("currency", row.currency))
        for field, value in wanted:
            said = getattr(row, f"balance_{field}")
            if said != value:
                words = f"{field} of the balance of {self.address} is {said}; its transfers make {value}"
                if field in {"guard", "currency"}:
                    words = f"{field} of the balance of {self.address} is {said!r}, its account's {value!r}"
                yield self._found("balance", words, field=field)

    def _found(self, part: str, words: str, *, field: str = "", number: int | None = None) -> Finding:
        return Finding(part=part, id=self.address, field=field, found=words, posted_seq=number)


def _nobody(leg: Any) -> Finding:
    field = "dr_account" if leg.side == "D" else "cr_account"
    words = f"{field} of transfer number {leg.posted_seq} is {leg.key}, which nobody opened"
    return Finding(part="transfer", posted_seq=leg.posted_seq, field=field, found=words)


def _legs(dialect: str) -> Select[Any]:
    legs = union_all(_leg(dialect, "dr", "D"), _leg(dialect, "cr", "C")).subquery()
    return select(legs).order_by(_sorted(legs.c.key, dialect), legs.c.posted_seq)


def _leg(dialect: str, side: str, letter: str) -> Select[Any]:
    held = transfer.alias("held")
    ends = and_(transfer.c.kind.in_(["post", "void", "expire"]), request.c.id == transfer.c.pending_id)
    return (
        select(
            raw(transfer.c[f"{side}_account"], dialect).label("key"),
            transfer.c.posted_seq,
            literal(letter).label("side"),
            transfer.c[f"{side}_before"].label("before"),
            transfer.c.amount_fen,
            transfer.c.kind,
            held.c.amount_fen.label("held_fen"),
            held.c.posted_seq.label("held_seq"),
            held.c.kind.label("held_kind"),
            raw(held.c[f"{side}_account"], dialect).label("held_key"),
        )
        .outerjoin(request, ends)
        .outerjoin(held, held.c.posted_seq == request.c.posted_seq)
    )


def _accounts(dialect: str) -> Select[Any]:
    key = raw(account.c.id, dialect).label("key")
    said = (balance.c[name].label(f"balance_{name}") for name in (*_SUMS, "guard", "currency"))
    return (
        select(key, account.c.address, account.c.guard, account.c.currency, *said)
        .outerjoin(balance, balance.c.account_id == account.c.id)
        .order_by(_sorted(raw(account.c.id, dialect), dialect))
    )


def _sorted(key: Any, dialect: str) -> Any:
    # Byte by byte, as Python compares text, whatever the database's own order is.
    return key if dialect == "sqlite" else key.collate("C")
