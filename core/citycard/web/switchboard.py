"""The plugins' addresses: a map from name to router that is replaced whole whenever a plugin comes or goes.

A request looks the map up once and keeps what it found, so that it ends on the plugin it began with; the
kernel closes a plugin only when its last request was answered. No restart is needed, and every worker follows
by itself.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match, Mount, Router
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketClose

from citycard.errors import CitycardError, PluginNotServing, PluginStarting
from citycard.web.endpoints import Endpoint, door
from citycard.web.folders import plugin_folders

if TYPE_CHECKING:
    from citycard.city import City
    from citycard.kernel.outside import MenuItem, Route
    from citycard.kernel.owned import Owned

__all__ = ["Names", "Panel", "Switchboard"]

_FOLLOW_S = 1.0
_log = logging.getLogger("citycard.web")


@attrs.frozen(kw_only=True)
class Panel:
    """One plugin's addresses: its endpoints, and the router that has them under the plugin's name."""

    name: str
    owned: tuple[Owned[Route], ...]
    endpoints: tuple[Endpoint, ...]
    router: Router


@attrs.frozen(kw_only=True)
class _Map:
    """Everything about the plugins that requests need, as one value."""

    live: Mapping[str, Panel] = attrs.field(factory=dict)
    draining: tuple[BaseRoute, ...] = ()
    locales: Mapping[str, Path] = attrs.field(factory=dict)


class Names(Mount):
    """Let ``url_for`` find the plugins' addresses. Requests reach them when no address of the core fits."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Fit nothing, so that the core's answer to a wrong method is not taken from it."""
        return Match.NONE, {}


class Switchboard:
    """Send a request to the plugin whose name its path begins with."""

    def __init__(self, city: City) -> None:
        self._plugins = city.plugins
        self._map = _Map()
        self._followed = 0.0
        self._following = False
        self._replace()

    @property
    def routes(self) -> list[BaseRoute]:
        """List what ``url_for`` can find; a request in flight may still ask for a plugin that drains."""
        now = self._map
        return [route for panel in now.live.values() for route in panel.router.routes] + list(now.draining)

    def endpoints(self) -> Iterator[tuple[str, Endpoint]]:
        """List the plugins' endpoints with the plugin's name."""
        for name, panel in self._map.live.items():
            for item in panel.endpoints:
                yield name, item

    def menu(self) -> list[tuple[str, MenuItem]]:
        """List the plugins' menu entries with their whole path."""
        return [
            (f"/{owned.owner.plugin}{owned.record.path}".rstrip("/"), owned.record)
            for owned in self._plugins.menu()
        ]

    def permissions(self) -> list[tuple[str, str]]:
        """List the plugins' permissions with their sentences."""
        return [(owned.record.name, owned.record.title) for owned in self._plugins.permissions()]

    def given(self, role: str) -> frozenset[str]:
        """List the plugins' permissions that a role has because a plugin gives it."""
        return frozenset(
            owned.record.name for owned in self._plugins.permissions() if role in owned.record.roles
        )

    def locales(self) -> Mapping[str, Path]:
        """Give the locale folders of the plugins that run, by the plugins' names."""
        return self._map.locales

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from the plugin; a name nobody serves is told apart: unknown, off, or being started."""
        if scope["type"] != "http":
            await WebSocketClose()(scope, receive, send)
            return
        await self.follow()
        name = scope["path"].removeprefix(scope.get("root_path", "")).lstrip("/").partition("/")[0]
        panel = self._map.live.get(name)
        if panel is None:
            raise self._refusal(name)
        with self._plugins.busy(name):
            await panel.router(scope, receive, send)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the plugins' lifespans open, and follow what is switched, as long as the server runs."""
        async with self._plugins.serving():
            self._replace()
            watch = asyncio.create_task(self._watch())
            try:
                yield
            finally:
                watch.cancel()
                with suppress(asyncio.CancelledError):
                    await watch

    async def follow(self) -> None:
        """Act on what was switched, when the last look is a second ago; others are served meanwhile."""
        if self._following or time.monotonic() - self._followed < _FOLLOW_S:
            return
        self._following = True
        try:
            await self._plugins.follow()
            self._replace()
            self._followed = time.monotonic()
        finally:
            self._following = False

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_FOLLOW_S)
            try:
                await self.follow()
            except (CitycardError, SQLAlchemyError):
                # The store may be away for a while; what runs goes on running, and the next look comes.
                _log.exception("the plugins' states could not be read")

    def _replace(self) -> None:
        live, draining = self._plugins.live_routes(), self._plugins.draining_routes()
        before = self._map
        panels = {
            name: before.live[name]
            if name in before.live and before.live[name].owned == routes
            else self._panel(name, routes)
            for name, routes in live.items()
        }
        leaving = [self._panel(name, routes) for name, routes in draining.items() if name not in live]
        if panels == before.live and not leaving and not before.draining:
            return
        self._map = _Map(
            live=panels,
            draining=tuple(route for panel in leaving for route in panel.router.routes),
            locales=plugin_folders(panels, "locale"),
        )

    def _panel(self, name: str, routes: tuple[Owned[Route], ...]) -> Panel:
        endpoints = tuple(Endpoint(route=owned.record, plugin=name) for owned in routes)
        addresses: list[BaseRoute] = [door(item) for item in endpoints]
        addresses += [
            Mount(f"/{name}/static", StaticFiles(directory=folder), name=f"{name}:static")
            for folder in plugin_folders([name], "static").values()
        ]
        return Panel(name=name, owned=routes, endpoints=endpoints, router=Router(addresses))

    def _refusal(self, name: str) -> Exception:
        if name in self._plugins.starting():
            return PluginStarting(plugin=name)
        for report in self._plugins.reports():
            if report.name == name:
                return PluginNotServing(plugin=name, state=report.state.value)
        return HTTPException(404)
