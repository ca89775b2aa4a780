"""One writer, many callers: what they send at the same time is posted together, in one transaction.

A caller waits until its transfers are committed, so that what was answered is never lost. The queue has an
end: who comes when it is full, or is not begun within its time, is told so, and nothing was done. Any number
of processes may have a writer on one database; the ledger's row puts their transactions into one order.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Self
from uuid import UUID

from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from citycard.errors import CitycardError, LedgerBusy, OutcomeUnknown
from citycard.ledger.ahead import IN_FLIGHT, Ahead, Judged, simple
from citycard.ledger.ledger import Ledger
from citycard.ledger.records import AccountSpec, Outcome, Transfer
from citycard.ledger.waiting import Call, share, wake, watch_of
from citycard.store.engine import writing

__all__ = ["LedgerWriter"]

#: How long a batch waits for callers who were just answered to come back; far less than a commit takes.
_GATHER_S = 0.001
#: How long to wait before a database that went away is tried again.
_AGAIN_S = 0.05
#: After so long without a call the connections are given back.
_REST_S = 0.5


class LedgerWriter:
    """Post what any number of threads and coroutines send, many of them in one transaction.

    ``most`` bounds the transfers of one transaction, ``most_waiting`` those of the queue. ``close``, or the
    end of a ``with`` block, posts what waits and ends the writer's thread.
    """

    def __init__(self, ledger: Ledger, *, most: int = 2000, most_waiting: int = 20_000) -> None:
        self._ledger = ledger
        self._most = most
        self._most_waiting = most_waiting
        self._waiting: deque[Call] = deque()
        self._size = 0
        self._expected = 0
        self._changed = threading.Condition()
        self._closing = False
        self._thread: threading.Thread | None = None
        self._ahead = Ahead(ledger.engine) if ledger.engine.dialect.name == "postgresql" else None
        self._posting: deque[tuple[Future[None], int]] = deque()

    def submit(
        self, transfers: Sequence[Transfer], accounts: Sequence[AccountSpec] = (), *, wait_s: float = 5.0
    ) -> list[Outcome]:
        """Post transfers, after opening ``accounts`` where they are missing, and answer when it is committed.

        The transfers are judged one after the other, as ``Ledger.post`` does. Raise LedgerBusy when the queue
        is full or the posting was not begun within ``wait_s``: nothing was done. Raise OutcomeUnknown when
        it was begun and no answer came: send the same again.
        """
        done = threading.Event()
        call = Call(transfers=transfers, accounts=accounts, wait_s=wait_s, done=done)
        self._enter(call)
        if not done.wait(wait_s):
            self._give_up(call, wait_s)
        return call.result()

    async def asubmit(
        self, transfers: Sequence[Transfer], accounts: Sequence[AccountSpec] = (), *, wait_s: float = 5.0
    ) -> list[Outcome]:
        """Do what ``submit`` does from a coroutine, without a thread that waits."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        call = Call(transfers=transfers, accounts=accounts, wait_s=wait_s, done=done, loop=loop)
        self._enter(call)
        watch = watch_of(loop)
        watch.add(call)
        try:
            await done
        finally:
            watch.discard(call)
        if not call.answered:
            self._give_up(call, wait_s)
        return call.result()

    def close(self) -> None:
        """Post what waits, and end the writer's thread."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ── callers ──────────────────────────────────────────────────────────────────────────────────

    def _enter(self, call: Call) -> None:
        size = len(call.transfers)
        with self._changed:
            # Who comes alone is never too much, or it could never come.
            if self._closing or (self._size and self._size + size > self._most_waiting):
                raise LedgerBusy(waiting=self._size)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="citycard ledger", daemon=True)
                self._thread.start()
            self._waiting.append(call)
            self._size += size
            # While others are still expected, whoever comes wakes nobody.
            if self._size >= self._expected:
                self._changed.notify_all()

    def _give_up(self, call: Call, wait_s: float) -> None:
        """Take a call back whose time is over; raise LedgerBusy, or OutcomeUnknown when it was begun."""
        with self._changed:
            if call.answered:
                return
            if call.begun:
                raise OutcomeUnknown(wait_s=wait_s)
            self._waiting.remove(call)
            self._size -= len(call.transfers)
            raise LedgerBusy(waiting=self._size)

    # ── the writer's thread ──────────────────────────────────────────────────────────────────────

    def _work(self) -> None:
        with ThreadPoolExecutor(1, "citycard ledger commit") as committer:
            while calls := self._next():
                if self._ahead is None:
                    self._post(calls)
                else:
                    # While one transaction is written, the next one is judged, and waits at the server.
                    judged = self._judged(calls, self._ahead)
                    sent = judged is not None and self._ahead.send(judged)
                    outcomes = judged.outcomes if judged is not None and sent else None
                    posting = committer.submit(self._commit, calls, outcomes, self._ahead)
                    self._posting.append((posting, _size_of(calls)))
        if self._ahead is not None:
            self._ahead.rest()

    def _next(self) -> list[Call]:
        """Wait for calls and give those of the next transaction; none when the writer is closed."""
        while len(self._posting) >= IN_FLIGHT:
            posted, size = self._posting.popleft()
            posted.exception()
            # Whoever was just answered may come back, and nobody else.
            self._expected = size
        if self._ahead is not None and not self._is_called(_REST_S):
            # Giving back talks to the server, which may not answer: meanwhile callers can come and give up.
            self._ahead.rest()
        self._is_called(None)
        with self._changed:
            if not self._waiting:
                return []
            if not self._closing and self._size < self._expected:
                self._changed.wait(_GATHER_S)
            calls = self._take(self._most)
            self._expected = 0 if self._ahead is not None else min(self._most, _size_of(calls))
            return calls

    def _is_called(self, most_s: float | None) -> bool:
        """Wait for calls, or to be closed; return False when none came and nothing is on its way."""
        with self._changed:
            while not self._waiting and not self._closing:
                self._expected = 0
                if not self._changed.wait(most_s) and self._is_idle():
                    return False
        return True

    def _is_idle(self) -> bool:
        return all(one.done() for one, _ in self._posting)

    def _take(self, most: int) -> list[Call]:
        taken: list[Call] = []
        size = 0
        groups: set[UUID] = set()
        while self._waiting:
            call = self._waiting[0]
            mine = [one.group for one in call.transfers if one.group is not None]
            # Members of a group come in one call: two calls that name the same one are judged apart.
            if taken and (size + len(call.transfers) > most or (mine and not groups.isdisjoint(mine))):
                break
            call.begun = True
            taken.append(self._waiting.popleft())
            size += len(call.transfers)
            groups.update(mine)
        self._size -= size
        return taken

    def _judged(self, calls: list[Call], ahead: Ahead) -> Judged | None:
        transfers = [one for call in calls for one in call.transfers]
        if any(call.accounts for call in calls) or not simple(transfers):
            # Whoever came later is written later: nothing more is sent before these are posted.
            ahead.stale = True
            return None
        if ahead.must_forget():
            wait([one for one, _ in self._posting])
            ahead.forget()
        return ahead.judge(transfers, self._ledger.clock.now())

    def _commit(self, calls: list[Call], outcomes: list[Outcome] | None, ahead: Ahead) -> None:
        """Answer calls whose ``outcomes`` are on their way once they are written; post all others."""
        if outcomes is not None and ahead.written():
            share(calls, outcomes)
            return
        ahead.stale = True
        self._post(calls)

    def _post(self, calls: list[Call]) -> None:
        while calls:
            try:
                outcomes = self._transact(calls)
            except (OperationalError, PoolExhausted) as gone:
                # The database went away, before or after the commit: the same again is answered the same.
                calls = self._still_wanted(calls, gone)
                time.sleep(_AGAIN_S)
            except (CitycardError, DBAPIError, ValueError, ArithmeticError) as error:
                if len(calls) > 1:
                    # One of them is at fault, and the others shall not suffer.
                    for call in calls:
                        self._post([call])
                else:
                    calls[0].error = error
                    wake(calls)
                return
            except BaseException as error:
                for call in calls:
                    call.error = OutcomeUnknown(wait_s=0.0)
                    call.error.__cause__ = error
                wake(calls)
                raise
            else:
                share(calls, outcomes)
                return

    @staticmethod
    def _still_wanted(calls: list[Call], gone: SQLAlchemyError) -> list[Call]:
        """Give the calls whose time is not over; of the others nobody knows whether they were posted."""
        now = time.monotonic()
        late = [call for call in calls if call.deadline <= now]
        for call in late:
            call.error = OutcomeUnknown(wait_s=call.wait_s)
            call.error.__cause__ = gone
        wake(late)
        return [call for call in calls if call.deadline > now]

    def _transact(self, calls: list[Call]) -> list[Outcome]:
        transfers = [one for call in calls for one in call.transfers]
        accounts = [one for call in calls for one in call.accounts]
        with writing(self._ledger.engine) as conn:
            if accounts:
                self._ledger.open_accounts(conn, accounts)
            return self._ledger.post(conn, transfers)


def _size_of(calls: Sequence[Call]) -> int:
    return sum(len(call.transfers) for call in calls)
