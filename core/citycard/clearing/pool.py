"""Do the work of a run in a pool of processes on this machine."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures.process import BrokenProcessPool
from functools import cache

from citycard.clearing.bucket import Bucket
from citycard.clearing.context import ClearingContext, Worker
from citycard.clearing.engines import in_flight
from citycard.clearing.rating import Asked
from citycard.clearing.work import Done, Work, perform
from citycard.errors import WorkerDied
from citycard.processes import cores, processes

__all__ = ["Pool"]

_recipe: Callable[[], Worker] | None = None


class Pool:
    """A pool of processes; without a number, as many as this process may use cores."""

    def __init__(self, processes: int | None = None) -> None:
        self.processes = processes or cores()
        self.name = f"pool:{self.processes}"

    def done(
        self, context: ClearingContext, works: Iterable[tuple[Work, Bucket]]
    ) -> Generator[Done, None, None]:
        """Yield what each piece of work came to as it ends; raise WorkerDied when a process was killed.

        What a worker raises is raised here. The processes end with this iterator, or with this process,
        however it ends.
        """
        with processes(self.processes, _begin, context.worker) as executor:
            try:
                # One more than there are processes, so that none waits for what it needs to know.
                yield from in_flight(
                    works, lambda work, _: executor.submit(_perform, work), self.processes + 1
                )
            except BrokenProcessPool as broken:
                raise WorkerDied(engine=self.name) from broken


def _begin(recipe: Callable[[], Worker]) -> None:
    global _recipe  # noqa: PLW0603 - one pool, one city: a process of the pool does nothing else
    _recipe = recipe


@cache
def _worker() -> Worker:
    assert _recipe is not None
    return _recipe()


@cache
def _asked() -> Asked:
    return Asked()


def _perform(work: Work) -> Done:
    return perform(_worker(), work, _asked())
