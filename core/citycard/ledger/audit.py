"""Recompute what must be true of the ledger from what was written, and say what does not hold."""

from __future__ import annotations

import attrs
from sqlalchemy import Connection, Select, and_, func, or_, select, union_all
from sqlalchemy.sql.expression import literal

from citycard.ledger.records import Result
from citycard.ledger.tables import account, balance, ledger, request, transfer

__all__ = ["Violation", "audit"]


@attrs.frozen(kw_only=True)
class Violation:
    """An invariant that does not hold: its number in docs/ledger.md, and what was found."""

    invariant: str
    found: str


def audit(conn: Connection) -> list[Violation]:
    """Return every violation found; an empty list is a ledger in order."""
    # All tables are read whole, also right after a large posting, when the planner's figures are old.
    _plan_loops(conn, allowed="off")
    violations = [*_two_sides(conn), *_folds(conn), *_answers(conn), *_guards(conn), *_order(conn)]
    _plan_loops(conn, allowed="DEFAULT")
    return violations


def _plan_loops(conn: Connection, *, allowed: str) -> None:
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(f"SET LOCAL enable_nestloop TO {allowed}")


def _two_sides(conn: Connection) -> list[Violation]:
    sums = conn.execute(
        select(
            func.coalesce(func.sum(balance.c.dr_posted_fen), 0),
            func.coalesce(func.sum(balance.c.cr_posted_fen), 0),
            func.coalesce(func.sum(balance.c.dr_pending_fen), 0),
            func.coalesce(func.sum(balance.c.cr_pending_fen), 0),
        )
    ).one()
    debits, credits_, debits_pending, credits_pending = (int(value) for value in sums)
    violations = []
    if debits != credits_:
        violations.append(Violation(invariant="I1", found=f"posted debits {debits}, credits {credits_} fen"))
    if debits_pending != credits_pending:
        found = f"pending debits {debits_pending}, credits {credits_pending} fen"
        violations.append(Violation(invariant="I1", found=found))
    return violations


def _folds(conn: Connection) -> list[Violation]:
    zero = literal(0)
    legs = union_all(
        select(
            transfer.c.dr_account.label("key"), transfer.c.amount_fen.label("debit"), zero.label("credit")
        ),
        select(transfer.c.cr_account, zero, transfer.c.amount_fen),
    ).subquery()
    folded = (
        select(
            legs.c.key,
            func.sum(legs.c.debit).label("debits_fen"),
            func.sum(legs.c.credit).label("credits_fen"),
        )
        .group_by(legs.c.key)
        .subquery()
    )
    debits = func.coalesce(folded.c.debits_fen, 0)
    credits_ = func.coalesce(folded.c.credits_fen, 0)
    query = (
        select(account.c.address)
        .outerjoin(balance, balance.c.account_id == account.c.id)
        .outerjoin(folded, folded.c.key == account.c.id)
        .where(
            or_(
                balance.c.account_id.is_(None),
                balance.c.dr_posted_fen != debits,
                balance.c.cr_posted_fen != credits_,
            )
        )
        .order_by(account.c.address)
    )
    return _named(conn, "I2", query, "the balance of {} is not the sum of its transfers")


def _answers(conn: Connection) -> list[Violation]:
    unanswered = (
        select(transfer.c.id)
        .outerjoin(request, request.c.id == transfer.c.id)
        .where(or_(request.c.id.is_(None), request.c.result != Result.POSTED))
    )
    unposted = (
        select(request.c.id)
        .outerjoin(transfer, transfer.c.id == request.c.id)
        .where(and_(request.c.result == Result.POSTED, transfer.c.id.is_(None)))
    )
    return [
        *_named(conn, "I3", unanswered, "transfer {} is in the ledger and was not answered so"),
        *_named(conn, "I3", unposted, "transfer {} was answered as posted and is not in the ledger"),
    ]


def _guards(conn: Connection) -> list[Violation]:
    query = (
        select(account.c.address)
        .join(balance, balance.c.account_id == account.c.id)
        .where(
            or_(
                balance.c.guard != account.c.guard,
                and_(
                    account.c.guard == "dr<=cr",
                    balance.c.dr_posted_fen + balance.c.dr_pending_fen > balance.c.cr_posted_fen,
                ),
                and_(
                    account.c.guard == "cr<=dr",
                    balance.c.cr_posted_fen + balance.c.cr_pending_fen > balance.c.dr_posted_fen,
                ),
            )
        )
    )
    return _named(conn, "I5", query, "account {} is beyond its guard")


def _order(conn: Connection) -> list[Violation]:
    counted, highest = conn.execute(
        select(func.count(), func.coalesce(func.max(transfer.c.posted_seq), 0))
    ).one()
    last_seq = conn.scalar(select(ledger.c.posted_seq)) or 0
    if counted == highest == last_seq:
        return []
    found = f"{counted} transfers, the highest is number {highest}, the ledger counted {last_seq}"
    return [Violation(invariant="I6", found=found)]


def _named(conn: Connection, invariant: str, query: Select[tuple[object]], sentence: str) -> list[Violation]:
    names = conn.scalars(query.limit(100))
    return [Violation(invariant=invariant, found=sentence.format(name)) for name in names]
