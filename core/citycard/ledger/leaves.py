"""What of the ledger stands under a seal, byte by byte: accounts, transfers with their answers, refusals.

A leaf is a JSON array in UTF-8 without spaces: its kind, then what the columns hold, as they are stored. Ids
and digests are hex, moments UTC to the microsecond. SQLite holds exactly this, so that nothing is read into
something else on the way, and PostgreSQL is asked to write it so.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Date,
    DateTime,
    LargeBinary,
    Row,
    Select,
    Text,
    Uuid,
    and_,
    cast,
    func,
    select,
    type_coerce,
)

from citycard.ledger.tables import account, hold, request, transfer
from citycard.store.metadata import UtcTime

__all__ = [
    "ACCOUNT_FIELDS",
    "REFUSAL_FIELDS",
    "TRANSFER_FIELDS",
    "accounts_query",
    "content_digest",
    "leaf",
    "raw",
    "refusals_query",
    "transfers_query",
]

ACCOUNT_FIELDS = tuple(account.c.keys())
#: The answer to a posted transfer is part of its leaf, and so are the limits under which a hold counts.
TRANSFER_FIELDS = (*transfer.c.keys(), "digest", "result", "answered_seq", "first_seen", "limits")
REFUSAL_FIELDS = ("id", "digest", "result", "first_seen")

_dump: Callable[[object], str] = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), default=repr
).encode


_KINDS = {"account": len(ACCOUNT_FIELDS), "transfer": len(TRANSFER_FIELDS), "refusal": len(REFUSAL_FIELDS)}


def leaf(kind: str, row: Row[Any]) -> bytes:
    """Return the bytes of a row of one of these queries; ``kind`` is account, transfer or refusal."""
    return _dump((kind, *row[: _KINDS[kind]])).encode()


def raw(column: Column[Any], dialect: str) -> ColumnElement[Any]:
    """Give what a column holds, in the form of a leaf."""
    kind: Any = column.type
    if isinstance(kind, LargeBinary):
        return func.lower(func.hex(column)) if dialect == "sqlite" else func.encode(column, "hex")
    if isinstance(kind, (Uuid, UtcTime, DateTime, Date, JSON)):
        return type_coerce(column, Text) if dialect == "sqlite" else _written(column, kind)
    return type_coerce(column, Text)


def _written(column: Column[Any], kind: Any) -> ColumnElement[Any]:
    if isinstance(kind, Uuid):
        return func.replace(cast(column, Text), "-", "")
    if isinstance(kind, Date):
        return func.to_char(column, "YYYY-MM-DD")
    if isinstance(kind, UtcTime):
        return func.to_char(func.timezone("UTC", column), "YYYY-MM-DD HH24:MI:SS.US")
    if isinstance(kind, DateTime):
        return func.to_char(column, "YYYY-MM-DD HH24:MI:SS.US")
    return cast(column, Text)


def accounts_query(dialect: str) -> Select[Any]:
    """Give accounts as their leaves want them; the caller says which, and in which order."""
    return select(*(raw(column, dialect).label(column.name) for column in account.c))


def transfers_query(dialect: str) -> Select[Any]:
    """Give transfers with what was answered to them, in the order of posting.

    Behind what a leaf holds come address and currency of both accounts.
    """
    columns = [raw(column, dialect).label(column.name) for column in transfer.c]
    answer = [
        raw(request.c.digest, dialect).label("digest"),
        request.c.result,
        request.c.posted_seq.label("answered_seq"),
        raw(request.c.first_seen, dialect).label("first_seen"),
        raw(hold.c.limits, dialect).label("limits"),
    ]
    begun = and_(transfer.c.kind == "pending", hold.c.id == transfer.c.id)
    debited, credited = account.alias("debited"), account.alias("credited")
    sides = [
        debited.c.address.label("debit_address"),
        debited.c.currency.label("debit_currency"),
        credited.c.address.label("credit_address"),
        credited.c.currency.label("credit_currency"),
    ]
    return (
        select(*columns, *answer, *sides)
        .outerjoin(request, request.c.id == transfer.c.id)
        .outerjoin(hold, begun)
        .outerjoin(debited, debited.c.id == transfer.c.dr_account)
        .outerjoin(credited, credited.c.id == transfer.c.cr_account)
        .order_by(transfer.c.posted_seq)
    )


def refusals_query(dialect: str) -> Select[Any]:
    """Give the answers to what was refused, in the order of their times and ids."""
    columns = (request.c.id, request.c.digest, request.c.result, request.c.first_seen)
    return (
        select(*(raw(column, dialect).label(column.name) for column in columns))
        .where(request.c.posted_seq.is_(None))
        .order_by(request.c.first_seen, request.c.id)
    )


def content_digest(row: Any) -> str:
    """Return the hex digest that the answer to a transfer keeps of its content (``judging.digest_of``)."""
    text = (
        f"{row.debit_address}\x1f{row.credit_address}\x1f{row.amount_fen}\x1f{row.code}\x1f{_moment(row.event_time)}\x1f"
        f"{row.business_date}\x1f{_dashed(row.group_id)}\x1f{row.ref}"
    )
    if row.kind != "single" or row.reverses is not None:
        expires = None if row.expires_at is None else f"{_moment(row.expires_at)}+00:00"
        text += f"\x1f{row.kind}\x1f{_dashed(row.pending_id)}\x1f{expires}\x1f{_dashed(row.reverses)}"
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _moment(text: str) -> str:
    return text.removesuffix(".000000")


def _dashed(text: str | None) -> str | None:
    if text is None:
        return None
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
