"""Sums of the float that are kept, so that a report reads what came after them and not everything.

A checkpoint holds the sums of all transfers up to a number. Transfers are never changed and have no gap below
a number that was seen, so that it stays right for ever; ``audit_float`` recomputes it all the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, func, or_, select

from citycard.ledger.audit import Violation
from citycard.ledger.tables import account, balance, ledger, request, transfer
from citycard.store.bulk import insert_missing
from citycard.wallet.float import (
    FloatReport,
    Sums,
    added,
    kept_sums,
    last_checkpoint,
    sums_between,
)
from citycard.wallet.tables import float_checkpoint, float_sum, load

__all__ = ["audit_float", "keep_checkpoint"]


def keep_checkpoint(conn: Connection, report: FloatReport) -> bool:
    """Keep the sums of a report, and say whether that is new; nothing posted since the last is nothing new.

    The report may have been made in an earlier transaction, so that nobody waits while sums are made.
    """
    if report.number <= last_checkpoint(conn, report.number):
        return False
    new = insert_missing(conn, float_checkpoint, [{"number": report.number, "at": report.at}]) == 1
    if new:
        rows = [
            {
                "number": report.number,
                "account_code": one.account_code,
                "code": one.code,
                "debits_fen": one.debits_fen,
                "credits_fen": one.credits_fen,
            }
            for one in report.moved
        ]
        insert_missing(conn, float_sum, rows)
    return new


def audit_float(conn: Connection) -> list[Violation]:
    """Recompute every checkpoint and compare balances and loads with the transfers (docs/float.md)."""
    return [*_wrong_checkpoints(conn), *_wrong_balances(conn), *_unposted_loads(conn)]


def _wrong_checkpoints(conn: Connection) -> Iterator[Violation]:
    number, sums = 0, Sums()
    for kept in conn.scalars(select(float_checkpoint.c.number).order_by(float_checkpoint.c.number)).all():
        sums = added(sums, sums_between(conn, number, kept))
        number = kept
        if sums != kept_sums(conn, kept):
            found = f"the checkpoint at transfer {kept} does not hold the sums of the transfers up to it"
            yield Violation(invariant="F1", found=found)


def _wrong_balances(conn: Connection) -> Iterator[Violation]:
    """Compare the balances of now with the transfers, by code: a report of now is what the balances say."""
    query = (
        select(account.c.code, func.sum(balance.c.dr_posted_fen), func.sum(balance.c.cr_posted_fen))
        .join(balance, balance.c.account_id == account.c.id)
        .where(account.c.currency == "CNY")
        .group_by(account.c.code)
    )
    last = conn.scalar(select(ledger.c.posted_seq)) or 0
    summed: dict[int, tuple[int, int]] = {}
    for (kind, _), (debits_fen, credits_fen) in sums_between(conn, 0, last).items():
        known = summed.get(kind, (0, 0))
        summed[kind] = (known[0] + debits_fen, known[1] + credits_fen)
    for kind, debits_fen, credits_fen in conn.execute(query):
        if (int(debits_fen), int(credits_fen)) != summed.get(kind, (0, 0)):
            found = f"the balances of code {kind} are not the sums of its transfers"
            yield Violation(invariant="F2", found=found)


def _unposted_loads(conn: Connection) -> Iterator[Violation]:
    query = (
        select(load.c.id)
        .outerjoin(request, request.c.id == load.c.id)
        .outerjoin(transfer, transfer.c.posted_seq == request.c.posted_seq)
        .where(
            load.c.state == "proven",
            or_(transfer.c.posted_seq.is_(None), transfer.c.amount_fen != load.c.amount_fen),
        )
    )
    for identity in conn.scalars(query.limit(100)):
        yield Violation(invariant="F3", found=f"load {identity} is proven and not posted with its amount")
