"""A lost card: the city's card office blacklists and replaces it, and the enrolment follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from citycard import registry
from citycard.store import reading, writing
from citycard_campus.roll import move_card, pupils_of
from citycard_campus.tables import pupil

if TYPE_CHECKING:
    from citycard_campus.campus import Campus

__all__ = ["follow_cards"]


def follow_cards(campus: Campus) -> int:
    """Let enrolments and guardians follow cards that were replaced; return how many moved. Again harmless.

    The old card's pot is given up with it: after ``pot_wait_days`` its rest goes back to the account, which
    hangs on the new card, and is carried onto that one.
    """
    with reading(campus.engine) as conn:
        named = pupils_of(conn, pupil.c.left_on.is_(None))
        cards = {asn for one in named for asn in (one.asn, one.guardian) if asn}
        new = {asn: closing.successor for asn in sorted(cards) if (closing := registry.closing_of(conn, asn))}
    moved = 0
    with writing(campus.engine) as conn:
        for old, successor in new.items():
            if successor is not None:
                moved += move_card(conn, old, successor, campus.now().date())
    return moved
