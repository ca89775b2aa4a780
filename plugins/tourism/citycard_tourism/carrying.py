"""What a card had that was replaced goes to the card that came after it, at the next counter.

The old card is refused at every gate. Its passes, tickets that were not used, books and reader's right are
the new card's in the city's tables; the counter then puts them onto it.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, select, update

from citycard import registry
from citycard.store import reading, writing
from citycard_tourism.office import Office
from citycard_tourism.slots import free
from citycard_tourism.tables import loan, pass_, reader, ticket
from citycard_tourism.tickets import Ticket, tickets_of

__all__ = ["carry_over"]


def carry_over(office: Office, asn: str) -> int:
    """Give a card what the card had that it replaces; return how many things that is."""
    with reading(office.engine) as conn:
        before = registry.closing_for(conn, asn)
    if before is None:
        return 0
    old = before.asn
    with writing(office.engine) as conn:
        carried = sum(_carry_ticket(conn, office, one, asn) for one in tickets_of(conn, old))
        live = (pass_.c.asn == old, pass_.c.state.in_(("active", "frozen")))
        passes = update(pass_).where(*live).values(asn=asn, on_card=False, step="", step_id=None)
        carried += conn.execute(passes).rowcount
        carried += conn.execute(update(loan).where(loan.c.asn == old).values(asn=asn)).rowcount
        until = conn.scalar(select(reader.c.until).where(reader.c.asn == old))
        if until is not None:
            conn.execute(delete(reader).where(reader.c.asn == asn))
            conn.execute(update(reader).where(reader.c.asn == old).values(asn=asn))
            carried += 1
    return carried


def _carry_ticket(conn: Connection, office: Office, found: Ticket, asn: str) -> int:
    show = office.settings.show(found.show)
    if found.state not in {"paid", "card"} or show.until(found.starts) <= office.now:
        return 0
    if found.step == "move" and found.step_to is not None:
        # Whether the old card was written does not matter any more: it is refused everywhere.
        free(conn, show, found.step_to, found.people)
    waiting = {"asn": asn, "state": "paid", "step": "", "step_id": None, "step_to": None}
    conn.execute(update(ticket).where(ticket.c.serial == found.serial).values(waiting))
    return 1
