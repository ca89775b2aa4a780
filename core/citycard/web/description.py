"""The description of every endpoint: for programs as OpenAPI, for people as a page."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from citycard.web.context import Web, web_of
from citycard.web.endpoints import Endpoint, endpoint, json_answer
from citycard.web.openapi import describe
from citycard.web.permissions import PERMISSIONS
from citycard.web.problems import kinds
from citycard.web.rendering import language_of, render

__all__ = ["DESCRIPTION"]


async def openapi(request: Request) -> Response:
    web = web_of(request)
    permissions = [*PERMISSIONS.items(), *web.switchboard.permissions()]
    document = describe(
        _all(web),
        title=f"{web.city.config.city.name} city card",
        version=_version(),
        permissions=permissions,
    )
    return json_answer(document)


async def page(request: Request) -> Response:
    web, say = web_of(request), language_of(request)
    groups: dict[str, dict[str, Any]] = {}
    titles = {"pages": say("Pages"), "api": say("For programs")}
    for report in web.city.plugins.reports():
        titles[report.name] = report.title_zh if say.code == "zh" and report.title_zh else say(report.title)
    for tag, item in sorted(_all(web), key=lambda entry: entry[0] != "api"):
        group = groups.setdefault(tag, {"name": tag, "title": titles.get(tag, tag), "endpoints": []})
        path = item.path
        group["endpoints"] += [
            {
                "method": method,
                "path": path,
                "link": method == "GET" and "{" not in path,
                "summary": say(item.route.summary),
                "permission": item.route.permission,
            }
            for method in item.route.methods
        ]
    base = str(request.base_url).rstrip("/")
    return render(request, "api.html", groups=list(groups.values()), kinds=kinds(), base=base)


def _all(web: Web) -> Iterator[tuple[str, Endpoint]]:
    from citycard.web.application import CORE_ENDPOINTS

    for item in CORE_ENDPOINTS:
        yield ("pages" if item.page else "api"), item
    yield from web.switchboard.endpoints()


def _version() -> str:
    try:
        return version("citycard")
    except PackageNotFoundError:
        return "0"


DESCRIPTION: tuple[Endpoint, ...] = (
    endpoint("/api", page, page=True, summary="The endpoints, described."),
    endpoint("/openapi.json", openapi, summary="The endpoints, described as OpenAPI 3.1."),
)
