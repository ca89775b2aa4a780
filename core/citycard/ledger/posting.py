"""Post transfers: read what they touch in sets, judge, and write in sets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import attrs
from sqlalchemy import Connection, bindparam, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from citycard.errors import TransferInvalid
from citycard.ledger.expiring import due_expiries
from citycard.ledger.gathering import gather
from citycard.ledger.history import posted_transfers
from citycard.ledger.judging import Judge, Known, different, first_difference
from citycard.ledger.records import Kind, Outcome, Transfer
from citycard.ledger.standing import Standing, Standings
from citycard.ledger.tables import hold, ledger, limit_use, request, transfer
from citycard.store.bulk import insert_rows, select_in

__all__ = ["Head", "post", "take_ledger"]

_DIFFERENT_CONTENT = different("content")


@attrs.frozen
class Head:
    """Where the ledger stands: the last number posted, when, and before when no open hold expires."""

    posted_seq: int
    posted_at: datetime | None
    next_expiry: datetime | None

    def now(self, clock_now: datetime) -> datetime:
        """Give the time of the next posting: the clock's, but never before the last one."""
        return clock_now if self.posted_at is None else max(clock_now, self.posted_at)


def post(conn: Connection, transfers: Sequence[Transfer], *, now: datetime) -> list[Outcome]:
    """Answer every transfer and write those that are accepted, together with all answers.

    Holds whose time is over are let go first.
    """
    if not transfers:
        return []
    _refuse_expiries(transfers)
    head = take_ledger(conn)
    now = head.now(now)
    expiries = due_expiries(conn, now) if head.next_expiry is not None and head.next_expiry <= now else []
    wanted_all = [*expiries, *transfers]
    standings = gather(conn, wanted_all)
    judge = Judge(_known(conn, wanted_all), standings)
    outcomes = judge.judge(wanted_all)
    _write(conn, judge, standings, head, now, swept=bool(expiries))
    return _name_fields(conn, transfers, outcomes[len(expiries) :])


def _refuse_expiries(transfers: Sequence[Transfer]) -> None:
    for wanted in transfers:
        if wanted.kind is Kind.EXPIRE:
            expected = "another: holds expire by themselves"
            raise TransferInvalid(
                record=f"transfer {wanted.id}", field="kind", value=wanted.kind, expected=expected
            )


def take_ledger(conn: Connection) -> Head:
    """Take the ledger's one row until the end of the transaction, and say where it stands."""
    hold_row = (
        update(ledger)
        .values(posted_seq=ledger.c.posted_seq)
        .returning(ledger.c.posted_seq, ledger.c.posted_at, ledger.c.next_expiry)
    )
    row = conn.execute(hold_row).one_or_none()
    if row is None:
        dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
        first = {"id": 1, "currency": "CNY", "scale": 2, "posted_seq": 0}
        conn.execute(dialect.insert(ledger).on_conflict_do_nothing(), first)
        row = conn.execute(hold_row).one()
    return Head(row.posted_seq, row.posted_at, row.next_expiry)


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
    if not differing:
        return list(outcomes)
    stored = {found.transfer.id: found.transfer for found in posted_transfers(conn, ids=differing)}
    return [
        attrs.evolve(outcome, result=different(first_difference(stored[outcome.id], wanted)))
        if outcome.result == _DIFFERENT_CONTENT and outcome.id in stored
        else outcome
        for wanted, outcome in zip(transfers, outcomes, strict=True)
    ]


def _write(
    conn: Connection, judge: Judge, standings: Standings, head: Head, now: datetime, *, swept: bool
) -> None:
    rows = _transfer_rows(judge.accepted, standings, head.posted_seq, now)
    seqs: dict[object, object] = {row[1]: row[0] for row in rows}
    insert_rows(
        conn,
        request,
        ("id", "digest", "result", "posted_seq", "first_seen"),
        [
            (identity, fact.digest, str(fact.result), seqs.get(identity), now)
            for identity, fact in judge.remember.items()
        ],
    )
    if not rows:
        return
    insert_rows(conn, transfer, _TRANSFER_COLUMNS, rows)
    _write_balances(conn, [one for one in standings.accounts.values() if one.last_seq > head.posted_seq])
    if standings.holds:
        _write_holds(conn, standings, seqs)
    if standings.uses:
        _write_uses(conn, standings)
    values = {"posted_seq": head.posted_seq + len(rows), "posted_at": now}
    expiries = [wanted.expires_at for wanted in judge.accepted if wanted.expires_at is not None]
    if swept or expiries:
        values["next_expiry"] = _next_expiry(conn, head, expiries, swept=swept)
    conn.execute(update(ledger).values(values))


