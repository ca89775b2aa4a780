"""Read what was posted: single transfers, an account's history, and what it held at any past moment.

No index leads from an account to its transfers. Its balance names the newest, and each names the one before,
so that a history is walked back; where an account has a large share of all transfers, they are read in the
order of posting instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, and_, case, func, literal, or_, select

from citycard.errors import AccountMissing
from citycard.ledger.chart import Side
from citycard.ledger.records import Kind, PostedTransfer, Transfer, account_id
from citycard.ledger.tables import account, balance, ledger, request, transfer
from citycard.store.bulk import select_in

__all__ = ["balance_at", "number_at", "posted_transfers", "transfers_between", "transfers_of"]

_DEBITED, _CREDITED = account.alias("debited"), account.alias("credited")

#: One step back costs as much as reading so many transfers in order.
_STEP_COST = 20


def posted_transfers(conn: Connection, *, ids: Sequence[UUID]) -> Iterator[PostedTransfer]:
    """Give the posted transfers with these ids; the order is not defined."""
    query = _transfers().join(request, request.c.posted_seq == transfer.c.posted_seq)
    return (_posted(row) for row in select_in(conn, query, request.c.id, ids))


def transfers_of(conn: Connection, address: str, *, limit: int, before: int | None) -> list[PostedTransfer]:
    """Give the newest transfers of an account, newest first, below the number ``before``."""
    key = account_id(address)
    start = _newest(conn, key)
    if before is not None and before <= start:
        row = conn.execute(select(transfer).where(transfer.c.posted_seq == before)).one_or_none()
        # A number that is the account's own is where the last page ended.
        start = _previous(row, key) if row is not None and key in {row.dr_account, row.cr_account} else start
    return list(_walk(conn, key, start, before=before, limit=limit))


def number_at(conn: Connection, at: datetime) -> int:
    """Give the number of the last transfer that was posted until a moment (aware), 0 when there was none.

    Numbers have no gap and posting times never go back, so that the number is found by halving.
    """
    low = 0
    high: int = conn.scalar(select(ledger.c.posted_seq)) or 0
    while low < high:
        middle = (low + high + 1) // 2
        moment = conn.scalar(select(transfer.c.posted_at).where(transfer.c.posted_seq == middle))
        assert moment is not None
        low, high = (middle, high) if moment <= at else (low, middle - 1)
    return low


def transfers_between(
    conn: Connection, address: str, since: datetime, until: datetime
) -> Iterator[PostedTransfer]:
    """Give an account's transfers posted after ``since`` and until ``until`` (both aware), oldest first."""
    key = account_id(address)
    first, last = number_at(conn, since), number_at(conn, until)
    ordered = _transfers().order_by(transfer.c.posted_seq)
    if _reads_in_order(conn, key, first):
        touched = or_(transfer.c.dr_account == key, transfer.c.cr_account == key)
        query = ordered.where(transfer.c.posted_seq > first, transfer.c.posted_seq <= last, touched)
    else:
        # IN, where a join would let the database read all transfers and look each up in the walk.
        query = ordered.where(transfer.c.posted_seq.in_(_numbers(key, _newest(conn, key), first)))
        query = query.where(transfer.c.posted_seq <= last)
    return (_posted(row) for row in conn.execute(query.execution_options(yield_per=1000)))


def balance_at(conn: Connection, address: str, at: datetime) -> int:
    """Give the posted balance of an account at a past moment (aware), in fen on its own side.

    Raise AccountMissing when nobody opened it until now; before it was opened it held nothing.
    """
    key = account_id(address)
    sums = (balance.c.dr_posted_fen, balance.c.cr_posted_fen, balance.c.last_seq)
    query = select(account.c.side, *sums).join(balance, balance.c.account_id == account.c.id)
    row = conn.execute(query.where(account.c.id == key)).one_or_none()
    if row is None:
        raise AccountMissing(address=address)
    # Others may post between these statements: what is taken away again ends where these sums end.
    debits_fen, credits_fen = _moved(conn, key, above=number_at(conn, at), newest=row.last_seq)
    net_fen: int = row.dr_posted_fen - debits_fen - (row.cr_posted_fen - credits_fen)
    return net_fen if row.side == Side.DEBIT else -net_fen


