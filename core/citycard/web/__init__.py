"""The city's face: pages for people, endpoints for programs, and the doors plugins' endpoints stand behind.

For whoever runs a city:

- ``application``: ``create_app(city)``, the Starlette application
- ``permissions``, ``tokens``, ``readings``: who may do what, who has access, who looked at which card

For plugins' endpoints (also from ``citycard.web``):

- ``context``: ``city_of(request)`` and ``actor_of(request)``
- ``sessions``: ``require(actor, permission, owner)``
- ``endpoints``: ``json_answer`` turns records into JSON, ``read_query`` reads a query into an attrs class
- ``bodies``: ``read_json`` reads a JSON body into an attrs class
- ``rendering``: ``render`` shows a template, ``language_of(request)``
- ``forms``: ``read_form`` reads what a page's form sends, ``whole_in`` a whole number in it

Inside:

- ``endpoints``, ``sessions``, ``forms``, ``signin``, ``limits``, ``headers``: the door every request passes
- ``switchboard``: plugins' addresses, replaced whole while the server runs
- ``problems``: every error as a problem document or a friendly page
- ``openapi``, ``schemas``, ``description``: what is served, described from the same records
- ``views``, ``sources``: what is shown, and where it is read
- ``pages``, ``api``, ``charts``, ``svg``, ``words``, ``languages``, ``rendering``: how it is shown
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from citycard.web.application import create_app
    from citycard.web.bodies import read_json
    from citycard.web.context import actor_of, city_of
    from citycard.web.endpoints import json_answer, read_query
    from citycard.web.forms import read_form, whole_in
    from citycard.web.permissions import Actor, Role
    from citycard.web.rendering import language_of, render
    from citycard.web.sessions import require

__all__ = [
    "Actor",
    "Role",
    "actor_of",
    "city_of",
    "create_app",
    "json_answer",
    "language_of",
    "read_form",
    "read_json",
    "read_query",
    "render",
    "require",
    "whole_in",
]

_HOME = {
    "Actor": "permissions",
    "Role": "permissions",
    "actor_of": "context",
    "city_of": "context",
    "create_app": "application",
    "json_answer": "endpoints",
    "language_of": "rendering",
    "read_form": "forms",
    "read_json": "bodies",
    "read_query": "endpoints",
    "render": "rendering",
    "require": "sessions",
    "whole_in": "forms",
}


def __getattr__(name: str) -> Any:
    # The command line reads the roles without importing a web framework.
    if name not in _HOME:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
