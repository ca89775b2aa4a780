"""Calls that may block for ever, made in a thread of their own, and waited for only so long."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["Worker"]

Answer = TypeVar("Answer")
_Job = tuple[Callable[..., Any], tuple[Any, ...], "queue.SimpleQueue[Any]"]
_RAISED = object()


class Worker:
    """Make one call after another in one thread.

    A call that does not come back in time is given up, and the thread with it: nothing can wake it. The
    next call gets a new thread, so that the caller goes on. ``lost`` counts such threads.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: queue.SimpleQueue[_Job | None] | None = None
        self.lost = 0

    def call(
        self,
        function: Callable[..., Answer],
        *arguments: Any,
        timeout: float,
        late: Callable[[], Any] | None = None,
    ) -> Answer:
        """Return what ``function(*arguments)`` returns; TimeoutError after ``timeout`` seconds.

        When a call that was given up comes back after all, its thread calls ``late`` and ends. A function
        that raises ends the thread, which tells the error as any thread does.
        """
        if self._jobs is None:
            self._jobs = queue.SimpleQueue()
            threading.Thread(target=_work, args=(self._jobs,), name=self._name, daemon=True).start()
        done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._jobs.put((function, arguments, done))
        try:
            answer = done.get(timeout=timeout)
        except queue.Empty:
            if late is not None:
                self._jobs.put((late, (), done))
            self._jobs.put(None)
            self._jobs = None
            self.lost += 1
            raise TimeoutError from None
        if answer is _RAISED:
            self._jobs = None
            msg = f"{function} raised in its own thread"
            raise RuntimeError(msg)
        return answer  # type: ignore[no-any-return]

    def close(self) -> None:
        """Let the thread end."""
        if self._jobs is not None:
            self._jobs.put(None)
            self._jobs = None


def _work(jobs: queue.SimpleQueue[_Job | None]) -> None:
    while (job := jobs.get()) is not None:
        function, arguments, done = job
        answer: Any = _RAISED
        try:
            answer = function(*arguments)
        finally:
            done.put(answer)
