"""Service windows: a ticket for a day and a window, called in turn by a clerk."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, func, insert, select, update

from citycard.errors import ActDiffers, Phrase
from citycard.store import reading, writing
from citycard.store.engine import write_alone
from citycard_egov.errors import TicketUnknown
from citycard_egov.office import Office
from citycard_egov.tables import ticket

__all__ = ["Ticket", "call_next", "end", "take_ticket", "waiting"]


@attrs.frozen(kw_only=True)
class Ticket:
    """A place in a window's queue: ``waiting``, ``called``, ``served`` or ``absent``."""

    id: UUID
    window: str
    day: dt.date
    number: int
    asn: str
    state: str
    at: dt.datetime
    called_at: dt.datetime | None
    ended_at: dt.datetime | None


def take_ticket(office: Office, identity: UUID, window: str, asn: str) -> Ticket:
    """Give a citizen the next number of today at a window, once for each ``identity``."""
    _check_window(office, window)
    now = office.now()
    with writing(office.engine) as conn:
        write_alone(conn, ticket)
        known = conn.execute(select(ticket).where(ticket.c.id == identity)).one_or_none()
        if known is not None:
            if (known.window, known.asn) != (window, asn):
                raise ActDiffers(id=identity, kind="ticket")
            return _ticket(known)
        mine = (ticket.c.window == window) & (ticket.c.day == now.date())
        last = conn.scalar(select(func.max(ticket.c.number)).where(mine)) or 0
        row = {"id": identity, "window": window, "day": now.date(), "number": last + 1, "asn": asn}
        conn.execute(insert(ticket), row | {"state": "waiting", "at": now})
        return _found(conn, identity)


def call_next(office: Office, window: str, *, actor: str) -> Ticket | None:
    """Call the next one who waits at a window today; None when nobody does."""
    _check_window(office, window)
    now = office.now()
    with writing(office.engine) as conn:
        write_alone(conn, ticket)
        mine = (ticket.c.window == window) & (ticket.c.day == now.date()) & (ticket.c.state == "waiting")
        found = conn.execute(select(ticket).where(mine).order_by(ticket.c.number).limit(1)).one_or_none()
        if found is None:
            return None
        done = {"state": "called", "called_at": now, "called_by": actor}
        conn.execute(update(ticket).where(ticket.c.id == found.id).values(done))
        return _found(conn, found.id)


def end(office: Office, identity: UUID, *, served: bool) -> Ticket:
    """Say that whoever was called was served, or did not come; again without harm."""
    state = "served" if served else "absent"
    with writing(office.engine) as conn:
        found = _found(conn, identity)
        if found.state == state:
            return found
        if found.state != "called":
            raise TicketUnknown(
                what=Phrase(
                    "ticket {number} is {state}: call it first", number=found.number, state=found.state
                )
            )
        done = {"state": state, "ended_at": office.now()}
        conn.execute(update(ticket).where(ticket.c.id == identity).values(done))
        return _found(conn, identity)


def waiting(office: Office, window: str) -> list[Ticket]:
    """List who waits or was called at a window today, by number."""
    _check_window(office, window)
    with reading(office.engine) as conn:
        mine = (ticket.c.window == window) & (ticket.c.day == office.now().date())
        open_ = mine & ticket.c.state.in_(["waiting", "called"])
        return [_ticket(row) for row in conn.execute(select(ticket).where(open_).order_by(ticket.c.number))]


def _check_window(office: Office, window: str) -> None:
    known = [one.id for one in office.settings.windows]
    if window not in known:
        raise TicketUnknown(
            what=Phrase(
                "there is no window {window!r}; there are {known}",
                window=window[:40],
                known=", ".join(known) or "none",
            )
        )


def _found(conn: Connection, identity: UUID) -> Ticket:
    row = conn.execute(select(ticket).where(ticket.c.id == identity)).one_or_none()
    if row is None:
        raise TicketUnknown(what=Phrase("there is no ticket {id}", id=identity))
    return _ticket(row)


def _ticket(row: Any) -> Ticket:
    return Ticket(**{field.name: getattr(row, field.name) for field in attrs.fields(Ticket)})
