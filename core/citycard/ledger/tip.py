"""Where the ledger ends, and the one statement that writes a judged call only if it still ends there.

Such statements are sent before the ones before them are answered. Each asks whether the ledger ends where its
call was judged to begin; and since others may have posted as many transfers at the same time, each also asks
whether the very statement before it came true. That one left its name in the server's session.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import attrs

from citycard.ledger.chart import Guard
from citycard.ledger.rows import BALANCE_COLUMNS, REQUEST_COLUMNS, TRANSFER_COLUMNS
from citycard.ledger.standing import Standing
from citycard.store.arrays import array_bytes

__all__ = ["ASK_AT_TIP", "FORMATS", "KEEP_AT_TIP", "Tip", "read_tip", "values_at_tip"]


@attrs.frozen
class Tip:
    """How the ledger ends: the number of its last transfer, and a moment after which the next is posted.

    Before ``next_expiry`` no open hold expires; that says nothing about how the ledger ends.
    """

    posted_seq: int
    posted_at: datetime | None
    next_expiry: datetime | None = attrs.field(eq=False)


def _microseconds(column: str) -> str:
    return f"coalesce((extract(epoch FROM {column}) * 1000000)::bigint::text, '')"


#: Ask how the ledger ends, and for the accounts of an array of keys that are open; ``read_tip`` reads it.
#: Each row is one text, which is taken apart faster than nine values are taken from a driver. The end is a
#: row like the others: it is of one moment with them, and not said again with each.
ASK_AT_TIP = (
    f"SELECT concat_ws(',', 0, posted_seq, {_microseconds('posted_at')}, "  # noqa: S608
    f"{_microseconds('next_expiry')}) FROM ledger UNION ALL "
    "SELECT concat_ws(',', place, guard, dr_posted_fen, cr_posted_fen, dr_pending_fen, cr_pending_fen, "
    "balance.currency, last_seq, transfers) FROM balance "
    "JOIN unnest($1::uuid[]) WITH ORDINALITY AS wanted(key, place) ON account_id = key"
)
_GUARDS = {str(guard).encode(): guard for guard in Guard}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_tip(
    rows: Iterable[Sequence[bytes | None]], keys: Sequence[UUID]
) -> tuple[Tip | None, list[tuple[int, Standing]]]:
    """Give how the ledger ends, and the accounts that are open, each with its place among ``keys``."""
    tip, found = None, []
    for (text,) in rows:
        assert text is not None
        first, second, *rest = text.split(b",")
        place = int(first)
        if not place:
            tip = Tip(int(second), *map(_moment, rest))
            continue
        dr, cr, drp, crp, currency, last, transfers = rest
        account = Standing(
            keys[place - 1],
            _GUARDS[second],
            int(dr),
            int(cr),
            int(drp),
            int(crp),
            currency.decode(),
            int(last),
            int(transfers),
        )
        found.append((place - 1, account))
    return tip, found


def _moment(microseconds: bytes) -> datetime | None:
    return _EPOCH + timedelta(microseconds=int(microseconds)) if microseconds else None


_KINDS = {
    **dict.fromkeys(("id", "dr_account", "cr_account", "group_id", "account_id"), "uuid"),
    **dict.fromkeys(("ref", "result"), "varchar"),
    "digest": "bytea",
    "code": "integer",
    "event_time": "timestamp",
    "business_date": "date",
}
# What is the same in all rows of simple transfers is said once; what they leave as it is, not at all.
_ANSWERS = tuple(name for name in REQUEST_COLUMNS if name != "first_seen")
_SAME = {"kind", "pending_id", "expires_at", "reverses", "posted_at"}
_MOVES = tuple(name for name in TRANSFER_COLUMNS if name not in _SAME)
_SUMS = ("account_id", "dr_posted_fen", "cr_posted_fen", "last_seq", "transfers")
#: The setting that holds, in the server's session, the name of the statement that came true last.
_WRITTEN = "citycard.written"


def _kind(column: str) -> str:
    return _KINDS.get(column, "bigint")


def _statement() -> str:
    """Write the statement; arrays beside each other in a SELECT are taken apart in step."""
    place = count(1)

    def one(kind: str) -> str:
        return f"${next(place)}::{kind}"

    def each(names: Iterable[str]) -> str:
        return ", ".join(f"unnest({one(_kind(name) + '[]')}) AS {name}" for name in names)

    advance = f"UPDATE ledger SET posted_seq = {one('bigint')}, posted_at = {one('timestamptz')}"  # noqa: S608
    still = f"posted_seq = {one('bigint')} AND posted_at = {one('timestamptz')}"
    before, after = one("text"), one("text")
    came_true = f"coalesce(current_setting('{_WRITTEN}', true) = {before}, {before} IS NULL)"
    taken = f"{advance} WHERE {still} AND {came_true} RETURNING set_config('{_WRITTEN}', {after}, false)"
    answered = (
        f"INSERT INTO request (first_seen, {', '.join(_ANSWERS)}) "  # noqa: S608 - our own columns
        f"SELECT {one('timestamptz')}, {each(_ANSWERS)} FROM taken"
    )
    moved = (
        f"INSERT INTO transfer (kind, posted_at, {', '.join(_MOVES)}) "  # noqa: S608 - our own columns
        f"SELECT 'single', {one('timestamptz')}, {each(_MOVES)} FROM taken"
    )
    changed = ", ".join(f"{name} = new.{name}" for name in _SUMS[1:])
    summed = (
        f"UPDATE balance SET {changed} FROM (SELECT {each(_SUMS)} FROM taken) AS new "  # noqa: S608
        "WHERE balance.account_id = new.account_id"
    )
    return (
        f"WITH taken AS ({taken}), answered AS ({answered}), moved AS ({moved}), summed AS ({summed}) "  # noqa: S608
        "SELECT count(*) FROM taken"
    )


#: Write answers, transfers and balances at once if the ledger ends as thought; the answer is 1 or 0.
KEEP_AT_TIP = _statement()


#: Which of the values are binary, in their order.
FORMATS = (*[0] * 7, *[1] * len(_ANSWERS), 0, *[1] * (len(_MOVES) + len(_SUMS)))


def values_at_tip(
    tip: Tip,
    afterwards: Tip,
    names: tuple[str | None, str],
    columns: tuple[Sequence[Sequence[Any]], Sequence[Sequence[Any]], Sequence[Sequence[Any]]],
    posted_at: datetime,
) -> list[bytes | None]:
    """Write the values of ``KEEP_AT_TIP``.

    ``names`` are that of the statement that must have come true right before, or None when nothing is on its
    way, and that of this one. ``columns`` are those of answers, transfers and balances. All of them have one
    time, ``posted_at``; the transfers are ``single`` and take nothing back.
    """
    answered = dict(zip(REQUEST_COLUMNS, columns[0], strict=True))
    moved = dict(zip(TRANSFER_COLUMNS, columns[1], strict=True))
    summed = dict(zip(BALANCE_COLUMNS, columns[2], strict=True))
    ends = (afterwards.posted_seq, afterwards.posted_at, tip.posted_seq, tip.posted_at, *names)
    return [
        *map(_text, ends),
        _text(posted_at),
        *[array_bytes(_kind(name), answered[name]) for name in _ANSWERS],
        _text(posted_at),
        *[array_bytes(_kind(name), moved[name]) for name in _MOVES],
        *[array_bytes(_kind(name), summed[name]) for name in _SUMS],
    ]


def _text(value: object) -> bytes | None:
    return None if value is None else str(value).encode()
