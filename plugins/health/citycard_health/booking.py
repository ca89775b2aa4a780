"""Appointments: doctors' schedules cut into slots, booked by cards, kept at the clinic's till, or missed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, Row, insert, select, update

from citycard.errors import Phrase
from citycard.ids import derived_id
from citycard.store import reading, writing
from citycard_health.errors import AlreadyDone, BookingRefused, NotFound
from citycard_health.events import AppointmentChanged, tell
from citycard_health.files import Row as FileRow
from citycard_health.files import read_rows
from citycard_health.patients import hold_patient, patient_of
from citycard_health.tables import booking as booking_table
from citycard_health.tables import slot as slot_table

if TYPE_CHECKING:
    from citycard.city import City
    from citycard_health.settings import HealthSettings

__all__ = [
    "BookingState",
    "ClinicDay",
    "DoctorAppointment",
    "DoctorSlot",
    "appointments_of_card",
    "appointments_of_day",
    "book",
    "cancel",
    "clinic_day",
    "find_appointment",
    "find_slot",
    "free_slots",
    "import_schedule",
    "keep",
    "miss_overdue",
]

_COLUMNS = ("clinic", "department", "doctor", "level", "day", "from", "until", "minutes", "places")
_MOST_MINUTES, _MOST_PLACES = 480, 500


class BookingState(StrEnum):
    """Where an appointment is: ``kept`` when the card checked in, ``missed`` when it did not in time."""

    BOOKED = "booked"
    CANCELLED = "cancelled"
    KEPT = "kept"
    MISSED = "missed"


@attrs.frozen(kw_only=True)
class DoctorSlot:
    """A time at a doctor's that can be booked ``capacity`` times; times are the city's."""

    id: UUID
    clinic: str
    department: str
    doctor: str
    level: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    capacity: int
    taken: int = 0

    @property
    def free(self) -> int:
        """Say how many places are left."""
        return self.capacity - self.taken


@attrs.frozen(kw_only=True)
class DoctorAppointment:
    """A booked slot: whose, when, and where it stands."""

    id: UUID
    asn: str
    state: BookingState = attrs.field(converter=BookingState)
    clinic: str
    department: str
    doctor: str
    level: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    changed_at: dt.datetime
    record: str = ""


@attrs.frozen(kw_only=True)
class ClinicDay:
    """Who is expected at a clinic on a day, by time: what its tills take along to work offline."""

    clinic: str
    day: dt.date
    appointments: tuple[DoctorAppointment, ...]


# ── schedules ────────────────────────────────────────────────────────────────────────────────────


def import_schedule(city: City, settings: HealthSettings, data: bytes, *, file: str) -> int:
    """Take in doctors' schedules: CSV, cut into slots of ``minutes`` with ``places`` each; all or nothing.

    The same again changes nothing; other places for a slot that is there are taken over, never below what
    is booked. Return how many slots the file has. Raise FileInvalid.
    """
    rows = [(row, slot) for row in read_rows(data, _COLUMNS, file=file) for slot in _slots(settings, row)]
    seen: set[UUID] = set()
    for row, slot in rows:
        if slot.id in seen:
            raise row.refuse(
                "from",
                Phrase(
                    "{doctor} has {at:%Y-%m-%d %H:%M} in an earlier line already",
                    doctor=slot.doctor,
                    at=slot.starts_at,
                ),
            )
        seen.add(slot.id)
    with writing(city.engine) as conn:
        for row, slot in rows:
            _put(conn, row, slot)
    return len(rows)


def _slots(settings: HealthSettings, row: FileRow) -> Iterator[DoctorSlot]:
    clinic = row.one_of("clinic", [one.id for one in settings.clinics])
    level = int(row.one_of("level", [str(one.number) for one in settings.levels]))
    day, first, last = row.day("day"), row.time("from"), row.time("until")
    length = dt.timedelta(minutes=row.whole("minutes", 1, _MOST_MINUTES))
    places, doctor = row.whole("places", 1, _MOST_PLACES), row.text("doctor")
    start, end = dt.datetime.combine(day, first), dt.datetime.combine(day, last)
    if start + length > end:
        raise row.refuse(
            "until", Phrase("{last:%H:%M} leaves no whole slot after {first:%H:%M}", last=last, first=first)
        )
    while start + length <= end:
        yield DoctorSlot(
            id=derived_id("health slot", clinic, doctor, start.isoformat()),
            clinic=clinic,
            department=row.text("department"),
            doctor=doctor,
            level=level,
            starts_at=start,
            ends_at=start + length,
            capacity=places,
        )
        start += length


def _put(conn: Connection, row: FileRow, slot: DoctorSlot) -> None:
    query = select(slot_table).where(slot_table.c.id == slot.id).with_for_update()
    known = conn.execute(query).one_or_none()
    if known is None:
        conn.execute(insert(slot_table), attrs.asdict(slot))
        return
    if slot.capacity < known.taken:
        told = Phrase(
            "{taken} places of {at:%Y-%m-%d %H:%M} are booked", taken=known.taken, at=slot.starts_at
        )
        raise row.refuse("places", told)
    content = {name: getattr(slot, name) for name in ("department", "level", "ends_at", "capacity")}
    conn.execute(update(slot_table).where(slot_table.c.id == slot.id).values(content))


def free_slots(
    conn: Connection, now: dt.datetime, *, clinic: str = "", day: dt.date | None = None, limit: int = 200
) -> list[DoctorSlot]:
    """List the slots from now on that have a place left, by time."""
    query = select(slot_table).where(slot_table.c.starts_at > now, slot_table.c.taken < slot_table.c.capacity)
    if clinic:
        query = query.where(slot_table.c.clinic == clinic)
    if day is not None:
        first = dt.datetime.combine(day, dt.time())
        query = query.where(
            slot_table.c.starts_at >= first, slot_table.c.starts_at < first + dt.timedelta(days=1)
        )
    order = (slot_table.c.starts_at, slot_table.c.clinic, slot_table.c.doctor)
    return [_slot(row) for row in conn.execute(query.order_by(*order).limit(limit))]


def find_slot(conn: Connection, identity: UUID) -> DoctorSlot:
    """Give a slot; raise NotFound."""
    row = conn.execute(select(slot_table).where(slot_table.c.id == identity)).one_or_none()
    if row is None:
        raise NotFound(what="slot", name=identity)
    return _slot(row)


def _slot(row: Row[Any]) -> DoctorSlot:
    return DoctorSlot(**{field.name: getattr(row, field.name) for field in attrs.fields(DoctorSlot)})


# ── booking ──────────────────────────────────────────────────────────────────────────────────────


def book(
    city: City, settings: HealthSettings, identity: UUID, asn: str, slot: UUID, *, made_by: str = ""
) -> DoctorAppointment:
    """Book a place of a slot for a card, once for each ``identity``; never more places than there are.

    ``made_by`` is the clinic that booked for itself; empty where the holder, or the city for one, asked.

    Raise BookingRefused, NotFound, RegistryMissing, or AlreadyDone for an id with another card or slot.
    """
    now = city.now_local()
    with writing(city.engine) as conn:
        owner = hold_patient(conn, patient_of(conn, asn, city.clock.now()).id)
        known = conn.execute(select(booking_table).where(booking_table.c.id == identity)).one_or_none()
        if known is not None:
            if (known.asn, known.slot) != (asn, slot):
                raise AlreadyDone(what="appointment", id=identity, field="card or slot")
            return _find(conn, identity)
        found = find_slot(conn, slot)
        _check_time(settings, found, now)
        _check_others(conn, settings, owner.id, found)
        taken = update(slot_table).where(slot_table.c.id == slot, slot_table.c.taken < slot_table.c.capacity)
        if conn.execute(taken.values(taken=slot_table.c.taken + 1)).rowcount == 0:
            told = Phrase(
                "all {places} places at {at:%H:%M} are booked", places=found.capacity, at=found.starts_at
            )
            raise BookingRefused(reason=told)
        row = {"id": identity, "slot": slot, "patient": owner.id, "asn": asn, "state": "booked"}
        conn.execute(insert(booking_table), row | {"made_by": made_by, "made_at": now, "changed_at": now})
        return _told(conn, identity)


def _check_time(settings: HealthSettings, slot: DoctorSlot, now: dt.datetime) -> None:
    if slot.starts_at <= now:
        raise BookingRefused(reason=Phrase("{at:%Y-%m-%d %H:%M} has begun", at=slot.starts_at))
    last = now.date() + dt.timedelta(days=settings.booking_days)
    if slot.starts_at.date() > last:
        raise BookingRefused(reason=Phrase("days after {last} cannot be booked yet", last=last))


def _check_others(conn: Connection, settings: HealthSettings, patient: UUID, slot: DoctorSlot) -> None:
    mine = (
        select(slot_table.c.starts_at, slot_table.c.ends_at)
        .join(booking_table, booking_table.c.slot == slot_table.c.id)
        .where(booking_table.c.patient == patient, booking_table.c.state == "booked")
    )
    others = conn.execute(mine).all()
    if any(one.starts_at < slot.ends_at and slot.starts_at < one.ends_at for one in others):
        raise BookingRefused(reason="there is another appointment at that time")
    if len(others) >= settings.open_bookings:
        raise BookingRefused(
            reason=Phrase(
                "{count} appointments are open, and no more are allowed at a time", count=len(others)
            )
        )


def cancel(
    city: City, settings: HealthSettings, identity: UUID, *, at_any_time: bool = False
) -> DoctorAppointment:
    """Cancel an appointment, which frees its place; again without harm. Raise NotFound or BookingRefused.

    The patient may until ``cancel_minutes`` before; the clinic ``at_any_time``.
    """
    now = city.now_local()
    with writing(city.engine) as conn:
        found = _held(conn, identity)
        if found.state is BookingState.CANCELLED:
            return found
        if found.state is not BookingState.BOOKED:
            raise BookingRefused(reason=Phrase("it was {state} already", state=found.state))
        latest = found.starts_at - dt.timedelta(minutes=settings.cancel_minutes)
        if now > latest and not at_any_time:
            raise BookingRefused(
                reason=Phrase("it could be cancelled until {latest:%Y-%m-%d %H:%M}", latest=latest)
            )
        _change(conn, identity, BookingState.CANCELLED, now)
        slot = select(booking_table.c.slot).where(booking_table.c.id == identity).scalar_subquery()
        conn.execute(update(slot_table).where(slot_table.c.id == slot).values(taken=slot_table.c.taken - 1))
        return _told(conn, identity)


def keep(conn: Connection, identity: UUID, asn: str, now: dt.datetime, record: str = "") -> bool:
    """Note that a card checked in for its appointment, at a till (``record``) or with the clinic's staff.

    Say whether that is new. A record that comes late makes a missed appointment a kept one. An appointment
    that was cancelled, or is another card's, stays as it is.
    """
    row = conn.execute(
        select(booking_table).where(booking_table.c.id == identity).with_for_update()
    ).one_or_none()
    if row is None or row.asn != asn or row.state not in {BookingState.BOOKED, BookingState.MISSED}:
        return False
    _change(conn, identity, BookingState.KEPT, now, record)
    _told(conn, identity)
    return True


def miss_overdue(city: City, settings: HealthSettings) -> int:
    """Note as missed what nobody checked in for within ``no_show_hours`` after its end; say how many."""
    now = city.now_local()
    with writing(city.engine) as conn:
        overdue = (
            select(booking_table.c.id)
            .join(slot_table, booking_table.c.slot == slot_table.c.id)
            .where(booking_table.c.state == "booked")
            .where(slot_table.c.ends_at < now - dt.timedelta(hours=settings.no_show_hours))
        )
        ids = list(conn.scalars(overdue))
        for identity in ids:
            _change(conn, identity, BookingState.MISSED, now)
            _told(conn, identity)
    return len(ids)


def _change(
    conn: Connection, identity: UUID, state: BookingState, now: dt.datetime, record: str = ""
) -> None:
    values = {"state": state.value, "changed_at": now, "record": record}
    conn.execute(update(booking_table).where(booking_table.c.id == identity).values(values))


def _told(conn: Connection, identity: UUID) -> DoctorAppointment:
    found = _find(conn, identity)
    body = AppointmentChanged(
        booking=str(found.id),
        asn=found.asn,
        clinic=found.clinic,
        starts_at=found.starts_at.isoformat(),
        state=found.state.value,
    )
    tell(conn, body)
    return found


# ── looking up ───────────────────────────────────────────────────────────────────────────────────


def find_appointment(city: City, identity: UUID) -> DoctorAppointment:
    """Give an appointment; raise NotFound."""
    with reading(city.engine) as conn:
        return _find(conn, identity)


def appointments_of_card(conn: Connection, patient: UUID, *, limit: int = 50) -> list[DoctorAppointment]:
    """List the appointments of a patient, the latest first."""
    query = _joined().where(booking_table.c.patient == patient).order_by(slot_table.c.starts_at.desc())
    return [_appointment(row) for row in conn.execute(query.limit(limit))]


def appointments_of_day(conn: Connection, clinic: str, day: dt.date) -> list[DoctorAppointment]:
    """List who is expected at a clinic on a day, by time."""
    first = dt.datetime.combine(day, dt.time())
    query = (
        _joined()
        .where(slot_table.c.clinic == clinic, booking_table.c.state != "cancelled")
        .where(slot_table.c.starts_at >= first, slot_table.c.starts_at < first + dt.timedelta(days=1))
        .order_by(slot_table.c.starts_at, slot_table.c.doctor, booking_table.c.id)
    )
    return [_appointment(row) for row in conn.execute(query)]


def clinic_day(city: City, clinic: str, day: dt.date) -> ClinicDay:
    """Give what the tills of a clinic take along for a day."""
    with reading(city.engine) as conn:
        found = appointments_of_day(conn, clinic, day)
    return ClinicDay(clinic=clinic, day=day, appointments=tuple(found))


def _joined() -> Any:
    slots = [
        slot_table.c[name] for name in ("clinic", "department", "doctor", "level", "starts_at", "ends_at")
    ]
    bookings = [booking_table.c[name] for name in ("id", "asn", "state", "changed_at", "record")]
    return select(*bookings, *slots).join(slot_table, booking_table.c.slot == slot_table.c.id)


def _find(conn: Connection, identity: UUID) -> DoctorAppointment:
    row = conn.execute(_joined().where(booking_table.c.id == identity)).one_or_none()
    if row is None:
        raise NotFound(what="appointment", name=identity)
    return _appointment(row)


def _held(conn: Connection, identity: UUID) -> DoctorAppointment:
    conn.execute(select(booking_table.c.id).where(booking_table.c.id == identity).with_for_update())
    return _find(conn, identity)


def _appointment(row: Row[Any]) -> DoctorAppointment:
    return DoctorAppointment(**row._mapping)  # noqa: SLF001 - a Row's own way
