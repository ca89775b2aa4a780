"""Do what is asked for under an id once, and give the same answer to it for ever, refusals too.

The act, its rows and its postings are one transaction: broken off anywhere, nothing of it happened, and it
is simply asked for again. A refusal is kept as well. Whoever was told no and paid in another way is not
charged by the same request that arrives a second time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, insert, select, text

from citycard.errors import ActDiffers, ActGivenUp, CitycardError, Phrase, WalletRefused
from citycard.errors.accounts import refusal_of
from citycard.store.engine import writing
from citycard.wallet.tables import wallet_act

if TYPE_CHECKING:
    from citycard.wallet.context import WalletContext

__all__ = ["Act", "answered", "give_up", "noted_before", "once", "read_refusal"]

_GIVEN_UP = "given-up"


@attrs.frozen(kw_only=True)
class Act:
    """Something that is asked for: the id its client made, what it is, of which account, and by whom.

    ``content`` is what must be the same when it is asked for again: plain values by name. Of it a digest is
    kept, and ``words``, plain values that say to people what it was.
    """

    id: UUID
    kind: str
    number: str = ""
    actor: str = ""
    content: Mapping[str, Any] = attrs.field(factory=dict)
    words: Mapping[str, Any] = attrs.field(factory=dict)

    @property
    def digest(self) -> bytes:
        """Give 16 bytes that stand for what is asked for, without the id and the actor."""
        words = json.dumps([self.kind, self.number, dict(self.content)], sort_keys=True, default=str)
        return hashlib.blake2b(words.encode(), digest_size=16).digest()


def once(context: WalletContext, act: Act, work: Callable[[Connection], object]) -> bool:
    """Do the work of an act unless it was done under this id before; say whether it was done now.

    Raise ActDiffers when the id stands for something else, and what ``work`` raises. A WalletRefused is
    remembered, and raised again whenever the act is asked for again.
    """
    with writing(context.engine) as conn:
        _queue_for(conn, act.id)
        if answered(conn, act):
            return False
        refused = _tried(conn, work)
        conn.execute(insert(wallet_act), _row(act, refused, context.clock.now()))
    if refused is not None:
        raise refused
    return True


def noted_before(conn: Connection, act: Act, at: datetime) -> bool:
    """Note an act in the transaction that does it, and say whether it was noted before; ``at`` is aware.

    Raise ActDiffers when the id stands for something else.
    """
    _queue_for(conn, act.id)
    if answered(conn, act):
        return True
    conn.execute(insert(wallet_act), _row(act, None, at))
    return False


def answered(conn: Connection, act: Act) -> bool:
    """Say whether an act was done under its id; raise the refusal that it got, or ActDiffers."""
    row = _found(conn, act.id)
    if row is None:
        return False
    if row.kind != _GIVEN_UP and bytes(row.digest) != act.digest:
        raise ActDiffers(id=act.id, kind=row.kind)
    if row.refusal is not None:
        raise read_refusal(row.refusal)
    return True


def give_up(conn: Connection, identity: UUID, at: datetime, *, number: str = "", actor: str = "") -> bool:
    """Let nothing happen under an id any more, in the transaction of who decides so; say whether nothing did.

    A request that is still on its way, or comes again, is refused with ActGivenUp. False: it was done before.
    ``at`` is aware.
    """
    _queue_for(conn, identity)
    row = _found(conn, identity)
    if row is not None:
        return row.refusal is not None
    act = Act(id=identity, kind=_GIVEN_UP, number=number, actor=actor)
    conn.execute(insert(wallet_act), _row(act, ActGivenUp(id=identity), at))
    return True


def _found(conn: Connection, identity: UUID) -> Any:
    return conn.execute(select(wallet_act).where(wallet_act.c.id == identity)).one_or_none()


def _tried(conn: Connection, work: Callable[[Connection], object]) -> WalletRefused | None:
    """Do the work; what a refusal leaves behind is only that it was refused."""
    try:
        with conn.begin_nested():
            work(conn)
    except WalletRefused as error:
        return error
    return None


def _row(act: Act, refused: WalletRefused | None, at: datetime) -> dict[str, Any]:
    refusal = None
    if refused is not None:
        data = {key: _written(value) for key, value in refused.data.items()}
        refusal = {"error": type(refused).__name__, "data": data}
    return {
        "id": act.id,
        "kind": act.kind,
        "number": act.number,
        "digest": act.digest,
        "actor": act.actor,
        "asked": dict(act.words) or None,
        "refusal": refusal,
        "at": at,
    }


def _written(value: Any) -> Any:
    """Write what a refusal says as JSON has it; a phrase with its parts, for readers of any language."""
    if isinstance(value, Phrase):
        parts = {field: _written(part) for field, part in value.parts.items()}
        return {"template": value.template, "parts": parts}
    return str(value) if isinstance(value, UUID) else value


def read_refusal(stored: Mapping[str, Any]) -> CitycardError:
    """Give the refusal that was the answer, of what was kept of it."""
    return refusal_of(stored["error"], {key: _read(value) for key, value in stored["data"].items()})


def _read(value: Any) -> Any:
    if isinstance(value, dict):
        return Phrase.of(value["template"], {field: _read(part) for field, part in value["parts"].items()})
    return value


def _queue_for(conn: Connection, identity: UUID) -> None:
    """Let nobody else answer this id until the transaction ends; SQLite has one writer anyway."""
    if conn.dialect.name == "postgresql":
        key = int.from_bytes(identity.bytes[:8], signed=True) ^ int.from_bytes(
            identity.bytes[8:], signed=True
        )
        conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
