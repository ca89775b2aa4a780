"""Numbered lists of the cards that terminals must refuse.

A change goes into the next list; publishing gives that list its number. A terminal writes the number of
the list it holds into every record, and clearing asks what was in exactly that list.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, Table, and_, delete, func, insert, or_, select, update

from citycard.registry.adding import require
from citycard.registry.citytables import foreign_listing
from citycard.registry.records import BlacklistEntry
from citycard.registry.tables import blacklist, blacklist_list, card
from citycard.store.bulk import insert_missing, select_in
from citycard.store.engine import write_alone

__all__ = [
    "blacklist_at",
    "blacklist_cards",
    "blacklist_entries",
    "blacklist_number",
    "own_blacklist_at",
    "publish_blacklist",
    "unblacklist_cards",
]

# Whose cards stand on our lists: our own, and those that other cities told us of.
_LISTED = (blacklist, foreign_listing)


def blacklist_number(conn: Connection) -> int:
    """Give the number of the newest published list; 0 before the first one."""
    return int(conn.scalar(select(func.coalesce(func.max(blacklist_list.c.number), 0))) or 0)


def blacklist_cards(conn: Connection, asns: Sequence[str], *, reason: str) -> int:
    """Put cards on the next list and return how many were not on it.

    Raise RegistryMissing for a card that is not registered.
    """
    wanted = list(dict.fromkeys(asns))
    require(conn, card, wanted)
    # A card that came onto a list which another desk has just published would be on it unseen by terminals.
    write_alone(conn, blacklist_list)
    following = blacklist_number(conn) + 1
    # A removal that was not published yet is taken back, so that the lists stay without a gap.
    listed = set()
    for row in select_in(conn, select(blacklist), blacklist.c.asn, wanted):
        if row.removed_in is None:
            listed.add(row.asn)
        elif row.removed_in == following:
            key = and_(blacklist.c.asn == row.asn, blacklist.c.added_in == row.added_in)
            conn.execute(update(blacklist).where(key).values(removed_in=None))
            listed.add(row.asn)
    new = [asn for asn in wanted if asn not in listed]
    insert_missing(conn, blacklist, [{"asn": asn, "added_in": following, "reason": reason} for asn in new])
    return len(new)


def unblacklist_cards(conn: Connection, asns: Sequence[str]) -> int:
    """Take cards off from the next list on, and return how many were on it."""
    write_alone(conn, blacklist_list)
    following = blacklist_number(conn) + 1
    removed = 0
    for asn in dict.fromkeys(asns):
        standing = and_(blacklist.c.asn == asn, blacklist.c.removed_in.is_(None))
        # What was never published leaves no trace: no terminal has seen it.
        gone = conn.execute(delete(blacklist).where(standing, blacklist.c.added_in == following)).rowcount
        ended = conn.execute(update(blacklist).where(standing).values(removed_in=following)).rowcount
        removed += gone or ended
    return removed


def publish_blacklist(conn: Connection, *, at: datetime | None = None) -> int:
    """Publish the next list and return its number; without a change the newest number stands."""
    write_alone(conn, blacklist_list)
    number = blacklist_number(conn) + 1
    changes = (
        select(func.count())
        .select_from(table)
        .where(or_(table.c.added_in == number, table.c.removed_in == number))
        for table in _LISTED
    )
    if not any(conn.scalar(query) for query in changes):
        return number - 1
    conn.execute(insert(blacklist_list), {"number": number, "published_at": at or datetime.now(UTC)})
    return number


def blacklist_at(conn: Connection, number: int) -> frozenset[str]:
    """Give the cards (20-digit ASN) on the list with this number, ours and those of other cities."""
    return frozenset().union(*(_on(conn, table, number) for table in _LISTED))


def own_blacklist_at(conn: Connection, number: int) -> frozenset[str]:
    """Give the city's own cards on the list with this number, as other cities are told of them."""
    return _on(conn, blacklist, number)


def _on(conn: Connection, table: Table, number: int) -> frozenset[str]:
    query = select(table.c.asn).where(
        table.c.added_in <= number, or_(table.c.removed_in.is_(None), table.c.removed_in > number)
    )
    return frozenset(conn.scalars(query))


def blacklist_entries(conn: Connection) -> list[BlacklistEntry]:
    """Give every entry there ever was, with the lists it stood on, by card and list."""
    query = select(blacklist).order_by(blacklist.c.asn, blacklist.c.added_in)
    return [
        BlacklistEntry(asn=row.asn, reason=row.reason, added_in=row.added_in, removed_in=row.removed_in)
        for row in conn.execute(query)
    ]
