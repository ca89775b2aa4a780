"""What a server does beside answering: every second, whatever waits or is due, in threads of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from citycard.city.declared import open_declared
from citycard.city.events import deliver
from citycard.city.jobs import due_jobs, run_due
from citycard.errors import CitycardError

if TYPE_CHECKING:
    from citycard.city.city import City

__all__ = ["Rounds"]

_EVERY_S = 1.0
_PATIENCE_S = 5.0
_log = logging.getLogger("citycard.rounds")


class Rounds:
    """Go round a city every second: open what newly enabled plugins declare, tell events, run due jobs.

    Each job and the telling of events has a thread of its own, so that a slow one holds up nothing else.
    Any number of servers may do this for one city (``leases``).
    """

    def __init__(self, city: City, *, every_s: float = _EVERY_S) -> None:
        self._city = city
        self._every_s = every_s
        self._ended = threading.Event()
        self._at_work: dict[str, threading.Thread] = {}
        self._troubles: dict[str, str] = {}
        self._opened_for = -1

    @contextmanager
    def going(self) -> Iterator[None]:
        """Go round until the block is left; what is then at work has five seconds to end."""
        self._ended.clear()
        walking = threading.Thread(target=self._walk, name="citycard rounds", daemon=True)
        walking.start()
        try:
            yield
        finally:
            self._ended.set()
            until = time.monotonic() + _PATIENCE_S
            for thread in (walking, *self._at_work.values()):
                thread.join(max(0.0, until - time.monotonic()))

    def once(self) -> None:
        """Go round once: begin what waits or is due, and do not wait for its end."""
        self._carefully("opening what plugins declare", self._open)
        self._begin("events", partial(deliver, self._city))
        self._carefully("looking for jobs", self._begin_jobs)

    def wait(self) -> None:
        """Wait until nothing is at work."""
        for thread in list(self._at_work.values()):
            thread.join()

    def _walk(self) -> None:
        while not self._ended.is_set():
            self.once()
            self._ended.wait(self._every_s)

    def _open(self) -> None:
        epoch = self._city.plugins.epoch
        if epoch != self._opened_for:
            self._opened_for = epoch
            open_declared(self._city)

    def _begin_jobs(self) -> None:
        for state in due_jobs(self._city):
            self._begin(state.job, partial(run_due, self._city, state))

    def _begin(self, name: str, work: Callable[[], object]) -> None:
        running = self._at_work.get(name)
        if running is None or not running.is_alive():
            thread = threading.Thread(
                target=self._carefully, args=(name, work), name=f"citycard {name}", daemon=True
            )
            self._at_work[name] = thread
            thread.start()

    def _carefully(self, name: str, work: Callable[[], object]) -> None:
        """Do something; what goes wrong is logged once and tried again on the next round."""
        try:
            work()
        except (CitycardError, SQLAlchemyError) as error:
            trouble = " ".join(str(error).split())
            if self._troubles.get(name) != trouble:
                _log.error("%s: %s", name, trouble)
            self._troubles[name] = trouble
        else:
            self._troubles.pop(name, None)
