"""What a caller sent to a ledger's writer, and how it is woken when it is answered or its time is over."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from weakref import WeakKeyDictionary

import attrs

from citycard.ledger.records import AccountSpec, Outcome, Transfer

__all__ = ["Call", "Watch", "share", "wake", "watch_of"]


@attrs.define(kw_only=True, eq=False)
class Call:
    """What one caller sent, until it is answered: with outcomes, or with what went wrong.

    ``done`` is what the caller waits for: an event of threads, or a future of the event loop ``loop``.
    """

    transfers: Sequence[Transfer]
    accounts: Sequence[AccountSpec]
    wait_s: float
    done: threading.Event | asyncio.Future[None]
    loop: asyncio.AbstractEventLoop | None = None
    deadline: float = attrs.field(init=False)
    begun: bool = False
    outcomes: list[Outcome] | None = None
    error: Exception | None = None

    @deadline.default
    def _from_now(self) -> float:
        return time.monotonic() + self.wait_s

    @property
    def answered(self) -> bool:
        return self.outcomes is not None or self.error is not None

    def result(self) -> list[Outcome]:
        if self.error is not None:
            raise self.error
        assert self.outcomes is not None
        return self.outcomes


class Watch:
    """Wakes the calls of one event loop whose time is over, by one timer for all of them.

    A timer for each would cost as much as its posting.
    """

    def __init__(self) -> None:
        self._calls: set[Call] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0

    def add(self, call: Call) -> None:
        self._calls.add(call)
        if self._timer is None or call.deadline < self._due:
            self._set(call)

    def discard(self, call: Call) -> None:
        self._calls.discard(call)

    def _set(self, call: Call) -> None:
        """Look again when the time of a call is over, which comes before that of all others."""
        if self._timer is not None:
            self._timer.cancel()
        assert call.loop is not None
        self._due = call.deadline
        self._timer = call.loop.call_later(max(0.0, self._due - time.monotonic()), self._look)

    def _look(self) -> None:
        self._timer = None
        now = time.monotonic()
        _settle([one.done for one in self._calls if one.deadline <= now])
        waiting = [one for one in self._calls if one.deadline > now]
        if waiting:
            self._set(min(waiting, key=lambda one: one.deadline))


_WATCHES: WeakKeyDictionary[asyncio.AbstractEventLoop, Watch] = WeakKeyDictionary()


def watch_of(loop: asyncio.AbstractEventLoop) -> Watch:
    """Give the watch of the running loop."""
    watch = _WATCHES.get(loop)
    if watch is None:
        watch = _WATCHES[loop] = Watch()
    return watch


def share(calls: Sequence[Call], outcomes: Sequence[Outcome]) -> None:
    """Give every call its answers, which come in the order of all transfers, and wake the callers."""
    start = 0
    for call in calls:
        end = start + len(call.transfers)
        call.outcomes = list(outcomes[start:end])
        start = end
    wake(calls)


def wake(calls: Sequence[Call]) -> None:
    """Wake the callers; those of one event loop together, since each waking costs as much as many answers."""
    by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for call in calls:
        if isinstance(call.done, threading.Event):
            call.done.set()
        else:
            assert call.loop is not None
            by_loop.setdefault(call.loop, []).append(call.done)
    for loop, futures in by_loop.items():
        # A loop that was closed meanwhile has nobody left who waits.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_settle, futures)


def _settle(futures: Sequence[threading.Event | asyncio.Future[None]]) -> None:
    for future in futures:
        if isinstance(future, asyncio.Future) and not future.done():
            future.set_result(None)
