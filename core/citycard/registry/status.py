"""The life of a card, and the status of partners and terminals."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, Table, insert, select, update

from citycard.errors import RegistryMissing, StatusRefused
from citycard.registry import tables
from citycard.registry.finding import find_card
from citycard.registry.records import Card, CardStatus, CardStatusChange, PartnerStatus, TerminalStatus

__all__ = ["TRANSITIONS", "card_history", "set_card_status", "set_partner_status", "set_terminal_status"]

#: What a card may become; a card that was replaced or returned stays so.
TRANSITIONS: dict[CardStatus, frozenset[CardStatus]] = {
    CardStatus.STOCK: frozenset({CardStatus.ISSUED, CardStatus.BLOCKED}),
    CardStatus.ISSUED: frozenset(
        {CardStatus.LOST, CardStatus.BLOCKED, CardStatus.REPLACED, CardStatus.RETURNED}
    ),
    CardStatus.LOST: frozenset({CardStatus.ISSUED, CardStatus.BLOCKED, CardStatus.REPLACED}),
    CardStatus.BLOCKED: frozenset({CardStatus.ISSUED, CardStatus.REPLACED, CardStatus.RETURNED}),
    CardStatus.REPLACED: frozenset(),
    CardStatus.RETURNED: frozenset(),
}


def set_card_status(
    conn: Connection, asn: str, wanted: CardStatus, *, reason: str, at: datetime | None = None
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
        )
        for row in conn.execute(query)
    ]


def set_partner_status(conn: Connection, partner: str, wanted: PartnerStatus) -> None:
    """Suspend, close or reopen a partner; raise RegistryMissing."""
    _set(conn, tables.partner, partner, wanted)


def set_terminal_status(conn: Connection, number: str, wanted: TerminalStatus) -> None:
    """Revoke a terminal or take it back into service; raise RegistryMissing."""
    _set(conn, tables.terminal, number, wanted)


def _set(conn: Connection, table: Table, key: str, wanted: str) -> None:
    (column,) = table.primary_key
    changed = conn.execute(update(table).where(column == key).values(status=str(wanted)))
    if changed.rowcount == 0:
        raise RegistryMissing(record=table.name, key=key)
