"""Where the work of a run is done: in this process, in a pool of processes, or on a Spark cluster.

An engine is given pieces of work and gives back what each came to, in whatever order they end. It decides
nothing: every engine calls ``work.perform`` and so comes to the same digest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Protocol

from citycard.clearing.bucket import Bucket
from citycard.clearing.context import ClearingContext
from citycard.clearing.rating import Asked
from citycard.clearing.work import Done, Work, perform
from citycard.errors import EngineUnknown
from citycard.processes import cores, short_turns, side_by_side

__all__ = ["Engine", "Local", "engine_of", "in_flight"]

_POOL = re.compile(r"pool(?::([1-9]\d{0,3}))?")
_SPARK = re.compile(r"spark://\S+:\d+|spark-local(?::([1-9]\d{0,3}))?")


class Engine(Protocol):
    """Do pieces of work. ``works`` comes with the records of each, which are in memory only for a moment."""

    @property
    def name(self) -> str: ...

    def done(
        self, context: ClearingContext, works: Iterable[tuple[Work, Bucket]]
    ) -> Generator[Done, None, None]: ...


class Local:
    """Do the work in threads of this process, as many as it may use cores."""

    name = "local"

    def done(
        self, context: ClearingContext, works: Iterable[tuple[Work, Bucket]]
    ) -> Generator[Done, None, None]:
        """Yield what each came to as it ends. They share one vault, and what was asked of prices."""
        worker, asked, count = context.worker_here, Asked(), cores()
        with short_turns(), side_by_side(count) as threads:
            yield from in_flight(
                works, lambda work, bucket: threads.submit(perform, worker, work, asked, bucket), count + 1
            )


def engine_of(name: str) -> Engine:
    """Give the engine of a name; raise EngineUnknown for any other.

    ``local`` is this process, in threads; ``pool`` as many processes as this one may use cores, ``pool:4``
    four; ``spark://host:port`` a Spark cluster's master, several with commas between; ``spark-local`` and
    ``spark-local:4`` a Spark within one machine. None is reached or started before it has work.
    """
    if name == "local":
        return Local()
    if found := _POOL.fullmatch(name):
        from citycard.clearing.pool import Pool

        return Pool(int(found[1]) if found[1] else None)
    if found := _SPARK.fullmatch(name):
        from citycard.clearing.spark import Spark

        return Spark(name)
    raise EngineUnknown(engine=name)


def in_flight(
    works: Iterable[tuple[Work, Bucket]],
    submit: Callable[[Work, Bucket], Future[Done]],
    most: int,
    *,
    watch: Callable[[], None] = lambda: None,
    every_s: float | None = None,
) -> Iterator[Done]:
    """Keep at most ``most`` pieces of work submitted, and yield what each came to as it ends.

    So what is known of later buckets is gathered while earlier ones are judged, and little of it waits in
    memory. ``watch`` is called every ``every_s`` seconds while nothing ends; what it raises ends it all.
    """
    pending: set[Future[Done]] = set()
    for work, bucket in works:
        pending.add(submit(work, bucket))
        while len(pending) >= most:
            ended, pending = wait(pending, every_s, FIRST_COMPLETED)
            watch()
            yield from (one.result() for one in ended)
    while pending:
        ended, pending = wait(pending, every_s, FIRST_COMPLETED)
        watch()
        yield from (one.result() for one in ended)
