"""Post transfers: read what is needed in sets, judge, and write in sets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import attrs
from sqlalchemy import Connection, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from citycard.ledger.chart import Guard
from citycard.ledger.judging import Judge, Known, Standing, different, first_difference
from citycard.ledger.reading import posted_transfers
from citycard.ledger.records import Outcome, Transfer, account_id
from citycard.ledger.tables import account, balance, ledger, request, transfer
from citycard.store.bulk import insert_rows, select_in

__all__ = ["post"]

_DIFFERENT_CONTENT = different("content")
_GUARDS = {str(guard): guard for guard in Guard}
_TRANSFER_COLUMNS = (
    "id",
    "dr_account",
    "cr_account",
    "amount_fen",
    "code",
    "kind",
    "group_id",
    "event_time",
    "business_date",
    "ref",
    "posted_seq",
    "posted_at",
)


def post(conn: Connection, transfers: Sequence[Transfer], *, now: datetime) -> list[Outcome]:
    """Answer every transfer and write those that are accepted, together with all answers."""
    if not transfers:
        return []
    last_seq = _lock_ledger(conn)
    accounts = _account_ids(transfers)
    judge = Judge(_known(conn, transfers), _standings(conn, accounts))
    outcomes = judge.judge(transfers)
    _write(conn, judge, accounts, last_seq, now)
    return _name_fields(conn, transfers, outcomes)


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
    query = select(request.c.id, request.c.digest, request.c.result)
    return {row.id: Known(bytes(row.digest), row.result) for row in select_in(conn, query, request.c.id, ids)}


def _name_fields(
    conn: Connection, transfers: Sequence[Transfer], outcomes: Sequence[Outcome]
) -> list[Outcome]:
    """Say in which field transfers differ from what was posted under their ids in earlier calls."""
    differing = [outcome.id for outcome in outcomes if outcome.result == _DIFFERENT_CONTENT]
    stored = {found.transfer.id: found.transfer for found in posted_transfers(conn, ids=differing)}
    return [
        attrs.evolve(outcome, result=different(first_difference(stored[outcome.id], wanted)))
        if outcome.result == _DIFFERENT_CONTENT and outcome.id in stored
        else outcome
        for wanted, outcome in zip(transfers, outcomes, strict=True)
    ]


def _account_ids(transfers: Sequence[Transfer]) -> dict[str, UUID]:
    addresses = {wanted.debit_address for wanted in transfers}
    addresses.update(wanted.credit_address for wanted in transfers)
    return {address: account_id(address) for address in addresses}


def _standings(conn: Connection, accounts: Mapping[str, UUID]) -> dict[str, Standing]:
    """Look up the accounts of these transfers; only guarded ones bring their balances."""
    guards = select(account.c.address, account.c.guard)
    standings = {
        row.address: Standing(_GUARDS[row.guard])
        for row in select_in(conn, guards, account.c.id, list(accounts.values()))
    }
    guarded = [accounts[address] for address, standing in standings.items() if standing.guard != Guard.NONE]
    sums = select(account.c.address, balance).join(balance, balance.c.account_id == account.c.id)
    for row in select_in(conn, sums, account.c.id, guarded):
        standing = standings[row.address]
        standing.debits_fen, standing.credits_fen = row.dr_posted_fen, row.cr_posted_fen
        standing.debits_pending_fen, standing.credits_pending_fen = row.dr_pending_fen, row.cr_pending_fen
    return standings


def _write(
    conn: Connection, judge: Judge, accounts: Mapping[str, UUID], last_seq: int, now: datetime
) -> None:
    insert_rows(
        conn,
        request,
        ("id", "digest", "result", "first_seen"),
        [(identity, fact.digest, str(fact.result), now) for identity, fact in judge.remember.items()],
    )
    if not judge.accepted:
        return
    rows = [
        (
            wanted.id,
            accounts[wanted.debit_address],
            accounts[wanted.credit_address],
            wanted.amount_fen,
            int(wanted.code),
            "single",
            wanted.group,
            wanted.event_time,
            wanted.business_date,
            wanted.ref,
            seq,
            now,
        )
        for seq, wanted in enumerate(judge.accepted, last_seq + 1)
    ]
    insert_rows(conn, transfer, _TRANSFER_COLUMNS, rows)
    _move(conn, judge.accepted, accounts)
    conn.execute(update(ledger).values(posted_seq=last_seq + len(judge.accepted)))


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
    changes = [(debited, credited, key.hex) for key, debited, credited in moved]
    conn.exec_driver_sql(_MOVE_IN_SQLITE, changes)


_MOVE_IN_SQLITE = (
    "UPDATE balance SET dr_posted_fen = dr_posted_fen + ?, cr_posted_fen = cr_posted_fen + ? "
    "WHERE account_id = ?"
)

_MOVE_IN_POSTGRESQL = text(
    "UPDATE balance SET dr_posted_fen = dr_posted_fen + moved.debited, "
    "cr_posted_fen = cr_posted_fen + moved.credited "
    "FROM unnest(CAST(:keys AS uuid[]), CAST(:debited AS bigint[]), CAST(:credited AS bigint[])) "
    "AS moved(key, debited, credited) WHERE balance.account_id = moved.key"
)
