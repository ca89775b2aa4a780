"""What a server does beside answering: every second, whatever waits or is due, in threads of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from citycard.city.declared import open_declared
from citycard.city.events import deliver
from citycard.city.floatview import keep_days
from citycard.city.jobs import due_jobs, run_due
from citycard.errors import CitycardError
from citycard.ledger.tables import ledger
from citycard.store import reading

if TYPE_CHECKING:
    from citycard.city.city import City

__all__ = ["Rounds"]

_EVERY_S = 1.0
_PATIENCE_S = 5.0
_MUCH = 50_000
_log = logging.getLogger("citycard.rounds")


class Rounds:
    """Go round a city every second: open what newly enabled plugins declare, tell events, run due jobs.

    The sums of the float are kept at the end of each day, so that reports of past moments are quick.

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
        self._kept_for: tuple[object, int] | None = None

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
        self._begin("the sums of the float", self._keep_float)

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

    def _keep_float(self) -> None:
        """Keep the sums of the float when a day has ended, and whenever much was posted since."""
        with reading(self._city.engine) as conn:
            posted = conn.scalar(select(ledger.c.posted_seq)) or 0
        now = (self._city.now_local().date(), posted // _MUCH)
        if now != self._kept_for:
            keep_days(self._city)
            self._kept_for = now

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
