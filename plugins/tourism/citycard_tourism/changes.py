"""Tickets that were not used are moved to another slot, or given back.

A change is noted before the card is touched, and ended when the card has it: a moved ticket keeps the places
of both slots until then, so that neither is sold to somebody else.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from uuid import UUID

import attrs
from sqlalchemy import Connection

from citycard.errors import Phrase
from citycard.ids import derived_id
from citycard.store import publish, reading, writing
from citycard.wallet.pointsback import give_points_back
from citycard_tourism.acts import forget, noted_before
from citycard_tourism.errors import TicketRefused
from citycard_tourism.fares import ticket_refund_fen, ticket_refund_points
from citycard_tourism.office import Office
from citycard_tourism.services import TICKET_SALE
from citycard_tourism.slots import check_slot, free, take
from citycard_tourism.takings import give_due, order_refund, paid_of
from citycard_tourism.tickets import Ticket, find_ticket, points_id, told, update_ticket

__all__ = [
    "abandon_step",
    "begin_move",
    "begin_return",
    "end_move",
    "end_return",
    "give_back_online",
    "move_online",
]


def begin_move(office: Office, act: UUID, identity: UUID, starts: dt.datetime, *, state: str) -> Ticket:
    """Take places in another slot of the same show, and keep those of the old one until the card has it."""

    def work(conn: Connection, found: Ticket) -> None:
        _take_other(conn, office, found, starts)

    return _begin(office, act, identity, "move", state, work, starts)


def end_move(office: Office, found: Ticket) -> Ticket:
    """Free the old slot's places: the ticket is for the other one now."""

    def work(conn: Connection, now: Ticket) -> None:
        assert now.step_to is not None
        free(conn, office.settings.show(now.show), now.starts, now.people)
        update_ticket(conn, now.serial, starts=now.step_to, step="", step_to=None)
        publish(conn, "tourism.ticket-moved", [told(office, attrs.evolve(now, starts=now.step_to))])

    return _end(office, found, "move", work)


def begin_return(office: Office, act: UUID, identity: UUID, *, state: str) -> Ticket:
    """Note that a ticket is given back, before the card is touched."""
    return _begin(office, act, identity, "return", state, lambda *_: None)


def end_return(office: Office, found: Ticket) -> Ticket:
    """Free the places and order the refund by the show's rule; what can be given back at once is.

    Points that paid a part of it come back by the same rule, in the same step.
    """

    def work(conn: Connection, now: Ticket) -> None:
        show = office.settings.show(now.show)
        free(conn, show, now.starts, now.people)
        update_ticket(conn, now.serial, state="returned", step="")
        for paid in paid_of(conn, TICKET_SALE, now.serial):
            amount_fen = ticket_refund_fen(show, paid.amount_fen)
            assert now.step_id is not None
            reason = f"ticket {now.serial} was not used"
            order_refund(conn, paid, now.step_id, amount_fen, reason, asn=now.asn, at=office.now)
        points = ticket_refund_points(show, now.points)
        if points:
            back = derived_id("tourism", "points back", now.id)
            give_points_back(conn, office.city.wallet, back, points_id(now), points, actor="tourism")
        publish(conn, "tourism.ticket-returned", [told(office, now)])

    done = _end(office, found, "return", work)
    give_due(office, found.asn)
    return done


def abandon_step(office: Office, found: Ticket) -> None:
    """Forget what was under way, because the card refused it."""
    with writing(office.engine) as conn:
        now = find_ticket(conn, found.id, lock=True)
        if now.step == "move" and now.step_to is not None:
            free(conn, office.settings.show(now.show), now.step_to, now.people)
        forget(conn, now.step_id)
        update_ticket(conn, now.serial, step="", step_id=None, step_to=None)


def give_back_online(office: Office, act: UUID, identity: UUID) -> Ticket:
    """Give back a ticket that is not on the card yet; TicketRefused for one that is."""
    return end_return(office, begin_return(office, act, identity, state="paid"))


def move_online(office: Office, act: UUID, identity: UUID, starts: dt.datetime) -> Ticket:
    """Move a ticket that is not on the card yet to another slot of its show."""
    return end_move(office, begin_move(office, act, identity, starts, state="paid"))


def _take_other(conn: Connection, office: Office, found: Ticket, starts: dt.datetime) -> None:
    show = office.settings.show(found.show)
    check_slot(show, starts, office.now)
    if starts == found.starts:
        raise TicketRefused(serial=found.serial, reason="it is for that slot already")
    take(conn, show, starts, found.people)
    update_ticket(conn, found.serial, step_to=starts)


def _begin(
    office: Office,
    act: UUID,
    identity: UUID,
    step: str,
    state: str,
    work: Callable[[Connection, Ticket], None],
    to: dt.datetime | None = None,
) -> Ticket:
    """Note a change before the card is touched; one that was done has no ``step`` under way."""
    with writing(office.engine) as conn:
        found = find_ticket(conn, identity, lock=True)
        if not noted_before(conn, act, "ticket", found.serial, step, to):
            _check_change(office, found, state)
            update_ticket(conn, found.serial, step=step, step_id=act)
            work(conn, found)
        now = find_ticket(conn, identity)
    return now if now.step_id == act else attrs.evolve(now, step="")


def _check_change(office: Office, found: Ticket, state: str) -> None:
    latest = found.starts - dt.timedelta(minutes=office.settings.show(found.show).change_minutes)
    reason = ""
    if found.step:
        reason = Phrase("a {kind} is under way: finish that first", kind=found.step)
    elif found.state != state:
        reason = _why_not(found, state)
    elif office.now > latest:
        reason = Phrase("it could be changed until {latest:%Y-%m-%d %H:%M}", latest=latest)
    if reason:
        raise TicketRefused(serial=found.serial, reason=reason)


def _end(office: Office, found: Ticket, step: str, work: Callable[[Connection, Ticket], None]) -> Ticket:
    if not found.step:
        return found
    with writing(office.engine) as conn:
        now = find_ticket(conn, found.id, lock=True)
        if now.step == step and now.step_id == found.step_id:
            work(conn, now)
    with reading(office.engine) as conn:
        return find_ticket(conn, found.id)


def _why_not(found: Ticket, state: str) -> str:
    if (found.state, state) == ("card", "paid"):
        return "it is on the card: a counter changes it there"
    if (found.state, state) == ("paid", "card"):
        return "it is not on the card yet"
    return Phrase("it is {state}", state=found.state)
