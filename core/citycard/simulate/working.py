"""Do the work of a simulation by blocks and parts: in this process, or in as many as it may use cores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from citycard.errors import SimulationDied
from citycard.processes import cores, processes
from citycard.simulate.block import Cards, make_block
from citycard.simulate.dealing import Dealer, Dealt
from citycard.simulate.signing import Signer
from citycard.simulate.spool import Spool
from citycard.simulate.world import World

if TYPE_CHECKING:
    from citycard.city import City
    from citycard.city.workers import CityWorker

__all__ = ["Hands", "hands"]

#: Below so many records a process costs more than it does.
_WORTH_A_PROCESS = 100_000


class Hands(Protocol):
    """Whoever makes blocks of cards, and deals their records into files."""

    def make(self, blocks: Sequence[tuple[int, int]]) -> Iterator[Cards]:
        """Make blocks, whose records go to the spool; give their cards in the order of the blocks."""
        ...

    def deal(self, parts: Sequence[int]) -> Iterator[Dealt]:
        """Write the files of parts of the spool; give what is true of them in the order of the parts."""
        ...


class _Own:
    """Do it in this process."""

    def __init__(self, worker: City | CityWorker, world: World, folder: Path, out: Path) -> None:
        self._world, self._prices = world, world.prices(worker)
        self._spool, self._out = Spool(folder, world.plan), out
        self._signer = Signer(worker.vault, world)

    def make(self, blocks: Sequence[tuple[int, int]]) -> Iterator[Cards]:
        for first, last in blocks:
            cards, rows = make_block(self._world, self._prices, first, last)
            self._spool.add(rows)
            yield cards

    def deal(self, parts: Sequence[int]) -> Iterator[Dealt]:
        self._spool.close()
        for part in parts:
            dealer = Dealer(self._world, self._signer, self._out)
            dealer.deal(self._spool.part(part))
            yield dealer.dealt


class _Pool:
    """Let other processes do it."""

    def __init__(self, executor: ProcessPoolExecutor) -> None:
        self._executor = executor

    def make(self, blocks: Sequence[tuple[int, int]]) -> Iterator[Cards]:
        return self._executor.map(_make, blocks)

    def deal(self, parts: Sequence[int]) -> Iterator[Dealt]:
        return self._executor.map(_deal, parts)


@contextmanager
def hands(city: City, world: World, folder: Path, out: Path, count: int | None = None) -> Iterator[Hands]:
    """Give whoever does the work; records wait in ``folder``, and files are written into ``out``.

    Without a ``count`` as many processes work as there are cores, and none for few records.

    Raise SimulationDied when a process was killed, and what a process raises that cannot open the city.
    """
    count = count or min(cores(), world.plan.records // _WORTH_A_PROCESS)
    if count <= 1:
        yield _Own(city, world, folder, out)
        return
    with processes(count, _begin, city.worker, world, folder, out) as executor:
        try:
            yield _Pool(executor)
        except BrokenProcessPool as broken:
            raise SimulationDied from broken


_task: tuple[Callable[[], CityWorker], World, Path, Path] | None = None


def _begin(recipe: Callable[[], CityWorker], world: World, folder: Path, out: Path) -> None:
    global _task  # noqa: PLW0603 - one pool, one simulation: a process of the pool does nothing else
    _task = recipe, world, folder, out


@cache
def _own() -> _Own:
    assert _task is not None
    recipe, world, folder, out = _task
    return _Own(recipe(), world, folder, out)


def _make(block: tuple[int, int]) -> Cards:
    return next(_own().make([block]))


def _deal(part: int) -> Dealt:
    return next(_own().deal([part]))
