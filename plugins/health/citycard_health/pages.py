"""Health for people: a citizen's own page, and the desk of clinics, insurers and the city."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from citycard.errors import Phrase
from citycard.ids import new_id
from citycard.store import reading
from citycard_health import access
from citycard_health.booking import (
    appointments_of_card,
    appointments_of_day,
    book,
    cancel,
    find_appointment,
    free_slots,
)
from citycard_health.errors import BookingRefused, NotFound
from citycard_health.patients import readings_of
from citycard_health.reports import report
from citycard_health.sports import allowance
from citycard_health.used import used_in
from citycard_health.visitlines import codes_of
from citycard_health.visits import ClinicVisit, visits_of

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response

    from citycard.city import City
    from citycard.web import Actor
    from citycard_health.settings import HealthSettings, Item

__all__ = ["desk", "drop", "make", "mine"]

_SEE_OTHER = 303
_SHOWN = 20


def mine(settings: HealthSettings, request: Request) -> Response:
    """Show a citizen the own health: appointments, visits, doses."""
    from citycard.web import actor_of, city_of, render

    city, actor = city_of(request), actor_of(request)
    card = actor.subject if access.is_citizen(actor) else request.query_params.get("card", "")
    values = _mine(city, settings, actor, card, request.query_params.get("reason", "")) if card else {}
    citizen = access.is_citizen(actor)
    return render(
        request, "health/mine.html", card=card, citizen=citizen, settings=settings, **_EMPTY | values
    )


async def make(settings: HealthSettings, request: Request) -> Response:
    """Book a slot on the own page."""
    from starlette.concurrency import run_in_threadpool

    from citycard.web import actor_of, city_of, read_form

    form, city, actor = await read_form(request), city_of(request), actor_of(request)
    access.require_own(actor, access.BOOK, card=actor.subject)
    slot, identity = _id(form.get("slot", "")), _id(form.get("id", ""))
    await run_in_threadpool(book, city, settings, identity, actor.subject, slot)
    return _back()


async def drop(settings: HealthSettings, request: Request) -> Response:
    """Cancel an appointment on the own page."""
    from starlette.concurrency import run_in_threadpool

    from citycard.web import actor_of, city_of, read_form

    form, city, actor = await read_form(request), city_of(request), actor_of(request)
    identity = _id(form.get("appointment", ""))

    def work() -> None:
        access.require_own(actor, access.BOOK, card=find_appointment(city, identity).asn)
        cancel(city, settings, identity)

    await run_in_threadpool(work)
    return _back()


def desk(settings: HealthSettings, request: Request) -> Response:
    """Show the day of clinics, and what insurers and venues owe and took."""
    from citycard.web import actor_of, city_of, render

    city, actor = city_of(request), actor_of(request)
    return render(request, "health/desk.html", settings=settings, **_desk(city, settings, actor))


_EMPTY: dict[str, Any] = {"known": False, "slots": [], "appointments": [], "new_id": new_id}


def _mine(city: City, settings: HealthSettings, actor: Actor, card: str, reason: str) -> dict[str, Any]:
    from citycard_health.recordweb import health_record

    now = city.now_local()
    with reading(city.engine) as conn:
        slots = free_slots(conn, now, limit=_SHOWN)
    try:
        owner = access.open_record(city, actor, card, what="own page", reason=reason)
    except NotFound:
        return {"slots": slots}
    with reading(city.engine) as conn:
        found = {
            "appointments": appointments_of_card(conn, owner.id, limit=_SHOWN),
            "visits": _visits(city, settings, conn, owner.id),
            "readings": readings_of(conn, owner.id, limit=_SHOWN),
            "used": used_in(conn, owner.id, now.year),
        }
    return found | {
        "known": True,
        "slots": slots,
        "plan": settings.plan(owner.plan_on(now.date())),
        "record": health_record(city, settings, card),
        "sports": allowance(city, settings, card),
        "today": now.date(),
    }


def _visits(
    city: City, settings: HealthSettings, conn: Connection, patient: UUID
) -> list[tuple[ClinicVisit, list[Item | str]]]:
    """Give each visit with its items, or their codes where the city's list has them no more."""
    return [
        (one, [settings.item(code) or code for code in codes_of(conn, city, one)])
        for one in visits_of(conn, patient=patient, limit=_SHOWN)
    ]


def _desk(city: City, settings: HealthSettings, actor: Actor) -> dict[str, Any]:
    """Give what belongs to whoever asks: a partner its own sums and day, the city's people all of them."""
    today = city.now_local().date()
    with reading(city.engine) as conn:
        found = report(conn, settings)
        clinics = [one for one in found.clinics if actor.may(access.READ_DESK, one.clinic)]
        days = [one for clinic in clinics for one in appointments_of_day(conn, clinic.clinic, today)]
        due = [
            one
            for clinic in clinics
            for one in visits_of(conn, clinic=clinic.clinic, state="due", limit=_SHOWN)
        ]
    return {
        "today": today,
        "clinics": clinics,
        "appointments": days,
        "due": due,
        "insurers": [one for one in found.insurers if actor.may(access.READ_CLAIMS, one.insurer)],
        "venues": [one for one in found.venues if actor.may(access.READ_DESK, one.venue)],
    }


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise BookingRefused(
            reason=Phrase("{text!r} is no id: load the page again", text=text[:40])
        ) from None


def _back() -> Response:
    from starlette.responses import RedirectResponse

    return RedirectResponse("/health/mine", status_code=_SEE_OTHER)
