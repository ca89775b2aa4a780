"""What plugins show to the outside: endpoints, permissions, menu, jobs, commands, terminal configuration."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import attrs

from citycard.kernel.check import called, each, matching, one_of_pattern, strings, words
from citycard.kernel.identity import PluginContext

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    Handler = Callable[[Request], Response | Awaitable[Response]]

__all__ = [
    "PUBLIC",
    "Command",
    "Job",
    "MenuItem",
    "Permission",
    "Route",
    "TerminalConfig",
    "entering",
    "imported",
    "name_of",
]

#: The permission of an endpoint that anybody may use, signed in or not.
PUBLIC = "public"

_ROLES = {"citizen", "clerk", "partner"}
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}
_PERMISSION = re.compile(r"[a-z][a-z0-9]*\.[a-z]+-[a-z0-9-]+")
_PERMISSION_WORDS = "<plugin>.<verb>-<noun>, such as zoo.read-visits"
_TARGET = re.compile(r"[a-zA-Z_][\w.]*:[a-zA-Z_]\w*")
_WORD = re.compile(r"[a-z][a-z0-9-]*")

_path = one_of_pattern(
    re.compile(r"(/((?!\.\.?(/|$))[\w.~-]+|\{[a-z_]+(:[a-z]+)?\}))*/?"),
    "a path below your own, such as /visits",
)
_permission = matching(
    lambda value: isinstance(value, str) and (value == PUBLIC or bool(_PERMISSION.fullmatch(value))),
    f"'public' or {_PERMISSION_WORDS}",
)


def imported(target: str) -> Any:
    """Import what a record names as ``module:attribute``."""
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)


def entering(target: str, *bound: Any) -> Handler:
    """Make an endpoint of the name of a function, whose module is imported with the first request.

    ``bound`` are values, such as your settings, that the function takes before the request.
    """
    endpoint = partial(_enter, target, bound)
    endpoint.__name__ = target.partition(":")[2]  # type: ignore[attr-defined] # what ``url_for`` finds
    return endpoint


async def _enter(target: str, bound: tuple[Any, ...], request: Request) -> Response:
    found = imported(target)
    if inspect.iscoroutinefunction(found):
        answer: Response = await found(*bound, request)
        return answer
    from starlette.concurrency import run_in_threadpool

    return await run_in_threadpool(partial(found, *bound), request)


def _endpoint(given: Handler | str) -> Handler:
    named = isinstance(given, str) and _TARGET.fullmatch(given)
    return entering(given) if named else given  # type: ignore[arg-type, return-value] # for the validator


def name_of(endpoint: Callable[..., Any]) -> str:
    """Give the ``module:function`` that an endpoint was named by; empty for one that was given itself."""
    bare = inspect.unwrap(endpoint)
    return str(bare.args[0]) if isinstance(bare, partial) and bare.func is _enter else ""


_body = matching(
    lambda value: not isinstance(value, str) or bool(_TARGET.fullmatch(value)),
    "an attrs class, or its name as module:attribute",
)


def _is_words(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_json(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return isinstance(value, Mapping)


@attrs.frozen(kw_only=True)
class Route:
    """Declare an endpoint below ``/<your name>``: ``endpoint(request)`` gives a Starlette Response.

    A plain function works in a thread, so that it may read the database; an async one must not block.
    ``permission`` names the permission it needs; ``"public"`` needs none. ``request`` and ``response`` are
    the attrs classes of the bodies, for the description of the endpoints.

    Endpoint and bodies may be named as ``module:attribute``: their module is then imported with the first
    request, or for the description, and not by every command of a city that has the plugin. ``entering``
    names an endpoint that takes your settings.
    """

    path: str = attrs.field(validator=_path)
    endpoint: Handler = attrs.field(converter=_endpoint, validator=called)
    permission: str = attrs.field(validator=_permission)
    summary: str = attrs.field(validator=words)
    methods: tuple[str, ...] = attrs.field(
        default=("GET",),
        converter=strings,
        validator=each(_METHODS.__contains__, f"some of {sorted(_METHODS)}"),
    )
    request: type[Any] | str | None = attrs.field(default=None, validator=_body)
    response: type[Any] | str | None = attrs.field(default=None, validator=_body)

    @property
    def bodies(self) -> tuple[type[Any] | None, type[Any] | None]:
        """Give the classes of request and response; those that are named are imported for it."""
        request, response = (
            imported(body) if isinstance(body, str) else body for body in (self.request, self.response)
        )
        return request, response


@attrs.frozen(kw_only=True)
class Permission:
    """Declare a permission you introduce, as ``<your name>.<verb>-<noun>``, with one sentence.

    Operators have it, and auditors when its verb reads. ``roles`` names who else has it: ``citizen`` and
    ``partner`` for what is their own (a card's number, a partner's id), ``clerk`` for everything.
    """

    name: str = attrs.field(validator=one_of_pattern(_PERMISSION, _PERMISSION_WORDS))
    title: str = attrs.field(validator=words)
    roles: tuple[str, ...] = attrs.field(
        default=(),
        converter=strings,
        validator=each(_ROLES.__contains__, f"some of {sorted(_ROLES)}"),
    )


@attrs.frozen(kw_only=True)
class MenuItem:
    """Declare an entry of the menu: one of your routes, seen by who has ``permission``.

    With ``own`` the page is about the reader's own things, and only who has some sees the entry: citizens
    and partners. ``partners`` are the ids of the partners whom it concerns, as the settings name them: others
    do not see it, whatever they may do; left out, every partner with the permission does.
    """

    path: str = attrs.field(validator=_path)
    title: str = attrs.field(validator=words)
    permission: str = attrs.field(validator=_permission)
    title_zh: str = ""
    own: bool = False
    partners: tuple[str, ...] | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(strings),
        validator=attrs.validators.optional(each(_is_words, "ids of partners")),
    )


@attrs.frozen(kw_only=True)
class Job:
    """Declare work on a schedule. It may run twice for one turn; ``run`` has to make that harmless."""

    name: str = attrs.field(validator=one_of_pattern(_WORD, "a word such as count-visits"))
    title: str = attrs.field(validator=words)
    every: timedelta = attrs.field(
        validator=matching(
            lambda value: isinstance(value, timedelta) and value > timedelta(), "a positive timedelta"
        )
    )
    run: Callable[[PluginContext], None] = attrs.field(validator=called)


@attrs.frozen(kw_only=True)
class Command:
    """Declare a subcommand: ``path`` starts with your name, or with a group of the core open to plugins.

    ``target`` is the click command as ``module:attribute``; its module is imported only when it is called.
    """

    path: tuple[str, ...] = attrs.field(
        converter=strings,
        validator=matching(
            lambda value: len(value) > 1 and all(isinstance(w, str) and _WORD.fullmatch(w) for w in value),
            "two words or more, such as ('zoo', 'visits')",
        ),
    )
    target: str = attrs.field(validator=one_of_pattern(_TARGET, "module:attribute"))
    summary: str = attrs.field(validator=words)


@attrs.frozen(kw_only=True)
class TerminalConfig:
    """Declare what terminals must know to work offline: one named section of plain JSON values.

    ``current(context)`` gives further values, read whenever a configuration is made: what changes while the
    city runs, such as a list of what was revoked. What it raises keeps the configuration from being made.
    """

    name: str = attrs.field(validator=one_of_pattern(_WORD, "a word such as fares"))
    values: Mapping[str, Any] = attrs.field(
        factory=dict, validator=matching(_is_json, "a mapping of plain JSON values")
    )
    current: Callable[[PluginContext], Mapping[str, Any]] | None = attrs.field(
        default=None, validator=attrs.validators.optional(called)
    )
