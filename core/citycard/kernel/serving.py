"""What a server needs: which endpoints are live, which still drain, and the plugins' lifespans."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from typing import TYPE_CHECKING

from citycard.errors import PluginFailed
from citycard.kernel.guard import Failures
from citycard.kernel.lifespans import Lifespan, Traffic
from citycard.kernel.live import Live, Running
from citycard.kernel.owned import Owned

if TYPE_CHECKING:
    from citycard.kernel.outside import Route
    from citycard.kernel.plugins import Changes

__all__ = ["Serving"]

Routes = Mapping[str, tuple[Owned["Route"], ...]]


class Serving:
    """The part of ``Plugins`` that a server uses.

    A plugin's routes are live from the moment its lifespan was entered. When it is switched off they go over
    to draining, until the last request in flight was answered and the lifespan was left.
    """

    _live: Live
    _failures: Failures
    _traffic: Traffic

    def __init__(self) -> None:
        self._serving = False
        self._lifespans: dict[str, Lifespan] = {}
        self._broken: dict[str, Running] = {}
        self._draining: list[Running] = []
        self._closing: dict[int, asyncio.Task[None]] = {}

    def refresh(self) -> Changes:
        """Reconcile when something was switched."""
        raise NotImplementedError

    def live_routes(self) -> Routes:
        """Return the endpoints that answer now, by plugin's name, as a new mapping each time."""
        running = self._live.running
        return {n: running[n].records["routes"] for n in sorted(running) if self._is_started(running[n])}

    def draining_routes(self) -> Routes:
        """Return the endpoints that take no new requests and still answer old ones, by plugin's name."""
        return {plugin.owner.plugin: plugin.records["routes"] for plugin in list(self._draining)}

    def starting(self) -> list[str]:
        """List the plugins that are on and not serving yet: a request to one should come again soon."""
        running = self._live.running
        return [name for name in sorted(running) if not self._is_started(running[name])]

    def busy(self, name: str) -> AbstractContextManager[None]:
        """Count a request to a plugin while it is in flight, so that the plugin is not closed under it."""
        return self._traffic.busy(name)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Enter the lifespan of every plugin that runs, and leave them all at the end."""
        self._serving = True
        try:
            await self._enter_missing()
            yield
        finally:
            self._serving = False
            await asyncio.gather(*self._closing.values())
            for name in sorted(self._lifespans, reverse=True):
                await self._lifespans.pop(name).leave()
            self._draining.clear()
            self._broken.clear()

    async def follow(self) -> Changes:
        """Act on what was switched since the last call; a server calls this every second or faster.

        Whatever was switched off is closed in the background, so that a slow request delays nobody else.
        """
        changes = await asyncio.to_thread(self.refresh)
        for plugin in list(self._draining):
            if id(plugin) not in self._closing:
                self._broken.pop(plugin.owner.plugin, None)
                lifespan = self._lifespans.pop(plugin.owner.plugin, None)
                self._closing[id(plugin)] = asyncio.create_task(self._close(plugin, lifespan))
        await self._enter_missing()
        return changes

    async def _close(self, plugin: Running, lifespan: Lifespan | None) -> None:
        await self._traffic.drained(plugin.owner.plugin)
        if lifespan is not None:
            await lifespan.leave()
        self._draining.remove(plugin)
        del self._closing[id(plugin)]

    def _drain(self, plugin: Running) -> None:
        if self._serving:
            self._draining.append(plugin)

    def _is_started(self, plugin: Running) -> bool:
        if not self._serving or "citycard_lifespan" not in plugin.hooks:
            return True
        lifespan = self._lifespans.get(plugin.owner.plugin)
        return lifespan is not None and lifespan.plugin is plugin

    async def _enter_missing(self) -> None:
        for name, plugin in sorted(self._live.running.items()):
            if self._is_started(plugin) or self._broken.get(name) is plugin:
                continue
            lifespan = Lifespan(plugin, self._failures)
            try:
                await lifespan.enter()
            except PluginFailed:
                # It has been counted and logged; its records stay, its endpoints do not open.
                self._broken[name] = plugin
            else:
                self._lifespans[name] = lifespan
