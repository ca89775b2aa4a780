"""The endpoints of health records: each reading has its reason, and is recorded before anything is shown."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import attrs

from citycard.store import reading, writing
from citycard_health import access
from citycard_health.fhir import MOST_BYTES, export_summary, import_summary
from citycard_health.patients import (
    HealthReading,
    PatientPerson,
    find_patient,
    patient_of,
    person_of,
    readings_of,
    set_person,
)
from citycard_health.records import EntryKind, RecordEntry, entries_of, write_entries
from citycard_health.vaccines import DoseDue, certificate, due_doses, give_dose

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from citycard.city import City
    from citycard.web import Actor
    from citycard_health.settings import HealthSettings

__all__ = [
    "DoseGiven",
    "EntriesAdded",
    "EntriesToAdd",
    "EntryToAdd",
    "HealthRecord",
    "ReadingQuery",
    "ReadingsList",
]

_FHIR = "application/fhir+json"
_LONGEST = 200
_TRUE = {"1", "true", "yes"}


@attrs.frozen(kw_only=True)
class ReadingQuery:
    """Why somebody reads; ``break_glass`` is ``true`` where no appointment allows it, only an emergency."""

    reason: str = ""
    break_glass: str = ""


@attrs.frozen(kw_only=True)
class HealthRecord:
    """What is known of a patient, and which doses are due."""

    card: str
    person: PatientPerson
    entries: tuple[RecordEntry, ...]
    due: tuple[DoseDue, ...]


@attrs.frozen(kw_only=True)
class EntryToAdd:
    """One thing to add to a record: ``kind`` is allergy, condition or medication."""

    kind: str = attrs.field(validator=attrs.validators.in_(("allergy", "condition", "medication")))
    display: str = attrs.field(validator=[attrs.validators.min_len(1), attrs.validators.max_len(_LONGEST)])
    system: str = attrs.field(default="", validator=attrs.validators.max_len(_LONGEST))
    code: str = attrs.field(default="", validator=attrs.validators.max_len(_LONGEST))
    on: dt.date | None = None
    detail: str = attrs.field(default="", validator=attrs.validators.max_len(_LONGEST))


@attrs.frozen(kw_only=True)
class EntriesToAdd:
    """What a clinic adds; the same said again is not written twice."""

    entries: tuple[EntryToAdd, ...] = attrs.field(
        validator=[attrs.validators.min_len(1), attrs.validators.max_len(100)]
    )


@attrs.frozen(kw_only=True)
class EntriesAdded:
    """How many entries were new."""

    added: int


@attrs.frozen(kw_only=True)
class DoseGiven:
    """A dose of a vaccine of the city's schedule, given on a day."""

    vaccine: str
    on: dt.date
    lot: str = attrs.field(default="", validator=attrs.validators.max_len(60))


@attrs.frozen(kw_only=True)
class ReadingsList:
    """Who read a patient's data, newest first."""

    readings: tuple[HealthReading, ...]


def opened(request: Request, what: str) -> tuple[City, Actor, str]:
    """Record the reading that a request asks for, and give city, actor and card (``access.open_record``)."""
    from citycard.web import actor_of, city_of, read_query

    city, actor, card = city_of(request), actor_of(request), request.path_params["card"]
    query = read_query(request, ReadingQuery)
    access.open_record(
        city,
        actor,
        card,
        what=what,
        reason=query.reason,
        break_glass=query.break_glass.lower() in _TRUE,
    )
    return city, actor, card


def health_record(city: City, settings: HealthSettings, card: str) -> HealthRecord:
    """Open a patient's record; whoever calls this noted the reading before."""
    with reading(city.engine) as conn:
        owner = find_patient(conn, card)
        person = person_of(city, conn, owner.id)
        entries = entries_of(conn, city, owner.id)
    given = [one for one in entries if one.kind is EntryKind.IMMUNIZATION]
    due = due_doses(settings.vaccines, person.born, given) if person.born else []
    return HealthRecord(card=card, person=person, entries=tuple(entries), due=tuple(due))


# Plain functions below work in a thread each: they read the database.


def record(settings: HealthSettings, request: Request) -> Response:
    from citycard.web import json_answer

    city, _, card = opened(request, "health record")
    return json_answer(health_record(city, settings, card))


def summary(request: Request) -> Response:
    from starlette.responses import Response as Plain

    city, _, card = opened(request, "summary")
    return Plain(export_summary(city, card), media_type=_FHIR)


def certified(request: Request) -> Response:
    from citycard.web import json_answer

    city, _, card = opened(request, "vaccinations")
    return json_answer(certificate(city, card))


def readings(request: Request) -> Response:
    from citycard.web import json_answer

    city, _, card = opened(request, "readings")
    with reading(city.engine) as conn:
        found = readings_of(conn, find_patient(conn, card).id)
    return json_answer(ReadingsList(readings=tuple(found)))


async def person(request: Request) -> Response:
    from starlette.concurrency import run_in_threadpool

    from citycard.web import actor_of, city_of, json_answer, read_json

    body, city, card = (
        await read_json(request, PatientPerson),
        city_of(request),
        request.path_params["card"],
    )
    await run_in_threadpool(access.check_treats, city, actor_of(request), card)
    await run_in_threadpool(set_person, city, card, body)
    return json_answer(body)


async def entries(request: Request) -> Response:
    from starlette.concurrency import run_in_threadpool

    from citycard.web import actor_of, city_of, json_answer, read_json

    body, city, actor = await read_json(request, EntriesToAdd), city_of(request), actor_of(request)
    card = request.path_params["card"]
    return json_answer(await run_in_threadpool(_added, city, actor, card, body))


async def dose(settings: HealthSettings, request: Request) -> Response:
    from starlette.concurrency import run_in_threadpool

    from citycard.web import actor_of, city_of, json_answer, read_json

    body, city, actor = await read_json(request, DoseGiven), city_of(request), actor_of(request)
    card = request.path_params["card"]

    def work() -> RecordEntry:
        access.check_treats(city, actor, card)
        source = actor.subject or actor.role.value
        return give_dose(city, settings, card, body.vaccine, body.on, lot=body.lot, source=source)

    return json_answer(await run_in_threadpool(work))


async def take_in(request: Request) -> Response:
    from starlette.concurrency import run_in_threadpool

    from citycard.web import actor_of, city_of, json_answer
    from citycard.web.bodies import read_bytes

    data = await read_bytes(request, limit=MOST_BYTES)
    city, actor, card = city_of(request), actor_of(request), request.path_params["card"]

    def work() -> EntriesAdded:
        access.check_treats(city, actor, card)
        source = actor.subject or actor.role.value
        return EntriesAdded(added=import_summary(city, card, data, source=source))

    return json_answer(await run_in_threadpool(work))


def _added(city: City, actor: Actor, card: str, body: EntriesToAdd) -> EntriesAdded:
    access.check_treats(city, actor, card)
    made = [RecordEntry(**attrs.asdict(one)) for one in body.entries]
    with writing(city.engine) as conn:
        owner = patient_of(conn, card, city.clock.now())
        source = actor.subject or actor.role.value
        return EntriesAdded(added=write_entries(conn, city, owner.id, made, source=source))
