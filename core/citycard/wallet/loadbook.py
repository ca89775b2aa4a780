"""Keep the loads: in the store, one transaction for each step, or in memory until they are flushed."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

import attrs
from sqlalchemy import Connection, or_, select, text, update

from citycard.ledger.ledger import Ledger
from citycard.ledger.records import Limit
from citycard.store.bulk import insert_rows, select_in
from citycard.store.engine import reading
from citycard.wallet.load import Load, LoadMoney, LoadState, Proof
from citycard.wallet.loadmoney import move_money
from citycard.wallet.tables import load

__all__ = [
    "LOAD_COLUMNS",
    "BufferedBook",
    "LoadBook",
    "LoadPage",
    "StoredBook",
    "expired_cards",
    "held_loads",
    "hold_card",
    "keep",
    "loads_of",
    "lost_loads",
    "open_loads",
    "plain",
    "write_loads",
]

LOAD_COLUMNS = tuple(field.name for field in attrs.fields(Load))
_ROW = tuple(load.c[name] for name in LOAD_COLUMNS)
_SETTLED = ("state", "proof", "tac", "money", "hold")


class LoadPage:
    """The loads of one card that still matter, and what one step changes about them."""

    def __init__(self, loads: Iterable[Load]) -> None:
        self._loads = {known.id: known for known in loads}
        self.changed: dict[UUID, Load] = {}

    @property
    def loads(self) -> list[Load]:
        return list(self._loads.values())

    def write(self, changed: Load) -> None:
        self._loads[changed.id] = self.changed[changed.id] = changed


class LoadBook(Protocol):
    """Where loads are kept."""

    def page(
        self, asn: str, online_atc: int, limits: tuple[Limit, ...] = ()
    ) -> AbstractContextManager[LoadPage]:
        """Give what is open of a card, and what was settled from this counter on; keep what is written.

        ``limits`` are conditions of what is reserved for a load that is written as new.
        """
        ...


class StoredBook:
    """Loads in the store: when a page is closed, its changes and their postings are committed."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @contextmanager
    def page(self, asn: str, online_atc: int, limits: tuple[Limit, ...] = ()) -> Iterator[LoadPage]:
        with self._ledger.engine.begin() as conn:
            hold_card(conn, asn)
            query = select(*_ROW).where(
                load.c.asn == asn, or_(load.c.proof == Proof.NONE, load.c.online_atc >= online_atc)
            )
            page = LoadPage(_loads(conn.execute(query)))
            yield page
            keep(conn, self._ledger, list(page.changed.values()), limits)


class BufferedBook:
    """Loads in memory, for a replay in one process: what was not flushed is lost with the process."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._by_card: dict[str, dict[UUID, Load]] = defaultdict(dict)
        self._changed: dict[UUID, Load] = {}
        with reading(ledger.engine) as conn:
            for known in _loads(conn.execute(select(*_ROW))):
                self._by_card[known.asn][known.id] = known

    @contextmanager
    def page(self, asn: str, online_atc: int, limits: tuple[Limit, ...] = ()) -> Iterator[LoadPage]:
        known = self._by_card[asn]
        page = LoadPage(one for one in known.values() if one.open or one.online_atc >= online_atc)
        yield page
        known.update(page.changed)
        self._changed.update(page.changed)

    def flush(self) -> int:
        """Write what changed, with its postings, in one transaction; return how many loads that were."""
        with self._ledger.engine.begin() as conn:
            kept = keep(conn, self._ledger, list(self._changed.values()))
        written = len(self._changed)
        for one in kept:
            self._by_card[one.asn][one.id] = one
        self._changed.clear()
        return written


def keep(
    conn: Connection, ledger: Ledger, loads: Sequence[Load], limits: tuple[Limit, ...] = ()
) -> list[Load]:
    """Write loads and move their money (``loadmoney``); what was posted before stays as it is.

    Give them as they are written. ``limits`` are conditions of reservations.
    """
    moved = move_money(conn, ledger, loads, limits)
    write_loads(conn, moved)
    return moved


def write_loads(conn: Connection, loads: Sequence[Load]) -> None:
    """Write loads as they are; their money was moved in the same transaction."""
    # A load that is reversed makes room under its counter for the one that takes its place.
    ordered = sorted(loads, key=lambda one: one.state is not LoadState.REVERSED)
    known = {row.id for row in select_in(conn, select(load.c.id), load.c.id, [one.id for one in loads])}
    for one in ordered:
        if one.id in known:
            settled = {name: plain(getattr(one, name)) for name in _SETTLED}
            conn.execute(update(load).where(load.c.id == one.id).values(settled))
    rows = [[plain(getattr(one, name)) for name in LOAD_COLUMNS] for one in ordered if one.id not in known]
    insert_rows(conn, load, LOAD_COLUMNS, rows)


def loads_of(conn: Connection, asn: str) -> list[Load]:
    """Give every load of a card, in the order of its online counter."""
    return _loads(conn.execute(select(*_ROW).where(load.c.asn == asn).order_by(load.c.online_atc, load.c.at)))


def open_loads(conn: Connection, *, limit: int = 1000) -> list[Load]:
    """Give the oldest loads of which nobody knows whether the card took them."""
    query = select(*_ROW).where(load.c.state == LoadState.PENDING).order_by(load.c.at).limit(limit)
    return _loads(conn.execute(query))


def hold_card(conn: Connection, asn: str) -> None:
    """Let nobody else take a step with this card until the transaction ends; SQLite has one writer anyway."""
    if conn.dialect.name == "postgresql":
        key = int.from_bytes(hashlib.blake2b(asn.encode(), digest_size=8).digest(), signed=True)
        conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def lost_loads(conn: Connection, *, limit: int = 1000) -> list[Load]:
    """Give the loads that a card showed when their money was gone, newest first: the city bore them."""
    query = select(*_ROW).where(load.c.money == LoadMoney.LOST).order_by(load.c.at.desc()).limit(limit)
    return _loads(conn.execute(query))


def held_loads(conn: Connection, *, limit: int = 1000) -> list[Load]:
    """Give the loads whose money is reserved and of which no card showed the end, oldest first."""
    held = (load.c.money == LoadMoney.HELD, load.c.proof == Proof.NONE)
    return _loads(conn.execute(select(*_ROW).where(*held).order_by(load.c.at).limit(limit)))


def expired_cards(conn: Connection, before: datetime) -> list[str]:
    """Give the cards with loads begun before a local moment whose money is still held, oldest first."""
    held = (load.c.money == LoadMoney.HELD, load.c.proof == Proof.NONE, load.c.at <= before)
    return list(dict.fromkeys(conn.scalars(select(load.c.asn).where(*held).order_by(load.c.at))))


def _loads(rows: Iterable[Any]) -> list[Load]:
    return [Load(**row._mapping) for row in rows]  # noqa: SLF001 - the documented way to read a row by name


def plain(value: Any) -> Any:
    """Give a value as a driver takes it."""
    return str(value) if isinstance(value, StrEnum) else value
