"""Everything a caller can do with a ledger, drawn at random, and compared with the model after every step."""

from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from ledger_drafts import drafts
from ledger_model import Ledger as Model
from ledger_model import content, expiry_id
from sqlalchemy import func, select

from citycard.clock import FixedClock
from citycard.ledger import AccountSpec, Kind, Ledger, Limit, Transfer, capture, release, reversal
from citycard.ledger.ahead import Ahead
from citycard.ledger.records import account_id
from citycard.ledger.tables import hold, ledger
from citycard.store import reading, writing

ACCOUNTS = {
    "a": {"code": 1001, "side": "D", "guard": "none", "currency": "CNY"},
    "b": {"code": 2001, "side": "C", "guard": "none", "currency": "CNY"},
    "c": {"code": 2002, "side": "C", "guard": "dr<=cr", "currency": "CNY"},
    "d": {"code": 1102, "side": "D", "guard": "cr<=dr", "currency": "CNY"},
    "e": {"code": 2002, "side": "C", "guard": "dr<=cr", "currency": "CNY"},
    "p": {"code": 8001, "side": "D", "guard": "none", "currency": "PTS"},
    "q": {"code": 8002, "side": "C", "guard": "dr<=cr", "currency": "PTS"},
}
LATE = {"late": {"code": 2001, "side": "C", "guard": "none", "currency": "CNY"}}
ROWS = (
    "SELECT account_id, dr_posted_fen, cr_posted_fen, dr_pending_fen, cr_pending_fen FROM balance ORDER BY 1",
    "SELECT id, state, amount_fen, expires_at, posted_seq FROM hold ORDER BY 1",
    "SELECT key, used_fen, used_count FROM limit_use ORDER BY 1",
    "SELECT posted_seq, posted_at FROM ledger",
    (
        "SELECT posted_seq, id, dr_account, cr_account, amount_fen, kind FROM transfer "
        "WHERE posted_seq > {} ORDER BY 1"
    ),
)
START = datetime(2018, 9, 1, 0, 30, tzinfo=UTC)
EAST = timezone(timedelta(hours=8))


def as_id(written):
    """Read an id as a driver gives it."""
    return written if isinstance(written, UUID) else UUID(written)


