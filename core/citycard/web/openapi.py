"""OpenAPI 3.1 from the declared routes: the description cannot differ from what is served."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import attrs

from citycard.kernel.outside import PUBLIC
from citycard.web.endpoints import Endpoint
from citycard.web.problems import MEDIA_TYPE, Problem
from citycard.web.schemas import plain, schema_of

__all__ = ["describe"]

_WITHOUT_BODY = {"GET", "HEAD"}
_PARAMETER = re.compile(r"\{([a-z_]+)(?::([a-z]+))?\}")


def describe(
    endpoints: Iterable[tuple[str, Endpoint]],
    *,
    title: str,
    version: str,
    permissions: Iterable[tuple[str, str]],
) -> dict[str, Any]:
    """Describe endpoints, given as (tag, endpoint), as one OpenAPI document."""
    known: dict[str, Any] = {}
    problem = {"description": "A problem", "content": {MEDIA_TYPE: {"schema": schema_of(Problem, known)}}}
    paths: dict[str, Any] = {}
    for tag, item in endpoints:
        path = _PARAMETER.sub(r"{\1}", item.path)
        for method in item.route.methods:
            paths.setdefault(path, {})[method.lower()] = _operation(tag, path, method, item, known)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": version,
            "description": (
                "Amounts are integers of fen. Times are the city's own. Errors are problem documents."
            ),
        },
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": known,
            "responses": {"Problem": problem},
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "made with citycard access grant",
                },
                "session": {"type": "apiKey", "in": "cookie", "name": "citycard_session"},
            },
        },
        "x-permissions": dict(permissions),
    }


def _operation(tag: str, path: str, method: str, item: Endpoint, known: dict[str, Any]) -> dict[str, Any]:
    route = item.route
    asked, answered = route.bodies
    # A plugin names the class of its query as the request, where there is no body.
    query = item.query or (asked if method in _WITHOUT_BODY else None)
    operation: dict[str, Any] = {
        "operationId": f"{method.lower()}-{re.sub(r'[^a-z0-9]+', '-', path.lower()).strip('-') or 'day'}",
        "tags": [tag],
        "summary": route.summary,
        "x-permission": route.permission,
        "security": [{}] if route.permission == PUBLIC else [{"token": []}, {"session": []}],
        "parameters": [*_in_path(path), *_in_query(query, known)],
        "responses": {
            "200": _answered(item, answered, known),
            "default": {"$ref": "#/components/responses/Problem"},
        },
    }
    if asked is not None and method not in _WITHOUT_BODY:
        body = {"application/json": {"schema": schema_of(asked, known)}}
        operation["requestBody"] = {"required": True, "content": body}
    if item.media:
        operation["requestBody"] = {"required": True, "content": {item.media: {"schema": {"type": "string"}}}}
    return operation


def _answered(item: Endpoint, answered: type[Any] | None, known: dict[str, Any]) -> dict[str, Any]:
    if item.page:
        return {"description": "A page", "content": {"text/html": {"schema": {"type": "string"}}}}
    schema = schema_of(answered, known) if answered is not None else {}
    return {"description": "The answer", "content": {"application/json": {"schema": schema}}}


def _in_path(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name, _ in _PARAMETER.findall(path)
    ]


def _in_query(kind: type[Any] | None, known: dict[str, Any]) -> list[dict[str, Any]]:
    if kind is None:
        return []
    parameters = []
    for field in attrs.fields(attrs.resolve_types(kind)):
        schema = schema_of(field.type, known)
        if field.default is not attrs.NOTHING and field.default is not None:
            schema["default"] = plain(field.default)
        words = field.metadata.get("expected", "")
        parameters.append(
            {"name": field.name, "in": "query", "required": False, "schema": schema, "description": words}
        )
    return parameters
