"""Make the transfers that follow another: take what is held, let it go, take back what was posted.

What is not given stays as it was in the transfer that is followed; the group never does.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import attrs

from citycard.ledger.records import Kind, Transfer

__all__ = ["capture", "release", "reversal"]


def capture(
    hold: Transfer,
    *,
    id: UUID,  # noqa: A002 - the field's own name
    event_time: datetime,
    business_date: date,
    amount_fen: int | None = None,
    code: int | None = None,
    ref: str | None = None,
    group: UUID | None = None,
) -> Transfer:
    """Give the transfer that takes what ``hold`` holds, or less of it: the rest is released."""
    given = {"amount_fen": amount_fen, "code": code, "ref": ref}
    when = {"id": id, "event_time": event_time, "business_date": business_date, "group": group}
    return _follow(hold, given, when | {"kind": Kind.POST, "pending_id": hold.id})


def release(
    hold: Transfer,
    *,
    id: UUID,  # noqa: A002 - the field's own name
    event_time: datetime,
    business_date: date,
    code: int | None = None,
    ref: str | None = None,
    group: UUID | None = None,
) -> Transfer:
    """Give the transfer that lets go of everything that ``hold`` holds."""
    when = {"id": id, "event_time": event_time, "business_date": business_date, "group": group}
    return _follow(hold, {"code": code, "ref": ref}, when | {"kind": Kind.VOID, "pending_id": hold.id})


def reversal(
    posted: Transfer,
    *,
    id: UUID,  # noqa: A002 - the field's own name
    event_time: datetime,
    business_date: date,
    code: int,
    amount_fen: int | None = None,
    ref: str | None = None,
    group: UUID | None = None,
) -> Transfer:
    """Give the transfer that takes back a posted one, or a part of it, by the way it came."""
    given = {"amount_fen": amount_fen, "code": code, "ref": ref}
    when = {"id": id, "event_time": event_time, "business_date": business_date, "group": group}
    back = {"debit_address": posted.credit_address, "credit_address": posted.debit_address}
    return _follow(posted, given, when | back | {"kind": Kind.SINGLE, "reverses": posted.id})


def _follow(followed: Transfer, given: dict[str, Any], always: dict[str, Any]) -> Transfer:
    fresh: dict[str, Any] = {"pending_id": None, "expires_at": None, "reverses": None, "limits": ()}
    named = {name: value for name, value in given.items() if value is not None}
    return attrs.evolve(followed, **fresh | named | always)
