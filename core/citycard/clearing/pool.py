"""Do the work of a run in a pool of processes on this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from multiprocessing.connection import Connection

from citycard.clearing.bucket import Bucket
from citycard.clearing.context import ClearingContext, Worker
from citycard.clearing.engines import in_flight
from citycard.clearing.rating import Asked
from citycard.clearing.work import Done, Work, perform
from citycard.errors import WorkerDied

__all__ = ["Pool"]

_recipe: Callable[[], Worker] | None = None


class Pool:
    """A pool of fresh processes; without a number, as many as this process may use cores.

    They are spawned and not forked: neither DuckDB nor threads survive a fork.
    """

    def __init__(self, processes: int | None = None) -> None:
        self.processes = processes or len(os.sched_getaffinity(0))
        self.name = f"pool:{self.processes}"

    def done(
        self, context: ClearingContext, works: Iterable[tuple[Work, Bucket]]
    ) -> Generator[Done, None, None]:
        """Yield what each piece of work came to as it ends; raise WorkerDied when a process was killed.

        What a worker raises is raised here. The processes end with this iterator, or with this process,
        however it ends.
        """
        spawn = multiprocessing.get_context("spawn")
        held, alive = spawn.Pipe(duplex=False)
        with ProcessPoolExecutor(
            self.processes, mp_context=spawn, initializer=_begin, initargs=(context.worker, held)
        ) as executor:
            try:
                # One more than there are processes, so that none waits for what it needs to know.
                yield from in_flight(works, lambda work: executor.submit(_perform, work), self.processes + 1)
            except BrokenProcessPool as broken:
                raise WorkerDied(engine=self.name) from broken
            finally:
                alive.close()
                held.close()


def _begin(recipe: Callable[[], Worker], held: Connection) -> None:
    global _recipe  # noqa: PLW0603 - one pool, one city: a process of the pool does nothing else
    _recipe = recipe
    # Ctrl-C reaches the whole group; whoever gives out the work decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(held,), daemon=True).start()


def _end_with(held: Connection) -> None:
    """End when the other end of the pipe is closed, as it is when its process is killed."""
    held.poll(None)
    os._exit(1)


@cache
def _worker() -> Worker:
    assert _recipe is not None
    return _recipe()


@cache
def _asked() -> Asked:
    return Asked()


def _perform(work: Work) -> Done:
    return perform(_worker(), work, _asked())
