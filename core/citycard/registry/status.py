"""The life of a card, and the status of partners and terminals."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from attrs import evolve
from sqlalchemy import Connection, Table, insert, select, update

from citycard.errors import RegistryMissing, StatusRefused
from citycard.registry import tables
from citycard.registry.adding import require
from citycard.registry.changes import changes_of, hold_row, write_changes
from citycard.registry.finding import find_card, find_partner
from citycard.registry.records import (
    Card,
    CardStatus,
    CardStatusChange,
    Partner,
    PartnerChange,
    TerminalStatus,
)

__all__ = [
    "TRANSITIONS",
    "card_history",
    "change_partner",
    "partner_history",
    "renew_card",
    "retire_product",
    "set_card_status",
    "set_card_version",
    "set_terminal_status",
]

#: What a card may become; a card that was replaced or returned stays so.
TRANSITIONS: dict[CardStatus, frozenset[CardStatus]] = {
    CardStatus.STOCK: frozenset({CardStatus.ISSUED, CardStatus.BLOCKED}),
    CardStatus.ISSUED: frozenset(
        {CardStatus.LOST, CardStatus.BLOCKED, CardStatus.REPLACED, CardStatus.RETURNED}
    ),
    CardStatus.LOST: frozenset(
        {CardStatus.ISSUED, CardStatus.BLOCKED, CardStatus.REPLACED, CardStatus.RETURNED}
    ),
    # Back into stock only a card that never left it.
    CardStatus.BLOCKED: frozenset(
        {CardStatus.STOCK, CardStatus.ISSUED, CardStatus.REPLACED, CardStatus.RETURNED}
    ),
    CardStatus.REPLACED: frozenset(),
    CardStatus.RETURNED: frozenset(),
}


def set_card_status(
    conn: Connection,
    asn: str,
    wanted: CardStatus,
    *,
    reason: str,
    actor: str = "",
    at: datetime | None = None,
) -> Card:
    """Move a card to another status and write down why; to the status it has, nothing happens.

    ``at`` is aware, now unless given. Raise StatusRefused for a step that a card cannot take and
    RegistryMissing for a card that is not there. Terminals hear of it only through the blacklist.
    """
    # The row is locked, so that two desks cannot both take the step.
    held = conn.execute(
        select(tables.card.c.status).where(tables.card.c.asn == asn).with_for_update()
    ).first()
    if held is None:
        raise RegistryMissing(record="card", key=asn)
    before = CardStatus(held.status)
    if before is not wanted:
        if wanted not in TRANSITIONS[before]:
            raise StatusRefused(asn=asn, status=str(before), wanted=str(wanted))
        conn.execute(update(tables.card).where(tables.card.c.asn == asn).values(status=str(wanted)))
        change = {
            "asn": asn,
            "before": str(before),
            "after": str(wanted),
            "reason": reason,
            "at": at or datetime.now(UTC),
            "actor": actor,
        }
        conn.execute(insert(tables.card_status_change), change)
    return find_card(conn, asn)


def card_history(conn: Connection, asn: str) -> list[CardStatusChange]:
    """Give every change of a card's status, oldest first."""
    changes = tables.card_status_change
    query = select(changes).where(changes.c.asn == asn).order_by(changes.c.seq)
    return [
        CardStatusChange(
            asn=row.asn,
            before=CardStatus(row.before),
            after=CardStatus(row.after),
            reason=row.reason,
            at=row.at,
            actor=row.actor,
        )
        for row in conn.execute(query)
    ]


def renew_card(conn: Connection, asn: str, expires_on: date) -> None:
    """Note a card's new last day; raise RegistryMissing, and RegistryInvalid for one before its first."""
    evolve(find_card(conn, asn), expires_on=expires_on)
    _change(conn, tables.card, asn, {"expires_on": expires_on})


def set_card_version(conn: Connection, asn: str, version: int) -> None:
    """Note which version of its product a card carries now; raise RegistryMissing."""
    _change(conn, tables.card, asn, {"product_version": version})


def retire_product(conn: Connection, product: str, on: date | None) -> None:
    """Make no cards of a product after a day, or take that back; raise RegistryMissing."""
    _change(conn, tables.product, product, {"retired_on": on})


def change_partner(
    conn: Connection,
    partner: str,
    wanted: Mapping[str, Any],
    *,
    reason: str,
    actor: str = "",
    at: datetime | None = None,
) -> Partner:
    """Change fields of a partner, such as its account or its status, and write down what, why and who.

    A field that has its value already is left alone. ``at`` is aware, now unless given. Raise
    RegistryMissing for a partner or a district that is not there, and RegistryInvalid.
    """
    hold_row(conn, tables.partner.c.id, partner)
    before = find_partner(conn, partner)
    after: Partner = evolve(before, **wanted)
    require(conn, tables.district, [after.district] if after.district else [])
    write_changes(
        conn, tables.partner.c.id, tables.partner_change, before, after, reason=reason, actor=actor, at=at
    )
    return after


def partner_history(conn: Connection, partner: str) -> list[PartnerChange]:
    """Give every change of a partner, oldest first."""
    return changes_of(conn, tables.partner_change, PartnerChange, partner)


def set_terminal_status(conn: Connection, number: str, wanted: TerminalStatus) -> None:
    """Revoke a terminal or take it back into service; raise RegistryMissing."""
    _change(conn, tables.terminal, number, {"status": str(wanted)})


def _change(conn: Connection, table: Table, key: str, values: dict[str, object]) -> None:
    (column,) = table.primary_key
    if conn.execute(update(table).where(column == key).values(values)).rowcount == 0:
        raise RegistryMissing(record=table.name, key=key)
