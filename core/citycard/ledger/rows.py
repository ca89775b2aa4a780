"""The rows that a judged call leaves behind: answers, transfers, balances. Nothing is written here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from citycard.ledger.records import Result, Transfer
from citycard.ledger.standing import Standing, Standings

__all__ = [
    "BALANCE_COLUMNS",
    "REQUEST_COLUMNS",
    "TRANSFER_COLUMNS",
    "balance_row",
    "request_rows",
    "transfer_rows",
]

REQUEST_COLUMNS = ("id", "digest", "result", "posted_seq", "first_seen")

TRANSFER_COLUMNS = (
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

BALANCE_COLUMNS = (
    "account_id",
    "dr_posted_fen",
    "cr_posted_fen",
    "dr_pending_fen",
    "cr_pending_fen",
    "last_seq",
    "transfers",
)


def request_rows(
    remember: Sequence[tuple[UUID, bytes, Result]], last_seq: int, now: datetime
) -> list[tuple[object, ...]]:
    """Give the new answers; what was posted has its number, in the order in which it was accepted."""
    rows: list[tuple[object, ...]] = []
    seq = last_seq
    for identity, digest, result in remember:
        posted = result is Result.POSTED
        seq += posted
        rows.append((identity, digest, result, seq if posted else None, now))
    return rows


def transfer_rows(
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
                wanted.kind,
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


def balance_row(one: Standing) -> tuple[UUID, int, int, int, int, int, int]:
    """Give what an account came to: one change, however many transfers it has.

    In the order of ``BALANCE_COLUMNS``.
    """
    return (
        one.id,
        one.debits_fen,
        one.credits_fen,
        one.debits_pending_fen,
        one.credits_pending_fen,
        one.last_seq,
        one.transfers,
    )
