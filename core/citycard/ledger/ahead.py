"""Judge transfers on what their writer left behind, and write them only if the ledger still ends there.

Whoever posts alone knows the ledger as it stands, because it left it so. It reads only accounts that it has
not seen, judges, and sends one statement, which writes everything if the ledger still ends where it was left,
and otherwise nothing at all. While one such statement is written the next ones are judged. So a guess that is
wrong costs time and never money: the same is posted again in the usual way.

For PostgreSQL, where each question costs an exchange; a SQLite file is asked without any.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import attrs
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from citycard.ledger import pipelining
from citycard.ledger.chart import Guard
from citycard.ledger.judging import Judge
from citycard.ledger.pipelining import Tip
from citycard.ledger.records import Kind, Outcome, Transfer, account_id
from citycard.ledger.rows import balance_row, request_rows, transfer_rows
from citycard.ledger.standing import Standing, Standings

__all__ = ["IN_FLIGHT", "Ahead", "Judged", "simple"]

#: So many calls may be judged before the first of them is written.
IN_FLIGHT = 3
#: So many accounts are remembered, in some 400 bytes each; then all are forgotten.
_MOST = 100_000
_GUARDS = {str(guard): guard for guard in Guard}


def simple(transfers: Sequence[Transfer]) -> bool:
    """Say whether transfers only move money: without holds, limits, or taking back what was posted."""
    return all(one.kind is Kind.SINGLE and one.reverses is None and not one.limits for one in transfers)


@attrs.frozen(kw_only=True)
class Judged:
    """Transfers that are judged and not yet written: the answers, and the values of the statement."""

    outcomes: list[Outcome]
    values: tuple[Any, ...]


class Ahead:
    """What one writer knows of the ledger by its own postings.

    One thread judges; one thread, the same or another, writes what was judged, in that order. ``stale`` says
    that the ledger may stand otherwise than was thought. From then on nothing is written, since what comes
    next was judged after what did not come true. ``forget`` is for when nothing waits to be written.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._tip: Tip | None = None
        #: The ends before those of what may not be written yet: whoever reads meanwhile finds one of them.
        self._before: deque[Tip] = deque(maxlen=IN_FLIGHT)
        self._accounts: dict[str, Standing] = {}
        self._asking: Connection | None = None
        self._writing: Connection | None = None
        self.stale = False

    def judge(self, transfers: Sequence[Transfer], now: datetime) -> Judged | None:
        """Judge simple transfers; None when they cannot be judged here, and are to be posted as usual.

        So it is before the first posting, when a hold may be due, when somebody else has posted, and when
        anything goes wrong: the usual way tells whose fault it is.
        """
        judged = None
        try:
            judged = self._judge(transfers, now)
        except DBAPIError:
            self._asking = _give_back(self._asking, broken=True)
        except (ArithmeticError, ValueError):
            pass
        finally:
            if judged is None:
                self.stale = True
        return judged

    def write(self, judged: Judged) -> bool:
        """Write what was judged, durably, or nothing: then the ledger was not as it was thought to be."""
        if self.stale:
            return False
        written = False
        try:
            if self._writing is None:
                self._writing = self._connected()
            written = pipelining.keep_at_tip(self._writing, judged.values)
        except DBAPIError as error:
            # An id that was answered before, or a database that went away: the usual way tells them apart.
            self._writing = _give_back(self._writing, broken=error.connection_invalidated)
        if not written:
            self.stale = True
        return written

    def must_forget(self) -> bool:
        """Say whether to forget before more is judged: what is known may be wrong, or is too much."""
        return self.stale or len(self._accounts) > _MOST

    def forget(self) -> None:
        """Believe nothing any more: the ledger is read anew before the next call is judged."""
        self.stale = False
        self._tip = None
        self._before.clear()
        self._accounts.clear()

    def rest(self) -> None:
        """Give the connections back while there is nothing to do."""
        self._asking = _give_back(self._asking)
        self._writing = _give_back(self._writing)

    def _connected(self) -> Connection:
        return self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def _judge(self, transfers: Sequence[Transfer], now: datetime) -> Judged | None:
        accounts = self._standings(transfers)
        tip = self._tip
        if tip is None or tip.posted_at is None:
            return None
        now = max(now, tip.posted_at)
        if tip.next_expiry is not None and tip.next_expiry <= now:
            return None
        standings = Standings(accounts=accounts, now=now)
        judge = Judge({}, standings)
        outcomes = judge.judge(transfers)
        requests = request_rows(judge.remember, tip.posted_seq, now)
        rows = transfer_rows(judge.accepted, standings, tip.posted_seq, now)
        balances = [balance_row(one) for one in accounts.values() if one.last_seq > tip.posted_seq]
        after = Tip(tip.posted_seq + len(rows), now if rows else tip.posted_at, tip.next_expiry)
        self._before.append(tip)
        self._tip = after
        values = pipelining.values_at_tip(self._engine.dialect, tip, after, requests, rows, balances)
        return Judged(outcomes=outcomes, values=values)

    def _standings(self, transfers: Sequence[Transfer]) -> dict[str, Standing]:
        """Give the open accounts of transfers by address; afterwards the tip is known, too."""
        known = self._accounts
        wanted = {one.debit_address for one in transfers}
        wanted.update(one.credit_address for one in transfers)
        missing = [address for address in wanted if address not in known]
        if missing or self._tip is None:
            self._read(missing)
        return {address: known[address] for address in wanted if address in known}

    def _read(self, addresses: Sequence[str]) -> None:
        if self._asking is None:
            self._asking = self._connected()
        keys = [account_id(address) for address in addresses]
        tip, found = pipelining.ask_at_tip(self._asking, keys)
        if self._tip is None:
            self._tip = tip
        elif tip != self._tip and tip not in self._before:
            self._tip = None
            return
        for place, guard, *sums in found:
            self._accounts[addresses[place - 1]] = Standing(keys[place - 1], _GUARDS[guard], *sums)


def _give_back(connection: Connection | None, *, broken: bool = False) -> Connection | None:
    """Return a connection to its pool, or drop it when it is broken, and give what is left of it: None."""
    if connection is not None:
        if broken:
            connection.invalidate()
        connection.close()
    return None