class LedgerMachine(RuleBasedStateMachine):
    """Post, post again, take it back, let time pass, look back; compare everything after every step.

    ``open_engine`` gives an engine of an empty ledger and what to do with it afterwards; ``steps`` counts.
    """

    open_engine = None
    steps = 0

    @initialize()
    def open_ledger(self):
        self.engine, self.close = type(self).open_engine()
        self.clock = FixedClock(START)
        self.ledger = Ledger(self.engine, clock=self.clock)
        self.ahead = Ahead(self.engine)
        self.model = Model({})
        self.newest, self.seen, self.audited = 1, 0, 0
        self.sent, self.batches, self.moments = {}, [], []
        self._open(ACCOUNTS)
        with writing(self.engine) as conn:  # the row that counts is made by the first call
            self._call(
                conn,
                [
                    Transfer(
                        id=UUID(int=2**64),
                        debit_address="nowhere",
                        credit_address="a",
                        amount_fen=1,
                        code=1,
                        event_time=datetime(2018, 9, 1),
                        business_date=date(2018, 9, 1),
                    )
                ],
            )
        self.rows = self._rows()

    def _open(self, accounts):
        with writing(self.engine) as conn:
            opened = self.ledger.open_accounts(
                conn, [AccountSpec(address=one, **accounts[one]) for one in accounts]
            )
        assert opened == len(accounts.keys() - self.model.accounts.keys())
        self.model.accounts |= accounts
        self.names = {account_id(one): one for one in self.model.accounts}

    # ── what is drawn becomes transfers ──────────────────────────────────────────────────────────

    def _transfer(self, draft):
        """Make the transfer a draft stands for."""
        number = max(1, self.newest + draft.number)
        followed = self._followed(draft)
        named = UUID(int=max(1, self.newest - draft.back)) if followed is None else followed.id
        identity = UUID(int=number) if draft.variant < 4 else expiry_id(named)
        self.newest = max(self.newest, number)
        event_time = datetime(2018, 9, 1, 8, draft.variant == 1)
        when = {"id": identity, "event_time": event_time, "business_date": date(2018, 9, 1)}
        given = {"code": 10 if draft.variant == 2 else 20, "ref": "run/1" if draft.variant == 3 else ""}
        given["group"] = None if draft.group is None else UUID(int=self.newest // 4 + draft.group)
        bounds = {"max_fen": draft.max_fen, "max_count": draft.max_count}
        limits = tuple(Limit(key=key, **bounds) for key in draft.limits)
        if followed is None or draft.follows == "named":
            wanted = Transfer(
                **when | given,
                debit_address=draft.pair[0],
                credit_address=draft.pair[1],
                amount_fen=draft.fen,
            )
        elif draft.kind == "back":
            return attrs.evolve(reversal(followed, **when | given, amount_fen=draft.fen), limits=limits)
        elif draft.kind == "post":
            return capture(followed, **when | given, amount_fen=draft.fen if draft.fen < 6 else None)
        elif draft.kind == "void":
            return release(followed, **when | given)
        else:
            wanted = attrs.evolve(
                followed, **when | given, kind=Kind.SINGLE, pending_id=None, expires_at=None, reverses=None
            )
        return attrs.evolve(wanted, **self._kind(draft, named, limits))

    def _followed(self, draft):
        if draft.follows == "nothing":
            return None
        known = list(self.sent)
        if draft.follows == "posted":
            wanted = {"post": {"pending"}, "void": {"pending"}, "back": {"single", "post"}}.get(
                draft.kind, set(Kind)
            )
            known = [one.id for one in (*self.model.journal, *self.batch) if one.kind in wanted]
        if not known:
            return None
        return self.sent.get(known[-1 - draft.back % len(known)])

    def _kind(self, draft, named, limits):
        if draft.kind == "back":
            return {"reverses": named, "limits": limits}
        if draft.kind in {"post", "void"}:
            return {"kind": Kind(draft.kind), "pending_id": named, "limits": ()}
        expires_at = None
        if draft.kind == "pending" and draft.expires is not None:
            zone = EAST if draft.fen % 2 else UTC
            expires_at = (self.clock.moment + timedelta(minutes=draft.expires)).astimezone(zone)
        return {"kind": Kind(draft.kind), "expires_at": expires_at, "limits": limits}

    def _batch(self, drawn):
        self.batch = []
        for draft in drawn:
            wanted = self._transfer(draft)
            self.batch.append(wanted)
            self.sent.setdefault(wanted.id, wanted)
        return self.batch

    # ── what can be done ─────────────────────────────────────────────────────────────────────────

    def _call(self, conn, batch):
        return self._agree(batch, self.ledger.post(conn, batch))

    def _agree(self, batch, outcomes):
        assert [outcome.id for outcome in outcomes] == [one.id for one in batch]
        answers = [(str(outcome.result), outcome.repeated) for outcome in outcomes]
        assert answers == self.model.post(batch, self.clock.moment)
        return answers

    @rule(drawn=drafts())
    def post(self, drawn):
        batch = self._batch(drawn)
        self.batches.append(batch)
        held = len(self.model.journal)
        with writing(self.engine) as conn:
            self._call(conn, batch)
        if len(self.model.journal) == held:
            self._nothing_changed()

    @rule(drawn=drafts(most=1))
    def post_one(self, drawn):
        self.post(drawn)

    @rule(first=drafts(most=3), second=drafts(most=3))
    def two_calls_in_one_transaction(self, first, second):
        with writing(self.engine) as conn:
            for drawn in (first, second):
                self.batches.append(self._batch(drawn))
                self._call(conn, self.batches[-1])

    @rule(drawn=drafts(most=3))
    def a_transaction_that_is_rolled_back_leaves_nothing(self, drawn):
        with self.engine.connect() as conn:
            self.ledger.post(conn, self._batch(drawn))
            conn.rollback()
        self._nothing_changed()

    @precondition(lambda self: self.engine.dialect.name == "postgresql")
    @rule(
        first=drafts(most=3),
        second=drafts(most=3),
        others=st.none() | drafts(most=2),
        between=st.booleans(),
    )
    def judge_and_send_two_calls_before_the_first_is_written(self, first, second, others, between):
        """Do as a writer does; now and then somebody else posts before both are sent, or in between."""
        waiting = []
        for drawn in (first, second):
            batch = self._batch([attrs.evolve(one, kind="single", limits=()) for one in drawn])
            if self.ahead.must_forget():
                self._send(waiting)
                waiting = []
                self.ahead.forget()
            waiting.append((batch, self.ahead.judge(batch, self.clock.now())))
            self.batches.append(batch)
        if others is None:
            self._send(waiting)
            return
        if between:
            self._send(waiting[:1])
        self.batches.append(self._batch(others))
        with writing(self.engine) as conn:
            self._call(conn, self.batches[-1])
        self._send(waiting[1:] if between else waiting)

    def _send(self, judged):
        """Send all that was judged, ask only then what was written, and post the rest as usual."""
        sent = [one is not None and self.ahead.send(one) for _, one in judged]
        for (batch, one), was_sent in zip(judged, sent, strict=True):
            if was_sent and self.ahead.written():
                self._agree(batch, one.outcomes)
                continue
            self.ahead.stale = True
            with writing(self.engine) as conn:
                self._call(conn, batch)

    @precondition(lambda self: self.batches)
    @rule(back=st.integers(0, 9), zone=st.sampled_from([UTC, EAST]))
    def post_an_earlier_batch_again(self, back, zone):
        """Send the same once more; a moment may be said in another time zone by now."""
        batch = self.batches[-1 - back % len(self.batches)]
        with writing(self.engine) as conn:
            self._call(
                conn,
                [
                    attrs.evolve(one, expires_at=one.expires_at and one.expires_at.astimezone(zone))
                    for one in batch
                ],
            )

    @rule(minutes=st.sampled_from([1, 2, 5, 7, -3]))
    def time_passes(self, minutes):
        """Remember what every account holds, then move the clock; now and then somebody sets it back."""
        posted_at = self.model.journal[-1].at if self.model.journal else START
        if minutes > 0 and posted_at <= self.clock.moment:
            held = {one: self.model.balance_at(one, self.clock.moment) for one in self.model.accounts}
            self.moments.append((self.clock.moment, held))
        self.clock.moment += timedelta(minutes=minutes)
        self.moments = [(at, held) for at, held in self.moments if at < self.clock.moment]

    @rule()
    def an_account_is_opened_late(self):
        self._open(LATE)

    @precondition(lambda self: self.moments)
    @rule(
        back=st.integers(0, 9),
        then=st.integers(0, 9),
        address=st.sampled_from([*ACCOUNTS, "late"]),
        limit=st.integers(1, 6),
    )
    def look_back(self, back, then, address, limit):
        since, _ = self.moments[-1 - back % len(self.moments)]
        until, held = self.moments[-1 - then % len(self.moments)]
        history = [one.number for one in self.model.history(address)]
        between = [one.number for one in self.model.history(address) if since < one.at <= until]
        with reading(self.engine) as conn:
            if address in held:
                assert self.ledger.balance_at(conn, address, until) == held[address]
            found = self.ledger.transfers_between(conn, address, since, until)
            assert [one.posted_seq for one in found] == between
            pages, before = [], None
            while page := self.ledger.transfers_of(conn, address, limit=limit, before=before):
                assert len(page) == limit or page[-1].posted_seq == history[0]
                pages += page
                before = page[-1].posted_seq
            assert [one.posted_seq for one in pages] == history[::-1]

    # ── what must be true ────────────────────────────────────────────────────────────────────────

    def _rows(self):
        """Read all that can change and all that is new, as it is written."""
        with reading(self.engine) as conn:
            return [conn.exec_driver_sql(query.format(self.seen)).all() for query in ROWS]

    def _nothing_changed(self):
        assert self._rows() == [*self.rows[:4], []]

    @invariant()
    def everything_is_as_in_the_model(self):
        if not hasattr(self, "rows"):
            return
        type(self).steps += 1
        self.rows = balances, holds, uses, head, posted = self._rows()
        model, sums = self.model, self.model.sums()
        assert {self.names[as_id(key)]: list(rest) for key, *rest in balances} == sums
        for first in (0, 2):  # I1: what is debited is credited, posted and pending, in each currency
            for currency in ("CNY", "PTS"):
                own = [sums[one] for one in sums if model.accounts[one]["currency"] == currency]
                assert sum(one[first] for one in own) == sum(one[first + 1] for one in own)
        assert {as_id(key): state for key, state, *_ in holds} == model.states()
        used = {key: [fen, count] for key, fen, count in uses if count}
        assert used == {key: use for key, use in model.uses().items() if use[1]}
        assert [count for count, *_ in head] == [len(model.journal)]
        self._compare_new(posted, model.journal[self.seen :])
        self.seen = len(model.journal)
        if self.steps % 40 == 0:
            self._through_the_front_door()

    def _compare_new(self, posted, wanted):
        for row, entry in zip(posted, wanted, strict=True):
            number, identity, debited, credited, fen, kind = row
            entry.id = entry.id or as_id(identity)
            found = (
                number,
                as_id(identity),
                self.names[as_id(debited)],
                self.names[as_id(credited)],
                fen,
                kind,
            )
            assert found == (
                entry.number,
                entry.id,
                entry.debit_address,
                entry.credit_address,
                entry.amount_fen,
                entry.kind,
            )

    def _through_the_front_door(self):
        """Ask for everything by the ledger's own methods, and for an audit."""
        with reading(self.engine) as conn:
            self._ask(conn)

    def _ask(self, conn):
        model, sums, states = self.model, self.model.sums(), self.model.states()
        for address, (debits, credits_, debits_held, credits_held) in sums.items():
            held = self.ledger.balance(conn, address)
            sign = 1 if model.accounts[address]["side"] == "D" else -1
            assert held.balance_fen == sign * (debits - credits_)
            assert held.available_fen == held.balance_fen - (credits_held if sign == 1 else debits_held)
            assert held.transfers == len(model.history(address))
        for one in model.journal:
            if one.kind == "pending":
                known = self.ledger.hold(conn, one.id)
                expected = (states[one.id], one.amount_fen, one.expires_at)
                assert (known.state, known.amount_fen, known.expires_at) == expected
        found = self.ledger.find(conn, list({*model.answers, *(one.id for one in model.journal)}))
        assert {
            key: (content(one.transfer), one.posted_seq, one.posted_at) for key, one in found.items()
        } == {one.id: (one.content, one.number, one.at) for one in model.journal}
        earliest = conn.scalar(select(func.min(hold.c.expires_at)).where(hold.c.state == "pending"))
        assert earliest is None or conn.scalar(select(ledger.c.next_expiry)) <= earliest
        assert self.ledger.audit(conn) == []

    def teardown(self):
        if hasattr(self, "rows"):
            # Whatever was sent in all this time gets the answer that it got the first time.
            with writing(self.engine) as conn:
                self._call(conn, [one for batch in self.batches for one in batch])
            self.everything_is_as_in_the_model()
            self._through_the_front_door()
            self.ahead.rest()
            self.close()
