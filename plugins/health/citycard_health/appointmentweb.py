"""The endpoints of appointments: free slots, booking, cancelling, checking in, and a clinic's day."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from uuid import UUID

import attrs

from citycard.store import reading, writing
from citycard_health import access
from citycard_health.asking import HealthAct, answered, path_id
from citycard_health.booking import (
    ClinicDay,
    DoctorAppointment,
    DoctorSlot,
    book,
    cancel,
    clinic_day,
    find_appointment,
    find_slot,
    free_slots,
    keep,
)
from citycard_health.errors import NotFound

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from citycard_health.settings import HealthSettings

__all__ = [
    "AppointmentToBook",
    "ClinicDayQuery",
    "FreeSlots",
    "SlotQuery",
]


@attrs.frozen(kw_only=True)
class SlotQuery:
    """Which free slots: of a clinic, on a day; all of both when left out."""

    clinic: str = ""
    day: dt.date | None = attrs.field(default=None, metadata={"expected": "a day as 2026-03-02"})


@attrs.frozen(kw_only=True)
class FreeSlots:
    """Slots that have a place left, by time; at most 200."""

    slots: tuple[DoctorSlot, ...]


@attrs.frozen(kw_only=True)
class AppointmentToBook:
    """A card and the slot that it books; ``id`` is made by the client and names the appointment."""

    id: UUID
    card: str
    slot: UUID


@attrs.frozen(kw_only=True)
class ClinicDayQuery:
    """Which day of a clinic; today when left out."""

    day: dt.date | None = attrs.field(default=None, metadata={"expected": "a day as 2026-03-02"})


def _check_clinic(settings: HealthSettings, clinic: str) -> None:
    if not settings.has_clinic(clinic):
        raise NotFound(what="clinic", name=repr(clinic[:40]))


async def slots(settings: HealthSettings, request: Request) -> Response:
    from citycard.web import city_of, read_query

    query, city = read_query(request, SlotQuery), city_of(request)
    if query.clinic:
        _check_clinic(settings, query.clinic)

    def work() -> FreeSlots:
        with reading(city.engine) as conn:
            found = free_slots(conn, city.now_local(), clinic=query.clinic, day=query.day)
        return FreeSlots(slots=tuple(found))

    return await answered(work)


async def day(settings: HealthSettings, request: Request) -> Response:
    from citycard.web import actor_of, city_of, read_query

    query, city = read_query(request, ClinicDayQuery), city_of(request)
    clinic = request.path_params["clinic"]
    access.require_own(actor_of(request), access.READ_DESK, partner=clinic)
    _check_clinic(settings, clinic)

    def work() -> ClinicDay:
        return clinic_day(city, clinic, query.day or city.now_local().date())

    return await answered(work)


async def make(settings: HealthSettings, request: Request) -> Response:
    from citycard.web import actor_of, city_of, read_json

    body, city = await read_json(request, AppointmentToBook), city_of(request)
    actor = actor_of(request)

    def work() -> DoctorAppointment:
        with reading(city.engine) as conn:
            clinic = find_slot(conn, body.slot).clinic
        access.require_own(actor, access.BOOK, card=body.card, partner=clinic)
        made_by = actor.subject if actor.role.value == "partner" else ""
        return book(city, settings, body.id, body.card, body.slot, made_by=made_by)

    return await answered(work)


async def drop(settings: HealthSettings, request: Request) -> Response:
    from citycard.web import actor_of, city_of, read_json

    await read_json(request, HealthAct)
    city, actor, identity = city_of(request), actor_of(request), path_id(request)

    def work() -> DoctorAppointment:
        found = find_appointment(city, identity)
        access.require_own(actor, access.BOOK, card=found.asn, partner=found.clinic)
        own = actor.role.value == "citizen"
        return cancel(city, settings, identity, at_any_time=not own)

    return await answered(work)


async def check_in(request: Request) -> Response:
    from citycard.web import actor_of, city_of, read_json

    await read_json(request, HealthAct)
    city, actor, identity = city_of(request), actor_of(request), path_id(request)

    def work() -> DoctorAppointment:
        found = find_appointment(city, identity)
        access.require_own(actor, access.KEEP_DESK, partner=found.clinic)
        with writing(city.engine) as conn:
            keep(conn, identity, found.asn, city.now_local())
        return find_appointment(city, identity)

    return await answered(work)
