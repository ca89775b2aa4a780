"""Pages for an office's people: what waits for them, one application with its fields, and their decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse

from citycard.errors import PageNotFound
from citycard.ids import derived_id
from citycard.store import reading
from citycard_egov import applications
from citycard_egov.errors import EgovInvalid
from citycard_egov.office import Office
from citycard_egov.routing import namers, office_of
from citycard_egov.settings import Department, EgovSettings

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = ["case", "decide", "mine", "queue"]

_SEE_OTHER = 303
_READ, _DO = "egov.read-applications", "egov.decide-applications"


def mine(settings: EgovSettings, request: Request) -> Response:
    """Lead an office's people to what waits for them, and let others choose one."""
    from citycard.web import actor_of, render

    subject = actor_of(request).subject
    if settings.department(subject) is not None:
        return RedirectResponse(f"/egov/office/{subject}", status_code=_SEE_OTHER)
    return render(request, "egov/offices.html", offices=settings.departments, **namers(request, settings))


def queue(settings: EgovSettings, request: Request) -> Response:
    """Show what waits for an office."""
    from citycard.web import render

    office, department = _own(request, settings, _READ)
    with reading(office.engine) as conn:
        found = applications.queue(conn, department.id)
    return render(
        request,
        "egov/office.html",
        office=department,
        queue=found,
        service=settings.service,
        **namers(request, settings),
    )


def case(settings: EgovSettings, request: Request) -> Response:
    """Show an application."""
    from citycard.web import actor_of, render

    office, department = _own(request, settings, _DO)
    actor = actor_of(request).name
    seen = applications.look(office, _id(request), department.id, actor=actor)
    service = applications.service_of(office, seen.application.service)
    values: dict[str, Any] = {
        "seen": seen,
        "service": service,
        "department": department.id,
        **namers(request, settings),
    }
    return render(request, "egov/case.html", **values)


async def decide(settings: EgovSettings, request: Request) -> Response:
    """Decide it from the page."""
    from citycard.web import actor_of, read_form

    office, department = _own(request, settings, _DO)
    form, identity = await read_form(request), _id(request)
    decision = form.get("decision", "")
    if decision not in {"approve", "refuse"}:
        raise EgovInvalid(field="decision", value=decision[:20], expected="approve or refuse")

    def work() -> None:
        applications.decide(
            office,
            # The page's own id: the button pressed twice decides once.
            derived_id("egov page", identity, form.get("step", ""), department.id, decision),
            identity,
            department.id,
            approve=decision == "approve",
            words=form.get("words", ""),
            actor=actor_of(request).name,
        )

    await run_in_threadpool(work)
    return RedirectResponse(f"/egov/office/{department.id}", status_code=_SEE_OTHER)


def _own(request: Request, settings: EgovSettings, permission: str) -> tuple[Office, Department]:
    from citycard.web import actor_of, require

    name: str = request.path_params["department"]
    require(actor_of(request), permission, name)
    department = settings.department(name)
    if department is None:
        raise PageNotFound(thing="department", name=name[:40])
    return office_of(request, settings), department


def _id(request: Request) -> UUID:
    text: str = request.path_params["id"]
    try:
        return UUID(text)
    except ValueError:
        raise PageNotFound(thing="application", name=text[:40]) from None
