"""Timed tickets in the city's tables: held, paid, put onto the card; ``changes`` has the rest.

| state | |
|---|---|
| held | places are taken, nothing is paid yet; after ``hold_minutes`` an online one lapses |
| paid | an online account paid; the ticket waits for a counter that puts it onto the card |
| card | it is on the card |
| used, returned, lapsed | it is over |
"""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from citycard.city.charging import give_up_charge, price
from citycard.errors import CitycardError, Phrase
from citycard.ids import derived_id
from citycard.store import publish, reading, writing
from citycard.wallet import Points, find_account
from citycard.wallet.tables import points_act
from citycard_tourism.errors import ActRepeated, RightUnknown, TicketRefused
from citycard_tourism.office import Office
from citycard_tourism.services import TICKET_SALE
from citycard_tourism.settings import Show
from citycard_tourism.slots import check_slot, free, take
from citycard_tourism.tables import ticket
from citycard_tourism.takings import (
    Paid,
    Taken,
    give_due,
    note_paid,
    order_refund,
    pay_online,
    payment_id,
    taken_online,
)

__all__ = [
    "Ticket",
    "buy",
    "end_sale",
    "find_ticket",
    "hold",
    "lapse_held",
    "points_id",
    "release",
    "tickets_of",
    "told",
    "update_ticket",
]

_POINTS = "points"


@attrs.frozen(kw_only=True)
class Ticket:
    """A ticket as the city knows it; ``step`` is what is under way at a card, ``step_id`` the last act."""

    serial: int
    id: UUID
    asn: str
    show: int
    starts: dt.datetime
    people: int
    rights: int
    state: str
    way: str
    price_fen: int
    points_fen: int
    scheme: str
    points: int
    held_until: dt.datetime
    made_at: dt.datetime
    used_at: dt.datetime | None
    step: str
    step_id: UUID | None
    step_to: dt.datetime | None


def find_ticket(conn: Connection, identity: UUID, *, lock: bool = False) -> Ticket:
    """Give a ticket by the id under which it was bought, held until the transaction ends with ``lock``."""
    query = select(ticket).where(ticket.c.id == identity)
    row = conn.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise RightUnknown(what="ticket", id=identity)
    return Ticket(**row._mapping)  # noqa: SLF001 - the documented way to read a row by name


def tickets_of(conn: Connection, asn: str, *, states: tuple[str, ...] = (), limit: int = 100) -> list[Ticket]:
    """Give the tickets of a card, newest first."""
    query = select(ticket).where(ticket.c.asn == asn)
    if states:
        query = query.where(ticket.c.state.in_(states))
    rows = conn.execute(query.order_by(ticket.c.serial.desc()).limit(limit))
    return [Ticket(**row._mapping) for row in rows]  # noqa: SLF001 - a Row's own way


def update_ticket(conn: Connection, serial: int, **values: Any) -> None:
    """Change a ticket's row."""
    conn.execute(update(ticket).where(ticket.c.serial == serial).values(values))


# ── buying ───────────────────────────────────────────────────────────────────────────────────────


