"""How city hall's endpoints are declared: what is posted and what is shown, each by one record.

Who may is asked twice: the permission at the door, and here whether the thing is the actor's own: a card
(``asn``) or an office (``department``), in the address or in the body.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

import attrs

from citycard.errors import PageNotFound
from citycard.kernel.outside import Route, imported
from citycard_egov.office import Office
from citycard_egov.settings import EgovSettings

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from citycard.web import Actor

__all__ = ["Asked", "Posted", "Shown", "namers", "office_of"]

_OWNED = ("asn", "department")


@attrs.frozen(kw_only=True)
class Asked:
    """A request: the office it is about, its body (None when it shows something), and who makes it."""

    office: Office
    body: Any
    who: Actor
    request: Request

    @property
    def actor(self) -> str:
        """Name who asks, as it is written down."""
        return self.who.name

    def word(self, name: str) -> str:
        """Give a word of the address."""
        found: str = self.request.path_params[name]
        return found

    def id(self, thing: str) -> UUID:
        """Give the id in the address; raise PageNotFound for what is none."""
        text = self.word("id")
        try:
            return UUID(text)
        except ValueError:
            raise PageNotFound(thing=thing, name=text[:40]) from None


@attrs.frozen(kw_only=True)
class Shown:
    """What a GET shows: ``work`` makes the ``response``; both are named, as ``module:attribute``."""

    path: str
    permission: str
    response: str
    summary: str
    work: str

    def route(self, settings: EgovSettings) -> Route:
        """Give the endpoint of a city with these settings; it runs in a thread, as it reads the database."""

        def endpoint(request: Request) -> Response:
            from citycard.web import json_answer

            return json_answer(imported(self.work)(_asked(request, settings, self.permission, None)))

        return Route(
            path=self.path,
            endpoint=endpoint,
            permission=self.permission,
            summary=self.summary,
            response=self.response,
        )


@attrs.frozen(kw_only=True)
class Posted(Shown):
    """What a POST does: ``body`` names the class of its JSON or is None, ``limit`` the most bytes of it."""

    body: str | None = None
    limit: int = 64 * 1024

    def route(self, settings: EgovSettings) -> Route:
        """Give the endpoint of a city with these settings."""

        async def endpoint(request: Request) -> Response:
            from starlette.concurrency import run_in_threadpool

            from citycard.web import json_answer, read_json

            kind = None if self.body is None else imported(self.body)
            body = None if kind is None else await read_json(request, kind, limit=self.limit)
            made = _asked(request, settings, self.permission, body)
            return json_answer(await run_in_threadpool(imported(self.work), made))

        return Route(
            path=self.path,
            endpoint=endpoint,
            permission=self.permission,
            methods=("POST",),
            summary=self.summary,
            request=self.body,
            response=self.response,
        )


def office_of(request: Request, settings: EgovSettings) -> Office:
    """Give the office that a request is about."""
    from citycard.web import city_of

    return Office(city_of(request), settings)


def _titled(request: Request) -> Callable[..., str]:
    from citycard.web import language_of

    chinese = language_of(request).code == "zh"
    return lambda one, name="title": (getattr(one, f"{name}_zh", "") if chinese else "") or getattr(one, name)


def namers(request: Request, settings: EgovSettings) -> dict[str, Any]:
    """Give a page what names things in the reader's language.

    ``titled`` names a thing by its ``title``, or another field with a ``_zh``; ``named`` a department or a
    node by its id; ``listed`` fields by their names. What is declared no more keeps its id.
    """
    from citycard.web import language_of

    say, spoken = _titled(request), language_of(request)

    def named(party: str) -> str:
        found = settings.party(party)
        return say(found) if found else party

    def listed(fields: Iterable[str]) -> str:
        found = ((name, settings.field(name)) for name in fields)
        return ", ".join(say(field) if field else spoken(name) for name, field in found)

    return {"titled": say, "named": named, "listed": listed}


def _asked(request: Request, settings: EgovSettings, permission: str, body: Any) -> Asked:
    from citycard.web import actor_of, require

    who = actor_of(request)
    for name in _OWNED:
        owner = request.path_params.get(name) or getattr(body, name, None)
        if owner is not None:
            require(who, permission, owner)
    return Asked(office=office_of(request, settings), body=body, who=who, request=request)
