"""One door for every endpoint, the core's and the plugins': who asks, may they, was the form ours."""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable
from datetime import date
from http import HTTPStatus
from typing import Any

import attrs
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as Address

from citycard.errors import PluginFailed, QueryInvalid
from citycard.kernel.outside import PUBLIC, Route
from citycard.web.context import web_of
from citycard.web.forms import check_form, keep_form_cookie
from citycard.web.languages import COOKIE, LANGUAGES
from citycard.web.rendering import language_of, render, wants_page
from citycard.web.schemas import plain
from citycard.web.sessions import authenticate, require

__all__ = ["Answer", "Endpoint", "door", "endpoint", "json_answer", "read_query"]

_SAFE = {"GET", "HEAD"}
_YEAR_S = 365 * 24 * 3600
# Nothing has a higher number: no database could keep it.
_MOST = 2**63 - 1

Handler = Callable[[Request], Awaitable[Response]]


@attrs.frozen(kw_only=True)
class Endpoint:
    """A Route with what the core's own endpoints say beside it: the attrs class of its query, page or JSON.

    ``plugin`` names the plugin it belongs to; it is empty for the core's own. ``media`` is the type of a body
    that is no JSON. Another party's messages, ``signed`` by it, come from no form of ours, and their endpoint
    checks the signature itself.
    """

    route: Route
    query: type[Any] | None = None
    page: bool = False
    signed: bool = False
    plugin: str = ""
    media: str = ""

    @property
    def path(self) -> str:
        """Give the whole path, below the plugin's name when it is one's."""
        return (f"/{self.plugin}{self.route.path}".rstrip("/") if self.plugin else self.route.path) or "/"


def endpoint(
    path: str,
    handler: Handler,
    *,
    permission: str = PUBLIC,
    summary: str,
    methods: tuple[str, ...] = ("GET",),
    query: type[Any] | None = None,
    request: type[Any] | None = None,
    response: type[Any] | None = None,
    page: bool = False,
    media: str = "",
    signed: bool = False,
) -> Endpoint:
    """Declare one of the core's own endpoints.

    ``request`` is the class that it reads from a JSON body; ``media`` is the type of a body that it
    reads as it is.
    """
    route = Route(
        path=path,
        endpoint=handler,
        methods=methods,
        permission=permission,
        summary=summary,
        request=request,
        response=response,
    )
    return Endpoint(route=route, query=query, page=page, media=media, signed=signed)


def door(item: Endpoint) -> Address:
    """Put an endpoint behind the door and give its address for a router."""
    route = item.route

    async def enter(request: Request) -> Response:
        if any(isinstance(one, int) and one > _MOST for one in request.path_params.values()):
            raise HTTPException(HTTPStatus.NOT_FOUND)
        request.state.plugin = item.plugin
        actor = await run_in_threadpool(authenticate, web_of(request), request)
        given = web_of(request).switchboard.given(actor.role)
        request.state.actor = attrs.evolve(actor, given=given) if given else actor
        require(request.state.actor, route.permission)
        ours = request.method not in _SAFE and "authorization" not in request.headers
        if ours and not item.signed:
            await check_form(request)
        response = await _answered(item, request)
        if item.plugin and request.method == "GET" and wants_page(request):
            response = _readable(item, request, response)
        keep_form_cookie(request, response)
        _keep_language(request, response)
        return response

    word = getattr(route.endpoint, "__name__", "endpoint")
    name = f"{item.plugin}:{word}" if item.plugin else word
    return Address(item.path, enter, methods=list(route.methods), name=name)


async def _answered(item: Endpoint, request: Request) -> Response:
    """Ask the endpoint. What a plugin's raises was caught and counted by the kernel, and names the plugin."""
    handler: Callable[[Request], Any] = item.route.endpoint
    if inspect.iscoroutinefunction(handler):
        response = await handler(request)
    else:
        # A plain function would hold up everybody else's requests.
        response = await run_in_threadpool(handler, request)
    if not isinstance(response, Response):
        reason = f"it gave {type(response).__name__}, expected a Response"
        raise PluginFailed(plugin=item.plugin, distribution=item.plugin, where=item.path, reason=reason)
    return response


def _readable(item: Endpoint, request: Request, response: Response) -> Response:
    """Show a person what a plugin answers to programs, so that its author need not write a page for it."""
    if type(response) not in {JSONResponse, Answer}:
        return response
    data = response.content if isinstance(response, Answer) else json.loads(bytes(response.body))
    say = language_of(request)
    named = dict(web_of(request).switchboard.menu()).get(request.url.path)
    spoken = named.title_zh if named is not None and say.code == "zh" else ""
    heading = spoken or say(named.title if named is not None else item.route.summary).rstrip(".")
    page = render(request, "data.html", status=response.status_code, data=data, heading=heading)
    page.headers["vary"] = "Accept, Accept-Language, Cookie"
    return page


class Answer(JSONResponse):
    """JSON that keeps what it was made of: its phrases can still be said in the reader's language."""

    def __init__(self, content: Any, status_code: int = 200) -> None:
        super().__init__(content, status_code)
        self.content = content


def json_answer(content: object, *, status: int = 200) -> JSONResponse:
    """Answer with records as JSON: objects by field, moments in ISO 8601, amounts as integers of fen."""
    return Answer(plain(content), status)


def read_query(request: Request, kind: type[Any]) -> Any:
    """Read the query into an attrs class of str, int and date fields with defaults; raise QueryInvalid.

    Names the class does not have are ignored, so that ``?lang=`` works everywhere.
    """
    values = {}
    for field in attrs.fields(attrs.resolve_types(kind)):
        text = request.query_params.get(field.name)
        if text is not None:
            values[field.name] = _value(field, text)
    return kind(**values)


def _value(field: attrs.Attribute[Any], text: str) -> object:
    try:
        return _converted(field, text)
    except ValueError as wrong:
        expected = field.metadata.get("expected", "text")
        raise QueryInvalid(field=field.name, text=text[:40], expected=expected) from wrong


def _converted(field: attrs.Attribute[Any], text: str) -> object:
    low, high = field.metadata.get("range", (None, None))
    if "date" in str(field.type):
        return date.fromisoformat(text) if text else None
    value: int | str = int(text) if field.type is int else text
    size = value if isinstance(value, int) else len(value)
    if high is not None and not low <= size <= high:
        raise ValueError(text)
    return value


def _keep_language(request: Request, response: Response) -> None:
    wish = request.query_params.get("lang", "")
    if wish in LANGUAGES:
        response.set_cookie(
            COOKIE,
            wish,
            max_age=_YEAR_S,
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
