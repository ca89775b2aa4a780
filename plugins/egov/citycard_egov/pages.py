"""Pages for people: public disclosure, a citizen's own file, and the service desk."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from citycard.store import reading
from citycard_egov import applications, consents, files, plans, register, windows
from citycard_egov.disclosure import disclose
from citycard_egov.errors import EgovInvalid
from citycard_egov.office import Office
from citycard_egov.rights import rights_of
from citycard_egov.routing import namers, office_of
from citycard_egov.settings import EgovSettings

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = ["act", "desk", "file", "mine", "public", "withdraw"]

_SEE_OTHER = 303
_READINGS = 50


def public(settings: EgovSettings, request: Request) -> Response:
    """Show what the city makes public."""
    from citycard.web import render

    found = disclose(office_of(request, settings))
    return render(request, "egov/public.html", disclosed=found, **namers(request, settings))


def mine(request: Request) -> Response:
    """Lead a citizen to the own file, and ask others whose."""
    from citycard.web import actor_of, render

    actor = actor_of(request)
    if actor.subject:
        return RedirectResponse(f"/egov/my/{actor.subject}", status_code=_SEE_OTHER)
    return render(request, "egov/whose.html", asn=request.query_params.get("asn", ""))


async def withdraw(settings: EgovSettings, request: Request) -> Response:
    """Withdraw a consent from the page."""
    from citycard.web import actor_of, read_form, require

    asn = request.path_params["asn"]
    require(actor_of(request), "egov.give-consents", asn)
    form = await read_form(request)
    await run_in_threadpool(_withdraw, office_of(request, settings), asn, form.get("consent", ""))
    return RedirectResponse(f"/egov/my/{asn}#consents", status_code=_SEE_OTHER)


def file(settings: EgovSettings, request: Request) -> Response:
    """Show a citizen's own file."""
    from citycard.web import actor_of, render, require

    asn, actor, office = request.path_params["asn"], actor_of(request), office_of(request, settings)
    require(actor, "egov.read-files", asn)
    own = bool(actor.subject) and actor.subject == asn
    why = request.query_params.get("why", "").strip() or ("the holder looks at the own file" if own else "")
    with reading(office.engine) as conn:
        who = register.find_by_card(conn, asn)
    reader = files.FileReader(name=actor.name, department="", why=why)
    found = files.read_file(office, who, reader)
    with reading(office.engine) as conn:
        filed = applications.applications_of(conn, who)
        rights = rights_of(conn, office, who, office.now().date())
    return render(
        request,
        "egov/my.html",
        asn=asn,
        file=found,
        applications=filed,
        rights=[(one, rights[one.name]) for one in settings.rights if one.name in rights],
        consents=consents.consents_of(office, who),
        readings=files.readings_of(office, who)[:_READINGS],
        service=settings.service,
        **namers(request, settings),
        today=office.now().date(),
    )


def desk(settings: EgovSettings, request: Request) -> Response:
    """Show the service desk."""
    from citycard.web import render

    office = office_of(request, settings)
    with reading(office.engine) as conn:
        conflicts = register.open_conflicts(conn, limit=100)
        queue = applications.queue(conn)
        found = plans.plans(conn, limit=20)
    return render(
        request,
        "egov/desk.html",
        conflicts=conflicts,
        queue=queue,
        plans=found,
        windows=[(one, windows.waiting(office, one.id)) for one in settings.windows],
        service=settings.service,
        field=settings.field,
        **namers(request, settings),
    )


async def act(settings: EgovSettings, request: Request) -> Response:
    """Do what the desk's forms send."""
    from citycard.web import actor_of, read_form, require

    form, actor, office = await read_form(request), actor_of(request), office_of(request, settings)
    what, name = form.get("act", ""), form.get("name", "")
    if what == "settle":
        require(actor, "egov.settle-conflicts")
    if what in {"approve", "refuse"}:
        require(actor, "egov.approve-plans")

    def work() -> None:
        by = actor.name
        if what == "settle":
            chosen, reason = form.get("chosen", ""), form.get("reason", "")
            register.settle(office, _uuid("name", name), chosen, reason=reason, actor=by)
        elif what == "approve":
            plans.approve(office, name, actor=by)
        elif what == "refuse":
            plans.refuse_plan(office, name)
        elif what == "next":
            windows.call_next(office, name, actor=by)
        elif what in {"served", "absent"}:
            windows.end(office, _uuid("name", name), served=what == "served")
        else:
            raise EgovInvalid(
                field="act", value=what[:20], expected="settle, approve, refuse, next, served, absent"
            )

    await run_in_threadpool(work)
    return RedirectResponse("/egov/desk", status_code=_SEE_OTHER)


def _withdraw(office: Office, asn: str, consent: str) -> None:
    with reading(office.engine) as conn:
        who = register.find_by_card(conn, asn)
    consents.withdraw(office, _uuid("consent", consent), who)


def _uuid(field: str, text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise EgovInvalid(field=field, value=text[:40], expected="a UUID") from None
