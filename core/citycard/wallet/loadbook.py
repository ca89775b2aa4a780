"""Keep the loads: in the store, one transaction for each step, or in memory until they are flushed."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

import attrs
from sqlalchemy import Connection, or_, select, text, update

from citycard.ledger.chart import AccountCode, TransferCode
from citycard.ledger.ledger import Ledger
from citycard.ledger.records import AccountSpec, Transfer
from citycard.store.bulk import insert_rows, select_in
from citycard.store.engine import reading
from citycard.wallet.addresses import TRUST_BANK, agent_receivable, card_purse, card_refund
from citycard.wallet.load import Load, LoadState, Proof, refunded_card
from citycard.wallet.tables import load

__all__ = ["BufferedBook", "LoadBook", "LoadPage", "StoredBook", "loads_of", "open_loads"]

_COLUMNS = tuple(field.name for field in attrs.fields(Load))


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

    def page(self, asn: str, online_atc: int) -> AbstractContextManager[LoadPage]:
        """Give what is open of a card, and what was settled from this counter on; keep what is written."""
        ...


class StoredBook:
    """Loads in the store: when a page is closed, its changes and their postings are committed."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @contextmanager
    def page(self, asn: str, online_atc: int) -> Iterator[LoadPage]:
        with self._ledger.engine.begin() as conn:
            _hold_card(conn, asn)
            query = select(load).where(
                load.c.asn == asn, or_(load.c.proof == Proof.NONE, load.c.online_atc >= online_atc)
            )
            page = LoadPage(_loads(conn.execute(query)))
            yield page
            keep(conn, self._ledger, list(page.changed.values()))


class BufferedBook:
    """Loads in memory, for a replay in one process: what was not flushed is lost with the process."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._by_card: dict[str, dict[UUID, Load]] = defaultdict(dict)
        self._changed: dict[UUID, Load] = {}
        with reading(ledger.engine) as conn:
            for known in _loads(conn.execute(select(load))):
                self._by_card[known.asn][known.id] = known

    @contextmanager
    def page(self, asn: str, online_atc: int) -> Iterator[LoadPage]:
        known = self._by_card[asn]
        page = LoadPage(one for one in known.values() if one.open or one.online_atc >= online_atc)
        yield page
        known.update(page.changed)
        self._changed.update(page.changed)

    def flush(self) -> int:
        """Write what changed, with its postings, in one transaction; return how many loads that were."""
        with self._ledger.engine.begin() as conn:
            keep(conn, self._ledger, list(self._changed.values()))
        written = len(self._changed)
        self._changed.clear()
        return written


def keep(conn: Connection, ledger: Ledger, loads: Sequence[Load]) -> None:
    """Write loads, and post those that are proven; what was posted before stays as it is."""
    # A load that is reversed makes room under its counter for the one that takes its place.
    ordered = sorted(loads, key=lambda one: one.state is not LoadState.REVERSED)
    known = {row.id for row in select_in(conn, select(load.c.id), load.c.id, [one.id for one in loads])}
    for one in ordered:
        if one.id in known:
            settled = {"state": str(one.state), "proof": str(one.proof), "tac": one.tac}
            conn.execute(update(load).where(load.c.id == one.id).values(settled))
    rows = [[_plain(getattr(one, name)) for name in _COLUMNS] for one in ordered if one.id not in known]
    insert_rows(conn, load, _COLUMNS, rows)
    proven = [one for one in loads if one.state is LoadState.PROVEN]
    if proven:
        ledger.open_accounts(conn, _accounts(proven))
        ledger.post_all(conn, [_transfer(one) for one in proven])


def loads_of(conn: Connection, asn: str) -> list[Load]:
    """Give every load of a card, in the order of its online counter."""
    return _loads(conn.execute(select(load).where(load.c.asn == asn).order_by(load.c.online_atc, load.c.at)))


def open_loads(conn: Connection, *, limit: int = 1000) -> list[Load]:
    """Give the oldest loads of which nobody knows whether the card took them."""
    query = select(load).where(load.c.state == LoadState.PENDING).order_by(load.c.at).limit(limit)
    return _loads(conn.execute(query))


def _payer(one: Load) -> AccountSpec:
    given_up = refunded_card(one.agent)
    if given_up is not None:
        return AccountSpec(address=card_refund(given_up), code=AccountCode.REFUNDS_DUE, owner=given_up)
    if one.agent:
        return AccountSpec(
            address=agent_receivable(one.agent), code=AccountCode.LOAD_AGENTS_RECEIVABLE, owner=one.agent
        )
    return AccountSpec(address=TRUST_BANK, code=AccountCode.TRUST_BANK)


def _accounts(proven: Iterable[Load]) -> list[AccountSpec]:
    payers = {one.agent: _payer(one) for one in proven}
    purses = {
        one.asn: AccountSpec(address=card_purse(one.asn), code=AccountCode.CARD_FLOAT, owner=one.asn)
        for one in proven
    }
    return [*payers.values(), *purses.values()]


def _transfer(one: Load) -> Transfer:
    return Transfer(
        id=one.id,
        debit_address=_payer(one).address,
        credit_address=card_purse(one.asn),
        amount_fen=one.amount_fen,
        code=TransferCode.LOAD,
        event_time=one.at,
        business_date=one.at.date(),
        ref=f"load/{one.terminal}/{one.online_atc}",
    )


def _hold_card(conn: Connection, asn: str) -> None:
    """Let nobody else take a step with this card until the transaction ends; SQLite has one writer anyway."""
    if conn.dialect.name == "postgresql":
        key = int.from_bytes(hashlib.blake2b(asn.encode(), digest_size=8).digest(), signed=True)
        conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def _loads(rows: Iterable[Any]) -> list[Load]:
    return [Load(**row._mapping) for row in rows]  # noqa: SLF001 - the documented way to read a row by name


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, StrEnum) else value
