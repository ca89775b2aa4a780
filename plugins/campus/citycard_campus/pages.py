"""Campus for people: a guardian's children, and the schools for the city's office."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from citycard_campus.campus import Campus
from citycard_campus.errors import PupilRefused
from citycard_campus.guardians import children, limit_day
from citycard_campus.permissions import DECIDE_POTS, LIMIT_CHILDREN, READ_CHILDREN, READ_POTS, READ_SCHOOLS
from citycard_campus.settling import decide, waiting
from citycard_campus.statements import school_statement

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = ["decision", "limit", "mine", "overview"]

_SEE_OTHER = 303


def mine(request: Request) -> Response:
    """Show a guardian's children at school."""
    from citycard.web import actor_of, city_of, render, require

    actor = actor_of(request)
    guardian = actor.subject or request.query_params.get("card", "")
    require(actor, READ_CHILDREN, guardian)
    found = children(Campus.of(city_of(request)), guardian) if guardian else []
    return render(request, "campus/mine.html", children=found, guardian=guardian)


async def limit(request: Request) -> Response:
    """Set a child's limit of the day."""
    from citycard.errors import AmountInvalid
    from citycard.money import parse_yuan
    from citycard.web import actor_of, city_of, read_form, require

    form, actor = await read_form(request), actor_of(request)
    guardian = actor.subject or form.get("guardian", "")
    require(actor, LIMIT_CHILDREN, guardian)
    wanted = form.get("limit", "").strip()
    try:
        limit_fen = parse_yuan(wanted) if wanted else None
    except AmountInvalid:
        raise PupilRefused(field="limit", value=wanted[:20], expected="yuan such as 20 or 12.50") from None
    campus, number = Campus.of(city_of(request)), request.path_params["number"]
    await run_in_threadpool(limit_day, campus, guardian, number, limit_fen)
    back = "/campus/mine" if actor.subject else f"/campus/mine?card={guardian}"
    return RedirectResponse(back, status_code=_SEE_OTHER)


def overview(request: Request) -> Response:
    """Show the schools, their meal pots, and meals to decide."""
    from citycard.store import reading
    from citycard.web import actor_of, city_of, render

    campus, actor = Campus.of(city_of(request)), actor_of(request)
    today = campus.now().date()
    statements = [
        school_statement(campus, school.id, today.replace(day=1), today)
        for school in campus.settings.schools
        if actor.may(READ_SCHOOLS, school.id)
    ]
    uses = []
    if actor.may(READ_POTS):
        with reading(campus.engine) as conn:
            uses = waiting(conn, limit=100)
    deciding = actor.may(DECIDE_POTS)
    return render(request, "campus/overview.html", statements=statements, uses=uses, deciding=deciding)


async def decision(request: Request) -> Response:
    """Decide a meal that its pot did not pay."""
    from citycard.web import actor_of, city_of, read_form

    form = await read_form(request)
    campus, record = Campus.of(city_of(request)), request.path_params["record"]
    pay, actor = form.get("how") == "pay", str(actor_of(request).role)
    await run_in_threadpool(decide, campus, record, pay=pay, actor=actor)
    return RedirectResponse("/campus/overview", status_code=_SEE_OTHER)
