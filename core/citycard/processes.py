"""Processes and threads for work that takes all cores."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, Final

__all__ = ["cores", "processes", "short_turns", "side_by_side"]


_TURN_S: Final = 0.0005
_TURNS: Final = threading.Lock()
#: What the turns were when each of those began who want them short now: of the first one as they are usually.
_usual_s: list[float] = []


def cores() -> int:
    """Give how many cores this process may use."""
    return len(os.sched_getaffinity(0))


@contextmanager
def short_turns() -> Iterator[None]:
    """Let threads of this process wait less for the interpreter, while most of their work is outside of it.

    A call that left it for a millisecond would wait for five to come back, if another thread keeps it.
    """
    with _TURNS:
        _usual_s.append(sys.getswitchinterval())
        sys.setswitchinterval(_TURN_S)
    try:
        yield
    finally:
        with _TURNS:
            last_s = _usual_s.pop()
            if not _usual_s:
                sys.setswitchinterval(last_s)


@contextmanager
def side_by_side(count: int) -> Iterator[ThreadPoolExecutor]:
    """Give threads of this process; on the way out what was not begun is left, and what was is waited for."""
    threads = ThreadPoolExecutor(count)
    try:
        yield threads
    finally:
        threads.shutdown(cancel_futures=True)


@contextmanager
def processes(count: int, begin: Callable[..., None], *arguments: Any) -> Iterator[ProcessPoolExecutor]:
    """Give a pool of fresh processes, each of which calls ``begin(*arguments)`` before anything else.

    ``begin`` only keeps what it is given: what it raises is told as the death of its process, and what the
    work raises as itself.

    They are spawned and not forked: neither DuckDB nor threads survive a fork. They end with the context, or
    with this process, however it ends.
    """
    spawn = multiprocessing.get_context("spawn")
    held, alive = spawn.Pipe(duplex=False)
    with ProcessPoolExecutor(
        count, mp_context=spawn, initializer=_begin, initargs=(held, begin, arguments)
    ) as executor:
        try:
            _start(executor, count)
            yield executor
        finally:
            alive.close()
            held.close()


def _start(executor: ProcessPoolExecutor, count: int) -> None:
    """Start all processes of a pool, deaf to Ctrl-C from the first on: importing takes them a second."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        for _ in range(count):
            executor.submit(os.getpid)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(held: Connection, begin: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    # Ctrl-C reaches the whole group; whoever gives out the work decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(held,), daemon=True).start()
    begin(*arguments)


def _end_with(held: Connection) -> None:
    """End when the other end of the pipe is closed, as it is when its process is killed."""
    held.poll(None)
    os._exit(1)
