"""Readers that come and go, and cards in them: a loop of our own that outlives the PC/SC service."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from typing import Self

import attrs

from citycard.errors import PcscServiceMissing, ReaderFailed
from citycard.pcsc.context import PcscContext, Seen

__all__ = ["ReaderEvent", "ReaderWatch"]


@attrs.frozen(kw_only=True)
class ReaderEvent:
    """Something that happened at the readers.

    ``kind`` is ``reader-added``, ``reader-removed``, ``card-inserted``, ``card-removed``, ``service-lost`` or
    ``service-back``.
    """

    kind: str
    reader: str = ""
    atr: bytes = b""


class ReaderWatch:
    """Look at all readers every ``interval`` seconds and put what has changed into a queue.

    Nobody's code is called from the loop: whoever waits for ``next`` talks to the card in their own thread.
    A call of the library that hangs is given up by its worker, and the loop goes on in a new context;
    ``last_look`` is when it last succeeded, by the monotonic clock.
    """

    def __init__(self, interval: float = 0.2) -> None:
        self._interval = interval
        self._events: queue.SimpleQueue[ReaderEvent] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._known: dict[str, Seen] = {}
        self._up = True
        self.last_look = 0.0
        self._thread = threading.Thread(target=self._run, name="readers", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def next(self, timeout: float | None = None) -> ReaderEvent | None:
        """Return the next event, or None when there is none within ``timeout`` seconds."""
        try:
            return self._events.get(timeout=timeout)
        except queue.Empty:
            return None

    def _run(self) -> None:
        context = PcscContext()
        try:
            while not self._stop.is_set():
                self._look(context)
                self._stop.wait(self._interval)
        finally:
            context.close()

    def _look(self, context: PcscContext) -> None:
        try:
            now = context.look(context.readers())
        except (PcscServiceMissing, ReaderFailed):
            now, up = {}, False
        else:
            up, self.last_look = True, time.monotonic()
        if up and not self._up:
            self._events.put(ReaderEvent(kind="service-back"))
        for event in _changes(self._known, now):
            self._events.put(event)
        if self._up and not up:
            self._events.put(ReaderEvent(kind="service-lost"))
        self._known, self._up = now, up


def _changes(before: dict[str, Seen], now: dict[str, Seen]) -> Iterator[ReaderEvent]:
    for name in before.keys() - now.keys():
        if before[name].present:
            yield ReaderEvent(kind="card-removed", reader=name)
        yield ReaderEvent(kind="reader-removed", reader=name)
    for name, seen in now.items():
        old = before.get(name)
        if old is None:
            yield ReaderEvent(kind="reader-added", reader=name)
        # The count tells of a card that left and came back between two looks.
        elif old.present and (not seen.present or seen.count != old.count):
            yield ReaderEvent(kind="card-removed", reader=name)
        if seen.present and (old is None or not old.present or seen.count != old.count):
            yield ReaderEvent(kind="card-inserted", reader=name, atr=seen.atr)
