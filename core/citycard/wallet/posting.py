"""Post transfers: read what is needed in sets, judge, and write in sets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from citycard.store.bulk import chunks, select_in
from citycard.wallet.chart import Guard
from citycard.wallet.judging import Judge, Known, Standing
from citycard.wallet.reading import posted_transfers
from citycard.wallet.records import Outcome, Result, Transfer, account_id
from citycard.wallet.tables import account, balance, ledger, request, transfer

__all__ = ["post"]

_PIECE = 20_000


def post(conn: Connection, transfers: Sequence[Transfer], *, now: datetime) -> list[Outcome]:
    """Answer every transfer and write those that are accepted, together with all answers."""
    if not transfers:
        return []
    last_seq = _lock_ledger(conn)
    judge = Judge(_known(conn, transfers), _standings(conn, transfers))
    outcomes = judge.judge(transfers)
    _write(conn, judge, last_seq, now)
    return outcomes


def _lock_ledger(conn: Connection) -> int:
    """Take the ledger's one row until the end of the transaction, and give the last number posted."""
    hold = update(ledger).values(posted_seq=ledger.c.posted_seq).returning(ledger.c.posted_seq)
    last_seq: int | None = conn.scalar(hold)
    if last_seq is None:
        dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
        row = {"id": 1, "currency": "CNY", "scale": 2, "posted_seq": 0}
        conn.execute(dialect.insert(ledger).on_conflict_do_nothing(), row)
        last_seq = conn.scalar(hold)
    assert last_seq is not None
    return last_seq


def _known(conn: Connection, transfers: Sequence[Transfer]) -> dict[UUID, Known]:
    """Recall what was answered to these ids before."""
    ids = list({wanted.id for wanted in transfers})
    rows = {row.id: row for row in select_in(conn, select(request), request.c.id, ids)}
    posted = [row.id for row in rows.values() if row.result == Result.POSTED]
    stored = {found.transfer.id: found.transfer for found in posted_transfers(conn, ids=posted)}
    return {
        identity: Known(bytes(row.digest), row.result, stored.get(identity)) for identity, row in rows.items()
    }


def _standings(conn: Connection, transfers: Sequence[Transfer]) -> dict[str, Standing]:
    """Look up the accounts of these transfers; only guarded ones bring their balances."""
    addresses = {wanted.debit_address for wanted in transfers}
    addresses.update(wanted.credit_address for wanted in transfers)
    ids = [account_id(address) for address in addresses]
    guards = select(account.c.address, account.c.guard)
    standings = {
        row.address: Standing(Guard(row.guard)) for row in select_in(conn, guards, account.c.id, ids)
    }
    guarded = [account_id(address) for address, standing in standings.items() if standing.guard != Guard.NONE]
    sums = select(account.c.address, balance).join(balance, balance.c.account_id == account.c.id)
    for row in select_in(conn, sums, account.c.id, guarded):
        standing = standings[row.address]
        standing.debits_fen, standing.credits_fen = row.dr_posted_fen, row.cr_posted_fen
        standing.debits_pending_fen, standing.credits_pending_fen = row.dr_pending_fen, row.cr_pending_fen
    return standings


def _write(conn: Connection, judge: Judge, last_seq: int, now: datetime) -> None:
    accounts = _AccountIds()
    _insert(
        conn,
        request,
        [
            {"id": identity, "digest": fact.digest, "result": str(fact.result), "first_seen": now}
            for identity, fact in judge.remember.items()
        ],
    )
    if not judge.accepted:
        return
    _insert(
        conn,
        transfer,
        [
            {
                "id": wanted.id,
                "dr_account": accounts[wanted.debit_address],
                "cr_account": accounts[wanted.credit_address],
                "amount_fen": wanted.amount_fen,
                "code": int(wanted.code),
                "kind": "single",
                "group_id": wanted.group,
                "event_time": wanted.event_time,
                "business_date": wanted.business_date,
                "ref": wanted.ref,
                "posted_seq": seq,
                "posted_at": now,
            }
            for seq, wanted in enumerate(judge.accepted, last_seq + 1)
        ],
    )
    _move(conn, judge.accepted, accounts)
    conn.execute(update(ledger).values(posted_seq=last_seq + len(judge.accepted)))


class _AccountIds(dict[str, UUID]):
    """The ids of the accounts of one call, each worked out once."""

    def __missing__(self, address: str) -> UUID:
        identity = self[address] = account_id(address)
        return identity


def _insert(conn: Connection, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    for piece in chunks(rows, _PIECE):
        conn.execute(insert(table), piece)


def _move(conn: Connection, accepted: Iterable[Transfer], accounts: Mapping[str, UUID]) -> None:
    """Add what was accepted to the balances: one change per account, however many transfers it has."""
    debits: dict[UUID, int] = defaultdict(int)
    credits_: dict[UUID, int] = defaultdict(int)
    for wanted in accepted:
        debits[accounts[wanted.debit_address]] += wanted.amount_fen
        credits_[accounts[wanted.credit_address]] += wanted.amount_fen
    moved = [(key, debits.get(key, 0), credits_.get(key, 0)) for key in debits.keys() | credits_.keys()]
    if conn.dialect.name == "postgresql":
        keys, debited, credited = (list(column) for column in zip(*moved, strict=True))
        conn.execute(_MOVE_IN_POSTGRESQL, {"keys": keys, "debited": debited, "credited": credited})
        return
    statement = (
        update(balance)
        .where(balance.c.account_id == bindparam("key"))
        .values(
            dr_posted_fen=balance.c.dr_posted_fen + bindparam("debited"),
            cr_posted_fen=balance.c.cr_posted_fen + bindparam("credited"),
        )
    )
    names = ("key", "debited", "credited")
    conn.execute(statement, [dict(zip(names, change, strict=True)) for change in moved])


_MOVE_IN_POSTGRESQL = text(
    "UPDATE balance SET dr_posted_fen = dr_posted_fen + moved.debited, "
    "cr_posted_fen = cr_posted_fen + moved.credited "
    "FROM unnest(CAST(:keys AS uuid[]), CAST(:debited AS bigint[]), CAST(:credited AS bigint[])) "
    "AS moved(key, debited, credited) WHERE balance.account_id = moved.key"
)
