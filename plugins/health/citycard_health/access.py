"""Who may read and do what of health, and how each reading is recorded before anything is shown."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from sqlalchemy import Connection, or_, select

from citycard.errors import Phrase
from citycard.ids import new_id
from citycard.store import reading, writing
from citycard.web.permissions import Actor, Role
from citycard_health.errors import NotFound, ReadingRefused
from citycard_health.events import DataRead, tell
from citycard_health.patients import HealthReading, Patient, find_patient, note_reading
from citycard_health.permissions import (
    BOOK,
    CHARGE,
    KEEP_DESK,
    KEEP_RECORDS,
    MANAGE,
    READ_CLAIMS,
    READ_DESK,
    READ_RECORDS,
    RETURN,
    SPEND,
)
from citycard_health.tables import booking, slot, visit

if TYPE_CHECKING:
    from citycard.city import City

__all__ = [
    "BOOK",
    "CHARGE",
    "KEEP_DESK",
    "KEEP_RECORDS",
    "MANAGE",
    "READ_CLAIMS",
    "READ_DESK",
    "READ_RECORDS",
    "RETURN",
    "SPEND",
    "check_treats",
    "is_citizen",
    "open_record",
    "require_own",
]


def require_own(actor: Actor, permission: str, *, card: str = "", partner: str = "") -> None:
    """Let citizens pass for their own card, partners for what is theirs, and the city's people for all."""
    from citycard.web.sessions import require

    require(actor, permission, card if actor.role is Role.CITIZEN else partner)


def is_citizen(actor: Actor) -> bool:
    """Say whether a citizen asks, who has one card and its data."""
    return actor.role is Role.CITIZEN


_NEAR = dt.timedelta(days=2)
_LONGEST = 100


def open_record(
    city: City, actor: Actor, asn: str, *, what: str, reason: str = "", break_glass: bool = False
) -> Patient:
    """Let somebody read a patient's data, and record it before; the patient is told of every stranger.

    A citizen reads the own data. A clinic reads with a reason, and only around an appointment or a visit
    there, unless it breaks the glass. Operators read with a reason. Raise ReadingRefused, NotFound.
    """
    now, own = city.now_local(), actor.role is Role.CITIZEN
    why = "own data" if own else reason.strip()
    if not 0 < len(why) <= _LONGEST or not why.isprintable():
        raise ReadingRefused(
            reason=Phrase("say why, in 1 to {longest} characters (reason)", longest=_LONGEST)
        )
    with writing(city.engine) as conn:
        owner = _of_citizen(conn, actor, asn) if own else find_patient(conn, asn)
        if not break_glass:
            _check_treats(conn, actor, owner, now)
        reader = f"{actor.role.value} {actor.subject or actor.token}".strip()
        told_as = HealthReading(at=now, reader=reader, what=what, reason=why, break_glass=break_glass)
        note_reading(conn, new_id(), owner.id, told_as)
        if not own:
            read = DataRead(asn=asn, reader=reader, what=what, reason=why, break_glass=break_glass)
            tell(conn, read)
    return owner


def _of_citizen(conn: Connection, actor: Actor, asn: str) -> Patient:
    if actor.subject != asn:
        raise NotFound(what="patient with card", name=asn[:20])
    return find_patient(conn, asn)


def check_treats(city: City, actor: Actor, asn: str) -> None:
    """Let clinics write into the records of those alone whom they treat; raise ReadingRefused, NotFound."""
    if actor.role is Role.PARTNER:
        with reading(city.engine) as conn:
            _check_treats(conn, actor, find_patient(conn, asn), city.now_local())


def _check_treats(conn: Connection, actor: Actor, owner: Patient, now: dt.datetime) -> None:
    if actor.role is Role.PARTNER and not _treats(conn, actor.subject, owner, now):
        told = Phrase(
            "{clinic} has no appointment or visit of this card within {days} days",
            clinic=actor.subject,
            days=_NEAR.days,
        )
        raise ReadingRefused(
            reason=Phrase("{reason}; in an emergency, break the glass (break_glass)", reason=told)
        )


def _treats(conn: Connection, clinic: str, owner: Patient, now: dt.datetime) -> bool:
    """Say whether a patient comes or came; what the clinic booked itself counts once the card checked in."""
    asked_for = or_(booking.c.made_by != clinic, booking.c.record != "")
    booked = (
        select(booking.c.id)
        .join(slot, booking.c.slot == slot.c.id)
        .where(booking.c.patient == owner.id, booking.c.state != "cancelled", slot.c.clinic == clinic)
        .where(slot.c.starts_at.between(now - _NEAR, now + _NEAR), asked_for)
    )
    visited = select(visit.c.id).where(
        visit.c.patient == owner.id, visit.c.clinic == clinic, visit.c.at >= now - _NEAR
    )
    return conn.scalar(booked.limit(1)) is not None or conn.scalar(visited.limit(1)) is not None
