"""What a judged call leaves behind: answers, transfers, balances. Nothing is written here.

Each kind is given column by column, as a database takes many rows: a row for each would be one more thing
to make and to collect for each transfer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from citycard.ledger.judging import Judge
from citycard.ledger.records import Result, Transfer
from citycard.ledger.standing import Standing, Standings

__all__ = [
    "BALANCE_COLUMNS",
    "REQUEST_COLUMNS",
    "TRANSFER_COLUMNS",
    "balance_columns",
    "request_columns",
    "transfer_columns",
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


def request_columns(judge: Judge, last_seq: int, now: datetime) -> list[Sequence[Any]]:
    """Give the new answers; what was posted has its number, in the order in which it was accepted."""
    numbers: list[int | None] = []
    seq = last_seq
    for result in judge.results:
        if result is Result.POSTED:
            seq += 1
            numbers.append(seq)
        else:
            numbers.append(None)
    ids = [one.id for one in judge.settled]
    return [ids, judge.digests, judge.results, numbers, [now] * len(ids)]


def transfer_columns(
    accepted: Sequence[Transfer], standings: Standings, last_seq: int, now: datetime
) -> list[Sequence[Any]]:
    """Number what was accepted, and put it at the end of the histories of its two accounts."""
    accounts = standings.accounts
    debits = [accounts[one.debit_address] for one in accepted]
    credits_ = [accounts[one.credit_address] for one in accepted]
    numbers = range(last_seq + 1, last_seq + 1 + len(accepted))
    debits_before, credits_before = [], []
    for seq, debited, credited in zip(numbers, debits, credits_, strict=True):
        debits_before.append(debited.last_seq)
        credits_before.append(credited.last_seq)
        debited.last_seq = credited.last_seq = seq
        debited.transfers += 1
        credited.transfers += 1
    return [
        numbers,
        [one.id for one in accepted],
        [one.id for one in debits],
        [one.id for one in credits_],
        debits_before,
        credits_before,
        [one.amount_fen for one in accepted],
        [int(one.code) for one in accepted],
        [one.kind for one in accepted],
        [one.group for one in accepted],
        [one.pending_id for one in accepted],
        [one.expires_at for one in accepted],
        [one.reverses for one in accepted],
        [one.event_time for one in accepted],
        [one.business_date for one in accepted],
        [one.ref for one in accepted],
        [now] * len(accepted),
    ]


def balance_columns(accounts: Iterable[Standing], last_seq: int) -> list[Sequence[Any]]:
    """Give what accounts came to that were changed after ``last_seq``: one change, however many transfers."""
    changed = [one for one in accounts if one.last_seq > last_seq]
    return [
        [one.id for one in changed],
        [one.debits_fen for one in changed],
        [one.credits_fen for one in changed],
        [one.debits_pending_fen for one in changed],
        [one.credits_pending_fen for one in changed],
        [one.last_seq for one in changed],
        [one.transfers for one in changed],
    ]