def _moved(conn: Connection, key: UUID, *, above: int, newest: int) -> tuple[int, int]:
    """Sum what was posted to an account above a number, until its newest transfer: debits and credits."""
    sums = select(
        func.coalesce(func.sum(transfer.c.amount_fen).filter(transfer.c.dr_account == key), 0),
        func.coalesce(func.sum(transfer.c.amount_fen).filter(transfer.c.cr_account == key), 0),
    ).where(transfer.c.kind.in_([Kind.SINGLE, Kind.POST]))
    if _reads_in_order(conn, key, above):
        touched = or_(transfer.c.dr_account == key, transfer.c.cr_account == key)
        sums = sums.where(transfer.c.posted_seq > above, transfer.c.posted_seq <= newest, touched)
    else:
        sums = sums.where(transfer.c.posted_seq.in_(_numbers(key, newest, above)))
    debits_fen, credits_fen = conn.execute(sums).one()
    return int(debits_fen), int(credits_fen)


def _newest(conn: Connection, key: UUID) -> int:
    newest: int | None = conn.scalar(select(balance.c.last_seq).where(balance.c.account_id == key))
    return newest or 0


def _reads_in_order(conn: Connection, key: UUID, number: int) -> bool:
    """Say whether reading everything after a number is cheaper than walking an account's history back."""
    steps = conn.scalar(select(balance.c.transfers).where(balance.c.account_id == key)) or 0
    last: int = conn.scalar(select(ledger.c.posted_seq)) or 0
    return last - number < steps * _STEP_COST


def _numbers(key: UUID, start: int, above: int, limit: int | None = None) -> Select[Any]:
    """Give the numbers of an account's transfers from ``start`` back, as long as they are above a number."""
    back = case((transfer.c.dr_account == key, transfer.c.dr_before), else_=transfer.c.cr_before)
    walk = (
        select(transfer.c.posted_seq, back.label("previous"), literal(1).label("step"))
        .where(transfer.c.posted_seq == start, transfer.c.posted_seq > above)
        .cte("walk", recursive=True)
    )
    onward = and_(transfer.c.posted_seq == walk.c.previous, transfer.c.posted_seq > above)
    if limit is not None:
        onward = and_(onward, walk.c.step < limit)
    walk = walk.union_all(
        select(transfer.c.posted_seq, back.label("previous"), walk.c.step + 1).join(walk, onward)
    )
    return select(walk.c.posted_seq)


def _walk(
    conn: Connection, key: UUID, start: int, *, before: int | None, limit: int
) -> Iterator[PostedTransfer]:
    """Give an account's transfers from ``start`` back, newest first, below ``before``."""
    while start and limit > 0:
        query = _transfers().where(transfer.c.posted_seq.in_(_numbers(key, start, 0, limit)))
        rows = conn.execute(query.order_by(transfer.c.posted_seq.desc())).all()
        start = _previous(rows[-1], key)
        for row in rows:
            if before is None or row.posted_seq < before:
                limit -= 1
                yield _posted(row)


def _previous(row: Any, key: UUID) -> int:
    number: int = row.dr_before if row.dr_account == key else row.cr_before
    return number


def _transfers() -> Select[Any]:
    return (
        select(
            transfer,
            _DEBITED.c.address.label("debit_address"),
            _CREDITED.c.address.label("credit_address"),
        )
        .join(_DEBITED, transfer.c.dr_account == _DEBITED.c.id)
        .join(_CREDITED, transfer.c.cr_account == _CREDITED.c.id)
    )


def _posted(row: Any) -> PostedTransfer:
    return PostedTransfer(
        transfer=Transfer(
            id=row.id,
            debit_address=row.debit_address,
            credit_address=row.credit_address,
            amount_fen=row.amount_fen,
            code=row.code,
            event_time=row.event_time,
            business_date=row.business_date,
            group=row.group_id,
            ref=row.ref,
            kind=Kind(row.kind),
            pending_id=row.pending_id,
            expires_at=row.expires_at,
            reverses=row.reverses,
        ),
        posted_seq=row.posted_seq,
        posted_at=row.posted_at,
    )
