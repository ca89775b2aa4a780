"""Gather what the transfers of a call touch, each kind in one query."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from citycard.ledger.chart import Guard
from citycard.ledger.records import HoldState, Transfer, account_id
from citycard.ledger.standing import HeldAmount, Standing, Standings, Use
from citycard.ledger.tables import balance, hold, limit_use, request, transfer
from citycard.store.bulk import select_in

__all__ = ["gather"]

_GUARDS = {str(guard): guard for guard in Guard}


def gather(conn: Connection, transfers: Sequence[Transfer]) -> Standings:
    """Read everything that must be known to judge these transfers."""
    reversed_ids = {wanted.reverses for wanted in transfers if wanted.reverses is not None}
    holds = _holds(conn, {wanted.pending_id for wanted in transfers if wanted.pending_id is not None})
    keys = {limit.key for wanted in transfers for limit in wanted.limits}
    keys.update(key for one in holds.values() for key in one.limits)
    return Standings(
        accounts=_accounts(conn, transfers),
        holds=holds,
        reversible=_reversible(conn, reversed_ids),
        uses=_uses(conn, keys),
        watched=frozenset(reversed_ids),
    )


def _accounts(conn: Connection, transfers: Sequence[Transfer]) -> dict[str, Standing]:
    addresses = {wanted.debit_address for wanted in transfers}
    addresses.update(wanted.credit_address for wanted in transfers)
    by_id = {account_id(address): address for address in addresses}
    standings = {}
    for row in select_in(conn, _BALANCES, balance.c.account_id, list(by_id)):
        key, guard, *sums = tuple[Any, ...](row)
        standings[by_id[key]] = Standing(key, _GUARDS[guard], *sums)
    return standings


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
