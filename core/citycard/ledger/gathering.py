"""Gather what the transfers of a call touch, each kind in one query."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from citycard.ledger import pipelining
from citycard.ledger.chart import Guard
from citycard.ledger.judging import Known
from citycard.ledger.records import HoldState, Transfer, account_id
from citycard.ledger.standing import HeldAmount, Standing, Standings, Use
from citycard.ledger.tables import balance, hold, ledger, limit_use, request, transfer
from citycard.store.bulk import select_in

__all__ = ["Found", "gather", "look_up"]

_GUARDS = {str(guard): guard for guard in Guard}


class Found(NamedTuple):
    """Where the ledger stands, what was answered to the ids of a call, and its accounts by address.

    ``next_expiry`` is a moment before which no open hold expires.
    """

    posted_seq: int
    posted_at: datetime | None
    next_expiry: datetime | None
    known: dict[int, Known]
    accounts: dict[str, Standing]


def look_up(conn: Connection, transfers: Sequence[Transfer]) -> Found:
    """Take the ledger until the end of the transaction, and look up ids and accounts of transfers."""
    by_id = {account_id(wanted.debit_address): wanted.debit_address for wanted in transfers}
    by_id |= {account_id(wanted.credit_address): wanted.credit_address for wanted in transfers}
    ids, keys = [wanted.id for wanted in transfers], list(by_id)
    if conn.dialect.name == "postgresql":
        head, known, balances = pipelining.look_up(conn, ids, keys)
    else:
        head = conn.execute(_TAKE).one_or_none()
        known = list(select_in(conn, _KNOWN, request.c.id, ids))
        balances = list(select_in(conn, _BALANCES, balance.c.account_id, keys))
    if head is None:
        _begin(conn)
        return look_up(conn, transfers)
    return Found(
        posted_seq=head[0],
        posted_at=head[1],
        next_expiry=head[2],
        known={identity.int: Known(digest, result) for identity, digest, result in known},
        accounts={by_id[key]: Standing(key, _GUARDS[guard], *sums) for key, guard, *sums in balances},
    )


def _begin(conn: Connection) -> None:
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    first = {"id": 1, "currency": "CNY", "scale": 2, "posted_seq": 0}
    conn.execute(dialect.insert(ledger).on_conflict_do_nothing(), first)


def gather(
    conn: Connection, transfers: Sequence[Transfer], accounts: dict[str, Standing], *, now: datetime
) -> Standings:
    """Read what else must be known to judge these transfers ``now``: holds, what is taken back, limits."""
    reversed_ids = {wanted.reverses for wanted in transfers if wanted.reverses is not None}
    holds = _holds(conn, {wanted.pending_id for wanted in transfers if wanted.pending_id is not None})
    keys = {limit.key for wanted in transfers for limit in wanted.limits}
    keys.update(key for one in holds.values() for key in one.limits)
    return Standings(
        accounts=accounts,
        holds=holds,
        reversible=_reversible(conn, reversed_ids),
        uses=_uses(conn, keys),
        watched=frozenset(reversed_ids),
        now=now,
    )


_TAKE = (
    update(ledger)
    .values(posted_seq=ledger.c.posted_seq)
    .returning(ledger.c.posted_seq, ledger.c.posted_at, ledger.c.next_expiry)
)
_KNOWN = select(request.c.id, request.c.digest, request.c.result)
_BALANCES = select(
    balance.c.account_id,
    balance.c.guard,
    balance.c.dr_posted_fen,
    balance.c.cr_posted_fen,
    balance.c.dr_pending_fen,
    balance.c.cr_pending_fen,
    balance.c.currency,
    balance.c.last_seq,
    balance.c.transfers,
)


def _holds(conn: Connection, ids: set[UUID]) -> dict[UUID, HeldAmount]:
    return {
        row.id: HeldAmount(
            id=row.id,
            debit_account=row.dr_account,
            credit_account=row.cr_account,
            amount_fen=row.amount_fen,
            state=HoldState(row.state),
            expires_at=row.expires_at,
            limits=tuple(row.limits),
        )
        for row in select_in(conn, select(hold), hold.c.id, list(ids))
    }


def _reversible(conn: Connection, ids: set[UUID]) -> dict[UUID, tuple[UUID, UUID, int]]:
    if not ids:
        return {}
    columns = (transfer.c.dr_account, transfer.c.cr_account, transfer.c.amount_fen, transfer.c.kind)
    query = select(request.c.id, *columns).join(transfer, transfer.c.posted_seq == request.c.posted_seq)
    found = {
        row.id: (row.dr_account, row.cr_account, row.amount_fen)
        for row in select_in(conn, query, request.c.id, list(ids))
        if row.kind in {"single", "post"}
    }
    taken = select(transfer.c.reverses, func.sum(transfer.c.amount_fen).label("taken_fen")).group_by(
        transfer.c.reverses
    )
    for row in select_in(conn, taken, transfer.c.reverses, list(ids)):
        debited, credited, amount_fen = found[row.reverses]
        found[row.reverses] = (debited, credited, amount_fen - int(row.taken_fen))
    return found


def _uses(conn: Connection, keys: Iterable[str]) -> dict[str, Use]:
    wanted = list(keys)
    uses = {key: Use() for key in wanted}
    for row in select_in(conn, select(limit_use), limit_use.c.key, wanted):
        uses[row.key] = Use(row.used_fen, row.used_count)
    return uses
