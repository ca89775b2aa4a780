"""Open what plugins need while a server runs, and close it once their last request was answered."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from threading import Lock
from typing import Any

import attrs

from citycard.kernel.guard import Failures, raised
from citycard.kernel.live import Running

__all__ = ["Lifespan", "Traffic"]

_DRAIN_S = 30.0
_POLL_S = 0.02


class Traffic:
    """Count the requests in flight to each plugin."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: Counter[str] = Counter()

    @contextmanager
    def busy(self, plugin: str) -> Iterator[None]:
        """Count one request from its start to its end."""
        with self._lock:
            self._counts[plugin] += 1
        try:
            yield
        finally:
            with self._lock:
                self._counts[plugin] -= 1
                if not self._counts[plugin]:
                    del self._counts[plugin]

    def count(self, plugin: str) -> int:
        """Return how many requests to a plugin are in flight."""
        return self._counts[plugin]

    async def drained(self, plugin: str) -> None:
        """Wait until the last request to a plugin was answered, at most half a minute."""
        waited_s = 0.0
        while self.count(plugin) and waited_s < _DRAIN_S:
            await asyncio.sleep(_POLL_S)
            waited_s += _POLL_S


@attrs.define(eq=False)
class Lifespan:
    """One plugin's lifespan, entered and left in one task of its own, as cancel scopes demand."""

    plugin: Running
    failures: Failures
    _closing: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)
    _task: asyncio.Task[None] | None = attrs.field(default=None, init=False)

    async def enter(self) -> None:
        """Enter; raise PluginFailed when the plugin raises."""
        opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._live(opened))
        await opened

    async def leave(self) -> None:
        """Leave; what the plugin raises is recorded only."""
        self._closing.set()
        if self._task is not None:
            await self._task

    async def _live(self, opened: asyncio.Future[None]) -> None:
        owner = self.plugin.owner
        try:
            async with self._context():
                opened.set_result(None)
                await self._closing.wait()
        except raised as error:
            failure = self.failures.note(owner, "citycard_lifespan", error)
            if not opened.done():
                opened.set_exception(failure)

    def _context(self) -> AbstractAsyncContextManager[Any]:
        implementation = self.plugin.hooks["citycard_lifespan"]
        available = {"context": self.plugin.context}
        context: AbstractAsyncContextManager[Any] = implementation.function(
            *(available[name] for name in implementation.argnames)
        )  # type: ignore[assignment]
        return context
