"""Read what was asked for under ids, and how it was answered: for whoever asks why an account did not pay."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, Row, String, cast, select

from citycard.errors import ActUnknown
from citycard.wallet.acts import read_refusal
from citycard.wallet.tables import wallet_act

__all__ = ["ActLine", "find_act", "refused_acts", "was_refused"]

_SHOWN = 20
_MONEY_OUT = ("pay", "charge", "hold", "given-up")


@attrs.frozen(kw_only=True)
class ActLine:
    """What was asked for under an id: its ``kind``, of which account, by whom; ``at`` is aware UTC.

    ``asked`` says it in plain values; older acts have none. ``refusal`` is the sentence that was the answer
    and ``why`` its data, such as the plugin that said no; both are empty when it was done.
    """

    id: UUID
    kind: str
    number: str
    actor: str
    at: datetime
    asked: Mapping[str, Any]
    refusal: str
    why: Mapping[str, Any]


def find_act(conn: Connection, identity: UUID) -> ActLine:
    """Give what was asked for under an id; raise ActUnknown."""
    row = conn.execute(select(wallet_act).where(wallet_act.c.id == identity)).one_or_none()
    if row is None:
        raise ActUnknown(id=identity)
    return _line(row)


def was_refused(conn: Connection, identity: UUID) -> bool:
    """Say whether what was asked for under an id was refused, or given up."""
    return conn.scalar(select(wallet_act.c.refusal).where(wallet_act.c.id == identity)) is not None


def refused_acts(conn: Connection, number: str, *, limit: int = _SHOWN) -> list[ActLine]:
    """Give what an account was asked to pay or hold and refused, newest first."""
    # What was not refused is kept as the JSON value null.
    refused = cast(wallet_act.c.refusal, String) != "null"
    mine = (wallet_act.c.number == number, wallet_act.c.kind.in_(_MONEY_OUT), refused)
    query = select(wallet_act).where(*mine)
    rows = conn.execute(query.order_by(wallet_act.c.at.desc(), wallet_act.c.id.desc()).limit(limit))
    return [_line(row) for row in rows]


def _line(row: Row[Any]) -> ActLine:
    refusal, why = "", {}
    if row.refusal is not None:
        refused = read_refusal(row.refusal)
        refusal, why = str(refused), refused.data
    return ActLine(
        id=row.id,
        kind=row.kind,
        number=row.number,
        actor=row.actor,
        at=row.at,
        asked=dict(row.asked or {}),
        refusal=refusal,
        why=why,
    )
