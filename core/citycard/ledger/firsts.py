"""Open very many accounts at once, each with its first transfer, which one account pays.

What is written is what opening and posting would write. As the accounts are new, nothing of them is looked
up or judged: they arrive in a table of their own for a moment, and the database itself deals that to its
tables, each in the order of its key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import attrs
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Uuid,
    case,
    update,
)
from sqlalchemy.types import TypeEngine

from citycard.ids import derived_hex
from citycard.ledger.chart import Guard
from citycard.ledger.gathering import look_up
from citycard.ledger.judging import content_of
from citycard.ledger.records import AccountSpec, Kind, Result, Transfer
from citycard.ledger.standing import Standing
from citycard.ledger.tables import account, account_seal, balance, ledger, request, transfer
from citycard.store.bulk import insert_all, insert_from
from citycard.store.metadata import Fen

__all__ = ["Firsts", "posted_firsts"]


@attrs.frozen(kw_only=True, eq=False)
class Firsts:
    """New accounts like ``account``, and to each a transfer like ``transfer``, place by place.

    ``ids`` are those of the transfers, in hexadecimal. ``transfer`` is a single one that takes nothing back
    and has no limits; it debits an account that is open and has no guard.
    """

    account: AccountSpec
    transfer: Transfer
    ids: Sequence[str]
    addresses: Sequence[str]
    owners: Sequence[str]
    amounts_fen: Sequence[int]


@contextmanager
def posted_firsts(conn: Connection, firsts: Firsts, *, now: datetime) -> Iterator[Table]:
    """Open the accounts and post to them; give the table in which they arrived, until it is dropped.

    An address or an id that is in the ledger already is an error of the database. Without ids nothing is
    written.
    """
    like = firsts.transfer
    assert like.kind is Kind.SINGLE
    assert like.reverses is None
    assert not like.limits
    _ARRIVED.create(conn)
    if firsts.ids:
        _write(conn, firsts, now)
    yield _ARRIVED
    _ARRIVED.drop(conn)


def _table(identity: TypeEngine[Any]) -> Table:
    return Table(
        "ledger_arrived",
        MetaData(),
        Column("place", Integer, primary_key=True, autoincrement=False),
        Column("id", identity, nullable=False),
        Column("account", identity, nullable=False),
        Column("address", String(200), nullable=False),
        Column("owner", String(100), nullable=False),
        Column("amount_fen", Fen, nullable=False),
        Column("digest", LargeBinary(16), nullable=False),
        prefixes=["TEMPORARY"],
    )


# Ids come as text: to make an object of each and text of that again costs more than the database does.
_ARRIVED, _AS_TEXT = _table(Uuid()), _table(String(32))


def _write(conn: Connection, firsts: Firsts, now: datetime) -> None:
    like = firsts.transfer
    found = look_up(conn, [like])
    payer = found.accounts[like.debit_address]
    assert payer.guard is firsts.account.guard is Guard.NONE
    now = now if found.posted_at is None else max(now, found.posted_at)
    first, count = found.posted_seq + 1, len(firsts.ids)
    insert_all(conn, _AS_TEXT, _AS_TEXT.columns.keys(), _arriving(firsts))
    _open(conn, firsts.account, first, now)
    _post(conn, like, payer, first, now)
    sums = {
        "dr_posted_fen": balance.c.dr_posted_fen + sum(firsts.amounts_fen),
        "transfers": balance.c.transfers + count,
        "last_seq": found.posted_seq + count,
    }
    conn.execute(update(balance).where(balance.c.account_id == payer.id).values(sums))
    conn.execute(update(ledger).values(posted_seq=found.posted_seq + count, posted_at=now))


def _arriving(firsts: Firsts) -> Iterator[tuple[Any, ...]]:
    like = firsts.transfer
    columns = zip(firsts.ids, firsts.addresses, firsts.owners, firsts.amounts_fen, strict=True)
    for place, (identity, address, owner, amount_fen) in enumerate(columns):
        text = content_of(like.debit_address, address, amount_fen, like)
        digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
        yield (place, identity, derived_hex("account", address), address, owner, amount_fen, digest)


def _open(conn: Connection, like: AccountSpec, first: int, now: datetime) -> None:
    new, guard, currency = _ARRIVED.c, str(like.guard), like.currency
    insert_from(
        conn,
        account,
        new.account,
        id=new.account,
        address=new.address,
        code=int(like.code),
        side=str(like.side),
        guard=guard,
        owner=new.owner,
        opened_at=now,
        currency=currency,
    )
    insert_from(
        conn,
        balance,
        new.account,
        account_id=new.account,
        guard=guard,
        currency=currency,
        dr_posted_fen=0,
        cr_posted_fen=new.amount_fen,
        dr_pending_fen=0,
        cr_pending_fen=0,
        last_seq=first + new.place,
        transfers=1,
    )
    insert_from(conn, account_seal, new.account, account_id=new.account, seal=None)


def _post(conn: Connection, like: Transfer, payer: Standing, first: int, now: datetime) -> None:
    new = _ARRIVED.c
    insert_from(
        conn,
        transfer,
        new.place,
        posted_seq=first + new.place,
        id=new.id,
        dr_account=payer.id,
        cr_account=new.account,
        dr_before=case((new.place == 0, payer.last_seq), else_=first - 1 + new.place),
        cr_before=0,
        amount_fen=new.amount_fen,
        code=int(like.code),
        kind=str(like.kind),
        group_id=like.group,
        event_time=like.event_time,
        business_date=like.business_date,
        ref=like.ref,
        posted_at=now,
    )
    insert_from(
        conn,
        request,
        new.id,
        id=new.id,
        digest=new.digest,
        result=str(Result.POSTED),
        posted_seq=first + new.place,
        first_seen=now,
    )
