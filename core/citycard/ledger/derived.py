"""What follows from the transfers besides balances: holds, limits, the ledger's own row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Select, and_, case, func, or_, select

from citycard.ledger.findings import Finding
from citycard.ledger.leaves import raw
from citycard.ledger.seals import last_seal
from citycard.ledger.tables import (
    account,
    account_seal,
    balance,
    hold,
    ledger,
    limit_use,
    request,
    seal,
    transfer,
)
from citycard.store.guarding import append_only_triggers
from citycard.store.schema import trigger_names

__all__ = ["check_derived"]

_MOST = 100


def check_derived(conn: Connection) -> Iterator[Finding]:
    """Give what does not follow from the transfers, of everything that is kept beside them."""
    for check in (_accounts, _currencies, _holds, _limits, _head, _guarding):
        yield from check(conn)


def _accounts(conn: Connection) -> Iterator[Finding]:
    unknown = (
        select(account.c.address)
        .outerjoin(account_seal, account_seal.c.account_id == account.c.id)
        .where(account_seal.c.account_id.is_(None))
    )
    for address in conn.scalars(unknown.limit(_MOST)):
        words = f"account {address} is under no seal and waits for none"
        yield Finding(part="account", id=str(address), field="seal", found=words)
    dialect = conn.dialect.name
    for table, column in ((balance, balance.c.account_id), (account_seal, account_seal.c.account_id)):
        stray = select(raw(column, dialect)).outerjoin(account, account.c.id == column)
        for key in conn.scalars(stray.where(account.c.id.is_(None)).limit(_MOST)):
            words = f"{table.name} has a row of an account {key} that nobody opened"
            yield Finding(part="balance", id=str(key), field="account_id", found=words)


def _currencies(conn: Connection) -> Iterator[Finding]:
    debited, credited = account.alias("debited"), account.alias("credited")
    query = (
        select(transfer.c.posted_seq)
        .join(debited, debited.c.id == transfer.c.dr_account)
        .join(credited, credited.c.id == transfer.c.cr_account)
        .where(debited.c.currency != credited.c.currency)
        .order_by(transfer.c.posted_seq)
    )
    for number in conn.scalars(query.limit(_MOST)):
        words = f"transfer number {number} moves from one currency into another"
        yield Finding(part="transfer", posted_seq=number, field="currency", found=words)


def _holds(conn: Connection) -> Iterator[Finding]:
    """Each hold repeats the transfer that began it; the audit says whether its state is right."""
    same = ("id", "dr_account", "cr_account", "amount_fen", "expires_at")
    differs = [hold.c[name].is_distinct_from(transfer.c[name]) for name in same]
    first = case(*((wrong, name) for name, wrong in zip(same, differs, strict=True)))
    query = (
        select(raw(hold.c.id, conn.dialect.name), hold.c.posted_seq, first)
        .outerjoin(transfer, and_(transfer.c.posted_seq == hold.c.posted_seq, transfer.c.kind == "pending"))
        .where(or_(*differs))
        .order_by(hold.c.posted_seq)
    )
    for identity, number, field in conn.execute(query.limit(_MOST)):
        words = f"{field} of hold {identity} is not that of transfer number {number}, which began it"
        yield Finding(part="hold", id=str(identity), posted_seq=number, field=str(field), found=words)


def _limits(conn: Connection) -> Iterator[Finding]:
    """A limit counts at least what its holds took: of other transfers the ledger does not keep the limits."""
    used = _held_under_limits(conn.dialect.name).subquery()
    query = (
        select(used.c.key, used.c.fen, used.c.holds, limit_use.c.used_fen, limit_use.c.used_count)
        .outerjoin(limit_use, limit_use.c.key == used.c.key)
        .where(
            or_(
                limit_use.c.key.is_(None),
                limit_use.c.used_fen < used.c.fen,
                limit_use.c.used_count < used.c.holds,
            )
        )
    )
    for key, fen, holds, used_fen, used_count in conn.execute(query.limit(_MOST)):
        field = "key" if used_fen is None else "used_fen" if used_fen < fen else "used_count"
        words = (
            f"limit {key} counts {used_fen} fen in {used_count}; its holds alone took {fen} fen in {holds}"
        )
        yield Finding(part="limit", id=str(key), field=field, found=words)


def _held_under_limits(dialect: str) -> Select[Any]:
    ends = transfer.alias("ends")
    each = func.json_each if dialect == "sqlite" else func.json_array_elements_text
    keys = each(hold.c.limits).table_valued("value", joins_implicitly=True)
    taken = case((hold.c.state == "pending", hold.c.amount_fen), else_=func.coalesce(ends.c.amount_fen, 0))
    counted = case((hold.c.state.in_(["pending", "posted"]), 1), else_=0)
    posted = and_(ends.c.pending_id == hold.c.id, ends.c.kind == "post")
    key = keys.c.value.label("key")
    return (
        select(key, func.sum(taken).label("fen"), func.sum(counted).label("holds"))
        .select_from(hold.outerjoin(ends, posted))
        .join(keys, hold.c.id.is_not(None))
        .group_by(keys.c.value)
    )


def _head(conn: Connection) -> Iterator[Finding]:
    """The ledger's row: one currency in fen, no time before the last posting, no expiry that is forgotten."""
    row = conn.execute(select(ledger)).one_or_none()
    posted_at = conn.scalar(select(func.max(transfer.c.posted_at)))
    if row is None:
        if posted_at is not None:
            yield Finding(part="ledger", field="id", found="the ledger's own row is not there")
        return
    expiry = conn.scalar(select(func.min(hold.c.expires_at)).where(hold.c.state == "pending"))
    behind = [
        moment
        for moment in (posted_at, last_seal(conn).refused_until if conn.scalar(select(seal.c.seq)) else None)
        if moment is not None
    ]
    facts = (
        ("id", row.id == 1, "1"),
        ("currency", row.currency == "CNY", "CNY"),
        ("scale", row.scale == 2, "2"),  # noqa: PLR2004 - two places of a yuan
        (
            "posted_at",
            not behind or (row.posted_at is not None and row.posted_at >= max(behind)),
            "no time before the last posting, or before the last seal's end",
        ),
        (
            "next_expiry",
            expiry is None or (row.next_expiry is not None and row.next_expiry <= expiry),
            "no time after the end of an open hold",
        ),
    )
    for field, right, wanted in facts:
        if not right:
            words = f"{field} of the ledger is {getattr(row, field)}: expected {wanted}"
            yield Finding(part="ledger", field=field, found=words)


def _guarding(conn: Connection) -> Iterator[Finding]:
    """The database itself still refuses to change what is written once."""
    there = trigger_names(conn)
    for table in (account, transfer, request, seal):
        for name in append_only_triggers(table.name, conn.dialect.name):
            if name not in there:
                words = f"table {table.name} may be changed: its trigger {name} is gone"
                yield Finding(part="ledger", field=name, found=words)
