"""Files that came too late: a page and endpoints that list what waits, and let one through."""

from __future__ import annotations

from http import HTTPStatus

import attrs
from attrs.validators import max_len, min_len
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from citycard.clearing.late import LateFile, late_files, release
from citycard.errors import LateFileRefused, QueryInvalid
from citycard.web.bankapi import actor_name
from citycard.web.bodies import read_json
from citycard.web.context import actor_of, city_of
from citycard.web.endpoints import Endpoint, endpoint, json_answer
from citycard.web.forms import read_form
from citycard.web.rendering import render
from citycard.web.sessions import require

__all__ = ["ENDPOINTS"]

_READ, _DECIDE = "city.read-late-files", "city.decide-exceptions"
_LONGEST = 400


@attrs.frozen(kw_only=True)
class LateFileList:
    """Files that came too late and wait for a release, by terminal and number."""

    files: tuple[LateFile, ...]


@attrs.frozen(kw_only=True)
class ReleaseBody:
    """Why a late file may still be cleared."""

    reason: str = attrs.field(validator=[min_len(1), max_len(_LONGEST)])


async def page(request: Request) -> Response:
    found = await _waiting(request)
    return render(request, "latefiles.html", files=found.files, longest=_LONGEST)


async def listed(request: Request) -> Response:
    return json_answer(await _waiting(request))


async def let_through(request: Request) -> Response:
    """Let a file through from the page, and show what waits then."""
    reason = (await read_form(request)).get("reason", "").strip()
    if not 0 < len(reason) <= _LONGEST:
        raise QueryInvalid(field="reason", text=reason[:40], expected=f"words, {_LONGEST} letters at most")
    await _release(request, reason)
    return RedirectResponse("/late-files", HTTPStatus.SEE_OTHER)


async def released(request: Request) -> Response:
    await _release(request, (await read_json(request, ReleaseBody)).reason)
    return json_answer(await _waiting(request))


async def _waiting(request: Request) -> LateFileList:
    # A file has records of anybody's.
    require(actor_of(request), _READ, "")
    return LateFileList(files=tuple(await run_in_threadpool(late_files, city_of(request))))


async def _release(request: Request, reason: str) -> None:
    """Let a file through; raise FileNotHeld, or LateFileRefused when it is quarantined all the same."""
    digest, actor = request.path_params["digest"], actor_name(request)

    def work() -> None:
        report = release(city_of(request), digest, actor=actor, reason=reason)
        for one in report.files:
            if one.state == "quarantined":
                raise LateFileRefused(name=one.name, code=one.code, reason=one.reason)

    await run_in_threadpool(work)


ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint(
        "/late-files",
        page,
        permission=_READ,
        page=True,
        summary="Files that came too late and wait for a release.",
    ),
    endpoint(
        "/late-files/{digest}/release",
        let_through,
        permission=_DECIDE,
        methods=("POST",),
        page=True,
        summary="Let a late file through from the page.",
    ),
    endpoint(
        "/api/late-files",
        listed,
        permission=_READ,
        response=LateFileList,
        summary="Files that came too late and wait for a release.",
    ),
    endpoint(
        "/api/late-files/{digest}/release",
        released,
        permission=_DECIDE,
        methods=("POST",),
        request=ReleaseBody,
        response=LateFileList,
        summary="Let a late file through: it goes to the next run.",
    ),
)
