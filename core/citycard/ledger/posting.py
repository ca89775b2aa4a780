"""Post transfers: look up what they touch in sets, judge, and write in sets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from citycard.errors import TransferInvalid
from citycard.ledger import pipelining
from citycard.ledger.expiring import due_expiries
from citycard.ledger.gathering import Found, gather, look_up
from citycard.ledger.history import posted_transfers
from citycard.ledger.judging import Judge, different, first_difference
from citycard.ledger.records import Kind, Outcome, Transfer
from citycard.ledger.rows import (
    REQUEST_COLUMNS,
    TRANSFER_COLUMNS,
    balance_columns,
    request_columns,
    transfer_columns,
)
from citycard.ledger.standing import Standings
from citycard.ledger.tables import hold, ledger, limit_use, request, transfer
from citycard.store.bulk import insert_rows

__all__ = ["post"]

_DIFFERENT_CONTENT = different("content")


def post(conn: Connection, transfers: Sequence[Transfer], *, now: datetime) -> list[Outcome]:
    """Answer every transfer and write those that are accepted, together with all answers.

    Holds whose time is over are let go first.
    """
    if not transfers:
        return []
    _refuse_expiries(transfers)
    found = look_up(conn, transfers)
    # Posting times never go back, whatever the clock says.
    now = now if found.posted_at is None else max(now, found.posted_at)
    expiries: list[Transfer] = []
    if found.next_expiry is not None and found.next_expiry <= now:
        expiries = due_expiries(conn, now)
        found = look_up(conn, [*expiries, *transfers])
    standings = gather(conn, [*expiries, *transfers], found.accounts, now=now)
    judge = Judge(found.known, standings)
    outcomes = judge.judge([*expiries, *transfers])
    _write(conn, judge, standings, found, now)
    if found.next_expiry is not None and found.next_expiry <= now:
        _look_ahead(conn)
    return _name_fields(conn, transfers, outcomes[len(expiries) :])


def _refuse_expiries(transfers: Sequence[Transfer]) -> None:
    for wanted in transfers:
        if wanted.kind is Kind.EXPIRE:
            expected = "another: holds expire by themselves"
            raise TransferInvalid(
                record=f"transfer {wanted.id}", field="kind", value=wanted.kind, expected=expected
            )


def _name_fields(
    conn: Connection, transfers: Sequence[Transfer], outcomes: Sequence[Outcome]
) -> list[Outcome]:
    """Say in which field transfers differ from what was posted under their ids in earlier calls."""
    differing = [outcome.id for outcome in outcomes if outcome.result == _DIFFERENT_CONTENT]
    if not differing:
        return list(outcomes)
    stored = {found.transfer.id: found.transfer for found in posted_transfers(conn, ids=differing)}
    return [
        attrs.evolve(outcome, result=different(first_difference(stored[outcome.id], wanted)))
        if outcome.result == _DIFFERENT_CONTENT and outcome.id in stored
        else outcome
        for wanted, outcome in zip(transfers, outcomes, strict=True)
    ]


def _write(conn: Connection, judge: Judge, standings: Standings, found: Found, now: datetime) -> None:
    last_seq = found.posted_seq
    requests = _rows(request_columns(judge, last_seq, now))
    rows = _rows(transfer_columns(judge.accepted, standings, last_seq, now))
    balances = _rows(balance_columns(standings.accounts.values(), last_seq))
    advance = (last_seq + len(rows), now)
    if conn.dialect.name == "postgresql":
        pipelining.keep(conn, (REQUEST_COLUMNS, requests), (TRANSFER_COLUMNS, rows), balances, advance)
    else:
        insert_rows(conn, request, REQUEST_COLUMNS, requests)
        insert_rows(conn, transfer, TRANSFER_COLUMNS, rows)
        if balances:
            conn.exec_driver_sql(_MOVE, [(*sums, key.hex) for key, *sums in balances])
            conn.execute(update(ledger).values(posted_seq=advance[0], posted_at=now))
    if standings.holds and rows:
        _write_holds(
            conn, standings, {wanted.id: seq for seq, wanted in enumerate(judge.accepted, last_seq + 1)}
        )
        _expect(conn, found, judge.accepted)
    if standings.uses and rows:
        _write_uses(conn, standings)


def _rows(columns: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    return list(zip(*columns, strict=True))


_MOVE = (
    "UPDATE balance SET dr_posted_fen = ?, cr_posted_fen = ?, dr_pending_fen = ?, cr_pending_fen = ?, "
    "last_seq = ?, transfers = ? WHERE account_id = ?"
)


def _write_holds(conn: Connection, standings: Standings, seqs: dict[UUID, int]) -> None:
    begun = [
        {
            "id": one.id,
            "posted_seq": seqs[one.id],
            "dr_account": one.debit_account,
            "cr_account": one.credit_account,
            "amount_fen": one.amount_fen,
            "expires_at": one.expires_at,
            "limits": list(one.limits),
            "state": str(one.state),
        }
        for one in standings.holds.values()
        if one.id in seqs
    ]
    if begun:
        conn.execute(insert(hold), begun)
    ended = [
        {"key": one.id, "now": str(one.state)}
        for one in standings.holds.values()
        if one.id not in seqs and one.state != "pending"
    ]
    if ended:
        ending = update(hold).where(hold.c.id == bindparam("key"), hold.c.state == "pending")
        conn.execute(ending.values(state=bindparam("now")), ended)


def _write_uses(conn: Connection, standings: Standings) -> None:
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(limit_use)
    statement = statement.on_conflict_do_update(
        index_elements=["key"],
        set_={"used_fen": statement.excluded.used_fen, "used_count": statement.excluded.used_count},
    )
    rows = [
        {"key": key, "used_fen": use.used_fen, "used_count": use.used_count}
        for key, use in standings.uses.items()
    ]
    conn.execute(statement, rows)


def _expect(conn: Connection, found: Found, accepted: Sequence[Transfer]) -> None:
    """Note before when no open hold expires; a moment that is too early costs one look in vain."""
    expiries = [wanted.expires_at for wanted in accepted if wanted.expires_at is not None]
    if expiries and (found.next_expiry is None or min(expiries) < found.next_expiry):
        conn.execute(update(ledger).values(next_expiry=min(expiries)))


def _look_ahead(conn: Connection) -> None:
    """Find out anew when the next open hold expires, after those that were due were let go."""
    earliest = (
        select(hold.c.expires_at)
        .where(hold.c.state == "pending", hold.c.expires_at.is_not(None))
        .order_by(hold.c.expires_at)
        .limit(1)
    )
    conn.execute(update(ledger).values(next_expiry=earliest.scalar_subquery()))