def hold(
    office: Office,
    act: UUID,
    asn: str,
    show: Show,
    starts: dt.datetime,
    people: int,
    *,
    way: str,
    scheme: str = "",
    points: int = 0,
) -> Ticket:
    """Take places and write the ticket down, priced for its holder; once for each act.

    Raise SlotUnknown, SlotFull, TicketRefused, ActRepeated, and what ``price`` raises.
    """
    rights, now = office.rights(asn), office.now
    with reading(office.engine) as conn:
        known = conn.execute(select(ticket).where(ticket.c.id == act)).one_or_none()
    if known is None:
        check_slot(show, starts, now)
        if not 1 <= people <= show.people_most:
            told = Phrase("{people} people: expected 1 to {most}", people=people, most=show.people_most)
            raise TicketRefused(serial="", reason=told)
        facts = {"show": show.name, "people": people}
        full_fen = price(
            office.city,
            asn,
            service=TICKET_SALE,
            partner=show.venue,
            facts=facts,
            entitlements=office.settings.entitlements(rights),
        ).amount_fen
        points_fen = _points_fen(office, show, scheme, points, full_fen)
        row = {
            "id": act,
            "asn": asn,
            "show": show.number,
            "starts": starts,
            "people": people,
            "rights": rights,
            "state": "held",
            "way": way,
            "price_fen": full_fen - points_fen,
            "points_fen": points_fen,
            "scheme": scheme,
            "points": points,
            "held_until": now + dt.timedelta(minutes=office.settings.hold_minutes),
            "made_at": now,
            "step": "",
        }
        # Of two calls under one id that come at once, the other may write the row; this takes nothing.
        with suppress(IntegrityError), writing(office.engine) as conn:
            if conn.execute(select(ticket.c.id).where(ticket.c.id == act)).one_or_none() is None:
                take(conn, show, starts, people)
                conn.execute(insert(ticket), row)
    with reading(office.engine) as conn:
        found = find_ticket(conn, act)
    asked = (asn, show.number, people, way, scheme, points)
    same = (found.asn, found.show, found.people, found.way, found.scheme, found.points) == asked
    if not same or (found.state == "held" and found.starts != starts):
        raise ActRepeated(id=act)
    if found.state == "lapsed":
        _undo(office, found)
        raise TicketRefused(serial=found.serial, reason="it was given up or refused: buy under a new id")
    return found


def buy(
    office: Office,
    act: UUID,
    asn: str,
    show: Show,
    starts: dt.datetime,
    people: int = 1,
    *,
    scheme: str = "",
    points: int = 0,
) -> Ticket:
    """Buy a ticket from the online account of a card, a part of it with ``points`` of a scheme; once per act.

    Raise what ``hold`` and ``charge`` raise, and PointsRefused; then the places are free again.
    """
    held = hold(office, act, asn, show, starts, people, way="account", scheme=scheme, points=points)
    if held.state != "held":
        return held
    taken = taken_online(office, act, TICKET_SALE)
    try:
        if taken is None and held.step != _POINTS:
            facts = {"show": show.name, "people": people, "points_fen": held.points_fen}
            taken = pay_online(office, act, asn, TICKET_SALE, facts, held.rights, {show.venue: 1})
        if points:
            _use_points(office, held, show.venue)
    except CitycardError:
        _undo(office, held)
        raise
    return end_sale(office, held, "paid", _paid_online(office, held, taken))


def end_sale(office: Office, held: Ticket, state: str, paid: Paid | None) -> Ticket:
    """Note that a ticket was paid, or put onto the card; again without harm."""
    with writing(office.engine) as conn:
        found = find_ticket(conn, held.id, lock=True)
        lapsed = found.state == "lapsed"
        if found.state == "held" or (found.state, state) == ("paid", "card"):
            update_ticket(conn, found.serial, state=state, step="")
            if paid is not None:
                note_paid(conn, paid)
                publish(conn, "tourism.ticket-sold", [told(office, found)])
    if lapsed:
        _undo(office, found)
        raise TicketRefused(serial=found.serial, reason="it lapsed before it was paid: buy under a new id")
    with reading(office.engine) as conn:
        return find_ticket(conn, held.id)


def release(office: Office, act: UUID) -> Ticket:
    """Free the places of a ticket that is held and will not be paid; TicketRefused for any other state.

    A request that is still on its way pays nothing for it any more.
    """
    with writing(office.engine) as conn:
        found = find_ticket(conn, act, lock=True)
        if found.state == "held" and found.step != _POINTS:
            if _given_up(office, conn, found) is not None:
                raise TicketRefused(serial=found.serial, reason="it is paid, not held")
            _free(conn, office, found)
        elif found.state != "lapsed":
            state = "being paid with points" if found.state == "held" else found.state
            raise TicketRefused(serial=found.serial, reason=Phrase("it is {state}, not held", state=state))
    return attrs.evolve(found, state="lapsed")