_TRANSFER_COLUMNS = (
    "posted_seq",
    "id",
    "dr_account",
    "cr_account",
    "dr_before",
    "cr_before",
    "amount_fen",
    "code",
    "kind",
    "group_id",
    "pending_id",
    "expires_at",
    "reverses",
    "event_time",
    "business_date",
    "ref",
    "posted_at",
)


def _transfer_rows(
    accepted: Sequence[Transfer], standings: Standings, last_seq: int, now: datetime
) -> list[tuple[object, ...]]:
    """Number what was accepted, and put it at the end of the histories of its two accounts."""
    rows: list[tuple[object, ...]] = []
    for seq, wanted in enumerate(accepted, last_seq + 1):
        debited = standings.accounts[wanted.debit_address]
        credited = standings.accounts[wanted.credit_address]
        rows.append(
            (
                seq,
                wanted.id,
                debited.id,
                credited.id,
                debited.last_seq,
                credited.last_seq,
                wanted.amount_fen,
                int(wanted.code),
                wanted.kind.value,
                wanted.group,
                wanted.pending_id,
                wanted.expires_at,
                wanted.reverses,
                wanted.event_time,
                wanted.business_date,
                wanted.ref,
                now,
            )
        )
        debited.last_seq = credited.last_seq = seq
        debited.transfers += 1
        credited.transfers += 1
    return rows


def _write_balances(conn: Connection, touched: Sequence[Standing]) -> None:
    """Write what the accounts came to: one change per account, however many transfers it has."""
    if conn.dialect.name == "postgresql":
        columns = zip(*((*_sums(one), one.id) for one in touched), strict=True)
        names = ("dr", "cr", "drp", "crp", "last", "transfers", "keys")
        conn.execute(_BALANCES_IN_POSTGRESQL, dict(zip(names, map(list, columns), strict=True)))
    else:
        conn.exec_driver_sql(_BALANCES_IN_SQLITE, [(*_sums(one), one.id.hex) for one in touched])


def _sums(one: Standing) -> tuple[int, ...]:
    return (
        one.debits_fen,
        one.credits_fen,
        one.debits_pending_fen,
        one.credits_pending_fen,
        one.last_seq,
        one.transfers,
    )


_BALANCES_IN_SQLITE = (
    "UPDATE balance SET dr_posted_fen = ?, cr_posted_fen = ?, dr_pending_fen = ?, cr_pending_fen = ?, "
    "last_seq = ?, transfers = ? WHERE account_id = ?"
)

_BALANCES_IN_POSTGRESQL = text(
    "UPDATE balance SET dr_posted_fen = now.dr, cr_posted_fen = now.cr, dr_pending_fen = now.drp, "
    "cr_pending_fen = now.crp, last_seq = now.last, transfers = now.transfers "
    "FROM unnest(CAST(:keys AS uuid[]), CAST(:dr AS bigint[]), CAST(:cr AS bigint[]), "
    "CAST(:drp AS bigint[]), CAST(:crp AS bigint[]), CAST(:last AS bigint[]), CAST(:transfers AS bigint[])) "
    "AS now(key, dr, cr, drp, crp, last, transfers) WHERE balance.account_id = now.key"
)


def _write_holds(conn: Connection, standings: Standings, seqs: dict[object, object]) -> None:
    begun = [one for one in standings.holds.values() if one.id in seqs]
    insert_rows(
        conn,
        hold,
        ("id", "posted_seq", "dr_account", "cr_account", "amount_fen", "expires_at", "limits", "state"),
        [
            (
                one.id,
                seqs[one.id],
                one.debit_account,
                one.credit_account,
                one.amount_fen,
                one.expires_at,
                list(one.limits),
                str(one.state),
            )
            for one in begun
        ],
    )
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


def _next_expiry(conn: Connection, head: Head, begun: Sequence[datetime], *, swept: bool) -> datetime | None:
    """Say before when no open hold expires; a moment that is too early costs one look in vain."""
    if swept:
        earliest = select(hold.c.expires_at).where(hold.c.state == "pending", hold.c.expires_at.is_not(None))
        return conn.scalar(earliest.order_by(hold.c.expires_at).limit(1))
    known = [] if head.next_expiry is None else [head.next_expiry]
    return min([*known, *begun])
