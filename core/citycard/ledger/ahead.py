"""Judge transfers on what their writer left behind, and write them only if the ledger still ends there.

Whoever posts alone knows the ledger as it stands, because it left it so. It reads only accounts that it has
not seen, judges, and sends one statement, which writes everything if the ledger still ends where it was left,
and otherwise nothing at all. While one such statement is written the next ones are judged and sent. So a
guess that is wrong costs time and never money: the same is posted again in the usual way.

For PostgreSQL, where each question costs an exchange; a SQLite file is asked without any.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from itertools import count
from uuid import uuid4

import attrs
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from citycard.ledger.judging import Judge
from citycard.ledger.records import Kind, Outcome, Transfer, account_id
from citycard.ledger.rows import balance_columns, request_columns, transfer_columns
from citycard.ledger.standing import Standing, Standings
from citycard.ledger.tip import ASK_AT_TIP, FORMATS, KEEP_AT_TIP, Tip, read_tip, values_at_tip
from citycard.store.arrays import array_bytes
from citycard.store.streaming import Stream

__all__ = ["IN_FLIGHT", "Ahead", "Judged", "simple"]

#: So many calls may be judged and sent before the first of them is written.
IN_FLIGHT = 2
#: So many accounts are remembered, in some 400 bytes each; then all are forgotten.
_MOST = 100_000


def simple(transfers: Sequence[Transfer]) -> bool:
    """Say whether transfers only move money: without holds, limits, or taking back what was posted."""
    return all(one.kind is Kind.SINGLE and one.reverses is None and not one.limits for one in transfers)


@attrs.frozen(kw_only=True)
class Judged:
    """Transfers that are judged and not yet written: the answers, and the values of the statement."""

    outcomes: list[Outcome]
    values: list[bytes | None]


class Ahead:
    """What one writer knows of the ledger by its own postings.

    One thread judges and sends what was judged; one thread, the same or another, asks of what was sent, in
    that order, whether it was written. ``stale`` says that the ledger may stand otherwise than was thought.
    From then on nothing is sent, and nothing comes true of what was sent after what did not: it was judged on
    what never was. ``forget`` and ``rest`` are for when nothing is on its way.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._tip: Tip | None = None
        #: The ends before those of what may not be written yet: whoever reads meanwhile finds one of them.
        self._before: deque[Tip] = deque(maxlen=IN_FLIGHT)
        self._accounts: dict[str, Standing] = {}
        self._asking: Stream | None = None
        self._stream: Stream | None = None
        #: Statements are told apart by their names; no two of any writers ever have the same.
        self._names = (f"{me}/{number}" for me in [uuid4().hex] for number in count())
        self._last: str | None = None
        self.stale = False

    def judge(self, transfers: Sequence[Transfer], now: datetime) -> Judged | None:
        """Judge simple transfers; None when they cannot be judged here, and are to be posted as usual.

        So it is before the first posting, when a hold may be due, when somebody else has posted, and when
        anything goes wrong: the usual way tells whose fault it is.
        """
        judged = None
        try:
            judged = self._judge(transfers, now)
        except (SQLAlchemyError, ArithmeticError, ValueError):
            pass
        finally:
            if judged is None:
                self.stale = True
        return judged

    def send(self, judged: Judged) -> bool:
        """Send what was judged, to be written after all that was sent before; say whether it is."""
        if self.stale:
            return False
        try:
            if self._stream is None:
                self._stream = self._open(KEEP_AT_TIP)
            self._stream.send(judged.values, FORMATS)
        except SQLAlchemyError:
            self.stale = True
        return not self.stale

    def written(self) -> bool:
        """Say, of what was sent first and not yet asked for, whether it was written, durably, or not at all.

        It is not when the ledger was not as it was thought to be, nor when an id was answered before. When
        the database went away nobody knows: the same is to be posted again in the usual way, either way.
        """
        assert self._stream is not None
        try:
            written = self._stream.answer() == [(b"1",)]
        except DBAPIError:
            written = False
        if not written:
            self.stale = True
        return written

    def must_forget(self) -> bool:
        """Say whether to forget before more is judged: what is known may be wrong, or is too much."""
        return self.stale or len(self._accounts) > _MOST

    def forget(self) -> None:
        """Believe nothing any more: the ledger is read anew before the next call is judged."""
        if self._stream is not None and self._stream.broken:
            self._close()
        self.stale = False
        self._last = None
        self._tip = None
        self._before.clear()
        self._accounts.clear()

    def rest(self) -> None:
        """Give the connections back while there is nothing to do."""
        self._stop_asking()
        self._close()

    def _open(self, statement: str) -> Stream:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        return Stream(connection, statement)

    def _stop_asking(self) -> None:
        asking, self._asking = self._asking, None
        if asking is not None:
            asking.close()

    def _close(self) -> None:
        stream, self._stream, self._last = self._stream, None, None
        if stream is not None:
            stream.close()

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
        requests = request_columns(judge, tip.posted_seq, now)
        moves = transfer_columns(judge.accepted, standings, tip.posted_seq, now)
        balances = balance_columns(accounts.values(), tip.posted_seq)
        posted = len(judge.accepted)
        after = Tip(tip.posted_seq + posted, now if posted else tip.posted_at, tip.next_expiry)
        self._before.append(tip)
        self._tip = after
        names = self._last, next(self._names)
        values = values_at_tip(tip, after, names, (requests, moves, balances), now)
        self._last = names[1]
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
            self._asking = self._open(ASK_AT_TIP)
        keys = [account_id(address) for address in addresses]
        try:
            self._asking.send([array_bytes("uuid", keys)], [1])
            tip, found = read_tip(self._asking.answer(), keys)
        except BaseException:
            # An answer that was not taken would be read as that to the next question.
            self._stop_asking()
            raise
        if self._tip is None:
            self._tip = tip
        elif tip != self._tip and tip not in self._before:
            self._tip = None
            return
        for place, standing in found:
            self._accounts[addresses[place]] = standing