def lapse_held(office: Office) -> int:
    """Free the places of online tickets that nobody paid in time; those that were paid are finished."""
    late = (ticket.c.state == "held", ticket.c.way == "account", ticket.c.held_until < office.now)
    with reading(office.engine) as conn:
        due = [Ticket(**row._mapping) for row in conn.execute(select(ticket).where(*late))]  # noqa: SLF001 - a Row's way
    for one in due:
        # What is refused, its places are free; what was paid meanwhile is finished the next time.
        with suppress(CitycardError):
            if one.price_fen and taken_online(office, one.id, TICKET_SALE) is None:
                release(office, one.id)
                continue
            show = office.settings.show(one.show)
            buy(office, one.id, one.asn, show, one.starts, one.people, scheme=one.scheme, points=one.points)
    return len(due)


def _points_fen(office: Office, show: Show, scheme: str, points: int, full_fen: int) -> int:
    if not points and not scheme:
        return 0
    fen = {(one.scheme, one.venue): one.fen for one in office.settings.acceptances}.get((scheme, show.venue))
    if fen is None or points < 1 or points * fen > full_fen:
        reason = Phrase("{points} points of {scheme!r} do not pay for it", points=points, scheme=scheme[:32])
        if fen is not None:
            reason = Phrase("{reason}: expected 1 to {most}", reason=reason, most=full_fen // fen)
        raise TicketRefused(serial="", reason=reason)
    return points * fen


def _use_points(office: Office, held: Ticket, venue: str) -> None:
    """Use the points of a ticket whose money is paid. From here on nobody else gives its places up."""
    with writing(office.engine) as conn:
        found = find_ticket(conn, held.id, lock=True)
        if found.state != "held" or _points_used(conn, held):
            return
        update_ticket(conn, found.serial, step=_POINTS)
        number = find_account(conn, held.asn).number
    # Of lots that were paid in at less than the venue promises it gets less, and bears that itself.
    Points(office.city.wallet).use(points_id(held), number, held.scheme, venue, held.points)


def points_id(held: Ticket) -> UUID:
    """Give the id under which a ticket uses its points."""
    return derived_id("tourism", "points", held.id)


def _points_used(conn: Connection, held: Ticket) -> bool:
    used = select(points_act.c.id).where(points_act.c.id == points_id(held)).limit(1)
    return conn.execute(used).first() is not None


def _undo(office: Office, held: Ticket) -> None:
    """Free the places of an online ticket that was refused, and give back once what it had paid.

    One that another call finished meanwhile, or whose points it used, stays as it is.
    """
    with writing(office.engine) as conn:
        found = find_ticket(conn, held.id, lock=True)
        if found.state not in {"held", "lapsed"} or _points_used(conn, found):
            return
        taken = _given_up(office, conn, found)
        if found.state == "held":
            _free(conn, office, found)
        if taken is not None:
            paid = _paid_online(office, found, taken)
            note_paid(conn, paid)
            reason = "the sale was refused"
            order_refund(conn, paid, found.id, taken.left_fen, reason, asn=found.asn, at=office.now)
    if taken is not None:
        give_due(office, held.asn)


def _given_up(office: Office, conn: Connection, found: Ticket) -> Taken | None:
    """Let nothing be paid online for a ticket any more; give what was taken for it before."""
    if found.way != "account" or give_up_charge(office.city, conn, payment_id(found.id)) is None:
        return None
    return taken_online(office, found.id, TICKET_SALE)


def _paid_online(office: Office, held: Ticket, taken: Taken | None) -> Paid:
    return Paid(
        id=payment_id(held.id),
        asn=held.asn,
        service=TICKET_SALE,
        serial=held.serial,
        turn=0,
        days=0,
        way="account",
        amount_fen=taken.amount_fen if taken else 0,
        partner=taken.partner if taken else office.settings.show(held.show).venue,
        onward=taken.onward if taken else {},
        at=office.now,
    )


def _free(conn: Connection, office: Office, found: Ticket) -> None:
    free(conn, office.settings.show(found.show), found.starts, found.people)
    update_ticket(conn, found.serial, state="lapsed", step="")


def told(office: Office, found: Ticket) -> dict[str, Any]:
    """Give the body of an event about a ticket."""
    return {
        "asn": found.asn,
        "serial": found.serial,
        "show": office.settings.show(found.show).name,
        "starts": found.starts.isoformat(),
        "people": found.people,
    }
