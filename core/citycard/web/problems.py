"""Errors as answers: RFC 9457 problem documents for programs, friendly pages for people.

``type`` is ``/api#<name>`` for an error of the product, described on that page, and ``about:blank`` for what
HTTP itself says. ``title`` and ``detail`` are in the reader's language, as far as its catalogues know them.
An unexpected error says nothing of its cause: it carries an incident id, which the log has too.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import attrs
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from citycard.errors import CitycardError, Phrase, TooManyAttempts
from citycard.web.headers import SECURITY_HEADERS, masked
from citycard.web.languages import mark
from citycard.web.rendering import language_of, render, wants_page

__all__ = ["HANDLERS", "MEDIA_TYPE", "Problem", "answer", "incident", "kinds", "slug"]

MEDIA_TYPE = "application/problem+json"
_SERVER_ERROR = 500
_log = logging.getLogger("citycard.web")

# What a page says above the details, by status.
_TITLES: Mapping[int, str] = MappingProxyType(
    {
        400: mark("That did not work"),
        401: mark("Please sign in"),
        403: mark("This is not open to you"),
        404: mark("There is nothing here"),
        405: mark("This address does not do that"),
        409: mark("That is in the way of something else"),
        413: mark("That was too large"),
        415: mark("That was sent as another kind"),
        422: mark("Something that was sent cannot be read"),
        429: mark("Too many attempts"),
        500: mark("Something went wrong on our side"),
        503: mark("Just a moment"),
    }
)


@attrs.frozen(kw_only=True)
class Problem:
    """A problem document: RFC 9457's members, and the id of the incident when the server is at fault."""

    status: int
    detail: str
    type: str = "about:blank"
    title: str = attrs.field(default=attrs.Factory(lambda self: _title(self.status), takes_self=True))
    incident: str | None = None


def answer(request: Request, problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a problem: a page for a browser, a problem document for everybody else."""
    say = language_of(request)
    problem = attrs.evolve(problem, title=say(problem.title), detail=say.told(problem.detail))
    sent = {
        **SECURITY_HEADERS,
        "content-language": say.code,
        "vary": "Accept, Accept-Language, Cookie",
        **(headers or {}),
    }
    if wants_page(request):
        template = "signin.html" if problem.status == HTTPStatus.UNAUTHORIZED else "problem.html"
        page = render(request, template, status=problem.status, problem=problem)
        page.headers.update(sent)
        return page
    document = {name: value for name, value in attrs.asdict(problem).items() if value is not None}
    return JSONResponse(document, status_code=problem.status, headers=sent, media_type=MEDIA_TYPE)


def incident(request: Request, error: BaseException) -> Problem:
    """Log an unexpected error with its traceback under a new id; the problem tells only the id."""
    name = secrets.token_hex(6)
    # The query may hold a token and the path a card's number, so neither is logged as it is.
    _log.error("incident %s: %s %s", name, request.method, masked(request.url.path), exc_info=error)
    detail = Phrase("the server could not answer; tell the operator the incident {name}", name=name)
    return Problem(status=_SERVER_ERROR, detail=detail, incident=name)


def slug(error: type[CitycardError]) -> str:
    """Name an error as addresses do: ``CardUnknown`` is ``card-unknown``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", error.__name__).lower()


def kinds() -> list[tuple[str, int, str]]:
    """List every error the product can answer with: slug, status, its docstring's first line."""
    found: dict[str, tuple[str, int, str]] = {}
    waiting = CitycardError.__subclasses__()
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        words = (kind.__doc__ or "").partition("\n")[0]
        found[slug(kind)] = (slug(kind), kind.status, words)
    return sorted(found.values())


def _title(status: int) -> str:
    if status in _TITLES:
        return _TITLES[status]
    return _TITLES[_SERVER_ERROR if status > _SERVER_ERROR else HTTPStatus.BAD_REQUEST]


async def _on_city_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, CitycardError)
    if error.status == _SERVER_ERROR:
        return answer(request, incident(request, error))
    headers = {}
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["retry-after"] = "1"
    if isinstance(error, TooManyAttempts):
        headers["retry-after"] = str(error.data["wait_s"])
    problem = Problem(status=error.status, detail=error.phrase, type=f"/api#{slug(type(error))}")
    return answer(request, problem, headers)


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = error.detail
    if error.status_code == HTTPStatus.NOT_FOUND and detail == HTTPStatus.NOT_FOUND.phrase:
        detail = Phrase("there is no page at {path}", path=request.url.path)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = ", ".join(sorted((error.headers or {}).get("Allow", "other methods").split(", ")))
        detail = Phrase(
            "{method} is not understood at {path}: use {allowed}",
            method=request.method,
            path=request.url.path,
            allowed=allowed,
        )
    return answer(request, Problem(status=error.status_code, detail=detail), error.headers)


async def _on_crash(request: Request, error: Exception) -> Response:
    return answer(request, incident(request, error))


HANDLERS: Mapping[Any, Any] = MappingProxyType(
    {
        CitycardError: _on_city_error,
        HTTPException: _on_http_error,
        Exception: _on_crash,
    }
)
