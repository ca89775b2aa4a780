"""Cards of other cities on our own lists: what another city's list says goes into the next of ours."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, and_, delete, insert, select, update

from citycard.errors import ForeignListRefused, Phrase
from citycard.registry.blacklist import blacklist_number
from citycard.registry.cities import lists_held, note_list
from citycard.registry.citytables import foreign_listing
from citycard.registry.tables import blacklist_list, card
from citycard.store.bulk import chunks, select_in
from citycard.store.engine import write_alone

__all__ = ["check_foreign_list", "foreign_cards", "take_foreign_list"]


def foreign_cards(conn: Connection, city: str) -> frozenset[str]:
    """Give the cards (20-digit ASN) of another city that stand on the next list of ours."""
    query = select(foreign_listing.c.asn).where(
        foreign_listing.c.city == city, foreign_listing.c.removed_in.is_(None)
    )
    return frozenset(conn.scalars(query))


def check_foreign_list(conn: Connection, city: str, asns: Collection[str]) -> None:
    """Check that a city lists only cards that can be its own; raise ForeignListRefused.

    They are not when they are registered here, or stand on our lists because another city told us of them:
    otherwise one city could have the cards of another one refused.
    """
    wanted = sorted({*asns})
    for asn in select_in(conn, select(card.c.asn), card.c.asn, wanted):
        raise ForeignListRefused(city=city, asn=asn.asn, whose="is a card of this city")
    listed = select(foreign_listing.c.asn, foreign_listing.c.city).where(
        foreign_listing.c.city != city, foreign_listing.c.removed_in.is_(None)
    )
    for row in select_in(conn, listed, foreign_listing.c.asn, wanted):
        raise ForeignListRefused(
            city=city, asn=row.asn, whose=Phrase("was listed by city {city}", city=row.city)
        )


def take_foreign_list(conn: Connection, city: str, number: int, asns: Collection[str]) -> tuple[int, int]:
    """Put what list ``number`` of another city says into our next list; return how many came and went.

    A list that is not newer than the one held changes nothing. Raise ForeignListRefused as
    ``check_foreign_list`` does. Which of their lists ours holds is noted, so
    that it can be said of every tap what its terminal knew.
    """
    write_alone(conn, blacklist_list)
    check_foreign_list(conn, city, asns)
    following = blacklist_number(conn) + 1
    if any(number <= held for _, held in lists_held(conn, city, "ours")):
        return 0, 0
    now, wanted = foreign_cards(conn, city), frozenset(asns)
    for piece in chunks(sorted(now - wanted)):
        standing = and_(foreign_listing.c.asn.in_(piece), foreign_listing.c.removed_in.is_(None))
        # What was never published leaves no trace: no terminal has seen it.
        conn.execute(delete(foreign_listing).where(standing, foreign_listing.c.added_in == following))
        conn.execute(update(foreign_listing).where(standing).values(removed_in=following))
    _add(conn, city, following, sorted(wanted - now))
    note_list(conn, city, "ours", [(following, number)])
    return len(wanted - now), len(now - wanted)


def _add(conn: Connection, city: str, following: int, asns: list[str]) -> None:
    for piece in chunks(asns):
        # A removal that was not published yet is taken back.
        back = and_(
            foreign_listing.c.city == city,
            foreign_listing.c.asn.in_(piece),
            foreign_listing.c.removed_in == following,
        )
        known = set(conn.scalars(select(foreign_listing.c.asn).where(back)))
        conn.execute(update(foreign_listing).where(back).values(removed_in=None))
        rows = [{"asn": asn, "city": city, "added_in": following} for asn in piece if asn not in known]
        if rows:
            conn.execute(insert(foreign_listing), rows)
