"""Old sector cards that move to new cards: how far each is, its steps, and what was carried over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import attrs
from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    Integer,
    String,
    Table,
    insert,
    or_,
    select,
    update,
)

from citycard.registry.tables import card
from citycard.store.bulk import insert_missing
from citycard.store.guarding import append_only
from citycard.store.metadata import Fen, SerialNumber, UtcTime, metadata

__all__ = [
    "MigrationState",
    "MigrationStep",
    "OldCardMigration",
    "add_carryover",
    "advance_migration",
    "begin_migration",
    "card_carryover",
    "card_migration",
    "card_migration_step",
    "carryover_of",
    "migration_steps",
    "migrations_of",
]

card_migration = Table(
    "card_migration",
    metadata,
    Column("old_card", String(16), primary_key=True),
    Column("plan", String(64), nullable=False),
    Column("uid", String(14), nullable=False),
    Column("new_asn", String(20), ForeignKey(card.c.asn), nullable=False, unique=True),
    Column("card_kind", Integer, nullable=False),
    Column("state", String(8), nullable=False),
    Column("balance_fen", Fen),
    Column("dedicated", Fen),
    Column("started_at", UtcTime, nullable=False),
    Column("changed_at", UtcTime, nullable=False),
    CheckConstraint("state IN ('intended', 'locked', 'emptied', 'loaded', 'done')", name="state"),
    CheckConstraint("state = 'intended' OR balance_fen >= 0 AND dedicated >= 0", name="amounts"),
)

card_migration_step = Table(
    "card_migration_step",
    metadata,
    Column("seq", SerialNumber, primary_key=True, autoincrement=True),
    Column("old_card", String(16), ForeignKey(card_migration.c.old_card), nullable=False, index=True),
    Column("state", String(8), nullable=False),
    Column("note", String(200), nullable=False),
    Column("at", UtcTime, nullable=False),
    sqlite_autoincrement=True,
)
append_only(card_migration_step)

card_carryover = Table(
    "card_carryover",
    metadata,
    Column("asn", String(20), ForeignKey(card.c.asn), primary_key=True),
    Column("unit", String(16), primary_key=True),
    Column("quantity", Fen, nullable=False),
    Column("old_card", String(16), ForeignKey(card_migration.c.old_card), nullable=False),
    CheckConstraint("quantity > 0", name="quantity"),
)
append_only(card_carryover)


class MigrationState(StrEnum):
    """How far a migration is; every state says what has been done for certain."""

    INTENDED = "intended"
    LOCKED = "locked"
    EMPTIED = "emptied"
    LOADED = "loaded"
    DONE = "done"


@attrs.frozen(kw_only=True)
class OldCardMigration:
    """The migration of one old card to one new one.

    ``old_card`` is its number (16 hexadecimal digits), ``uid`` its chip. ``balance_fen`` and ``dedicated``
    are what its purses held when it was locked, None before.
    """

    old_card: str
    plan: str
    uid: str
    new_asn: str
    card_kind: int
    state: MigrationState = attrs.field(default=MigrationState.INTENDED, converter=MigrationState)
    balance_fen: int | None = None
    dedicated: int | None = None
    started_at: datetime
    changed_at: datetime


@attrs.frozen(kw_only=True)
class MigrationStep:
    """One step of a migration, as it was written down; ``at`` is aware UTC."""

    old_card: str
    state: MigrationState
    note: str
    at: datetime


def migrations_of(
    conn: Connection, *, old_card: str, new_asn: str, hold: bool = False
) -> list[OldCardMigration]:
    """Give the migrations that an old card or a new one takes part in.

    With ``hold`` nobody else changes them until the transaction ends, which then has to be one that writes.
    """
    query = select(card_migration).where(
        or_(card_migration.c.old_card == old_card, card_migration.c.new_asn == new_asn)
    )
    query = query.order_by(card_migration.c.old_card)
    rows = conn.execute(query.with_for_update() if hold else query)
    return [OldCardMigration(**row._mapping) for row in rows]  # noqa: SLF001 - the documented way to read a row


def begin_migration(conn: Connection, record: OldCardMigration) -> None:
    """Write down the intention, before anything on either card changes."""
    conn.execute(insert(card_migration), attrs.asdict(record) | {"state": str(record.state)})
    _note(conn, record.old_card, record.state, f"to {record.new_asn}", record.started_at)


def advance_migration(conn: Connection, record: OldCardMigration, *, note: str) -> None:
    """Write down that a step is done: state, time, and what the purses held as ``record`` says now."""
    changed = {
        "state": str(record.state),
        "changed_at": record.changed_at,
        "balance_fen": record.balance_fen,
        "dedicated": record.dedicated,
    }
    conn.execute(update(card_migration).where(card_migration.c.old_card == record.old_card).values(changed))
    _note(conn, record.old_card, record.state, note, record.changed_at)


def migration_steps(conn: Connection, old_card: str) -> list[MigrationStep]:
    """Give the steps of a migration, oldest first."""
    table = card_migration_step
    rows = conn.execute(select(table).where(table.c.old_card == old_card).order_by(table.c.seq))
    return [
        MigrationStep(old_card=row.old_card, state=MigrationState(row.state), note=row.note, at=row.at)
        for row in rows
    ]


def add_carryover(conn: Connection, asn: str, carried: Mapping[str, int], *, old_card: str) -> None:
    """Write down what a card carries on from an old one: quantities by unit (``points``, ``trips``)."""
    rows = [
        {"asn": asn, "unit": unit, "quantity": quantity, "old_card": old_card}
        for unit, quantity in carried.items()
    ]
    insert_missing(conn, card_carryover, rows)


def carryover_of(conn: Connection, asn: str) -> dict[str, int]:
    """Give what a card carries on from an old one, by unit."""
    query = select(card_carryover).where(card_carryover.c.asn == asn)
    return {row.unit: row.quantity for row in conn.execute(query)}


def _note(conn: Connection, old_card: str, state: MigrationState, note: str, at: datetime) -> None:
    row = {"old_card": old_card, "state": str(state), "note": note, "at": at}
    conn.execute(insert(card_migration_step), row)
