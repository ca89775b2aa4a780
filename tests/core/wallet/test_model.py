"""Whatever is done with accounts, in any order, agrees with a second book that is kept in plain Python."""

import importlib.util
import itertools
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import text

from citycard.clock import FixedClock
from citycard.errors import CitycardError
from citycard.ids import derived_id
from citycard.ledger import AccountSpec, Ledger
from citycard.ledger import tables as ledger_tables
from citycard.store import metadata, open_store, reading, writing
from citycard.wallet import (
    TRUST_BANK,
    Accounts,
    ActKind,
    CityLimits,
    ExchangeRate,
    Holds,
    LimitRule,
    Payee,
    Payments,
    Points,
    Programme,
    Scheme,
    WalletContext,
    accept_points,
    account_points,
    account_refund,
    account_subsidy,
    add_programme,
    add_scheme,
    available_fen,
    fund_programme,
    grant,
    lapse_expired,
    lapse_lots,
    online_account,
    partner_payable,
    points_fund,
    report_programme,
    report_scheme,
    set_exchange_rate,
    subsidy_fund,
)
from citycard.wallet import tables as wallet_tables

_spec = importlib.util.spec_from_file_location("wallet_model", Path(__file__).with_name("wallet_model.py"))
wallet_model = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(wallet_model)

TABLES = [
    *(getattr(ledger_tables, name) for name in ledger_tables.__all__),
    *(getattr(wallet_tables, name) for name in wallet_tables.__all__),
]
NOON = datetime(2026, 11, 28, 4, 0, tzinfo=UTC)
FIRST = date(2026, 11, 28)
ACCOUNTS = ["0" * 19 + "1", "0" * 19 + "2"]
PARTNERS = {"canteen": "food", "bus": "transport", "shop": "retail"}
PROGRAMMES = {
    "meals": (("food",), FIRST + timedelta(days=3)),
    "any": (("food", "transport", "retail"), FIRST + timedelta(days=6)),
    "rides": (("transport",), FIRST + timedelta(days=9)),
}
SCHEMES = {"bus": (3, 2, 4), "shop": (2, 5, 9)}
ACCEPTS = {("bus", "canteen"): 1, ("bus", "bus"): 2, ("shop", "bus"): 9}
RATES = {("bus", "shop"): (3, 1), ("shop", "bus"): (1, 4)}
LIMITS = {"pay": (9000, 5), "hold": (6000, 4)}
WORDS = {
    "AccountNotOpen": "closed",
    "FundsMissing": "funds",
    "GrantRefused": "budget",
    "HoldRefused": "ended",
    "LimitExceeded": "limit",
    "LimitLoosened": "looser",
    "PointsRefused": "points",
    "RefundRefused": "too-much",
}

accounts = st.sampled_from(ACCOUNTS)
partners = st.sampled_from(sorted(PARTNERS))
schemes = st.sampled_from(sorted(SCHEMES))
fen = st.integers(1, 4000)
pick = st.randoms(use_true_random=False)


class WalletMachine(RuleBasedStateMachine):
    """Do something, ask for it again under the same id, and compare everything after every step."""

    engine_factory = None

    @initialize()
    def begin(self):
        self.engine, self.close = type(self).engine_factory()
        with writing(self.engine) as conn:
            metadata.create_all(conn, tables=TABLES)
        self.clock = FixedClock(NOON)
        self.wallet = WalletContext(
            ledger=Ledger(self.engine, self.clock),
            clock=self.clock,
            timezone=ZoneInfo("Asia/Shanghai"),
            limits=CityLimits(**{act: LimitRule(day_fen=f, day_count=n) for act, (f, n) in LIMITS.items()}),
        )
        self.book = wallet_model.Book(FIRST, PROGRAMMES, SCHEMES, ACCEPTS, RATES, LIMITS)
        self.numbers = itertools.count()
        self.passed = 0
        self._declare()
        for number in ACCOUNTS:
            self._do(self.book.open, (number,), Accounts(self.wallet).open, number)
            self._put_in(number, 5000)
        for name in PROGRAMMES:
            self.fund(name, 6000)
            self.grant(name, ACCOUNTS[0], 1000)

    def _declare(self):
        with writing(self.engine) as conn:
            self.wallet.ledger.open_accounts(conn, [AccountSpec(address=TRUST_BANK, code=1001)])
            for name, (kinds, last) in PROGRAMMES.items():
                wanted = Programme(
                    id=name, title=name, funder="office", partner_kinds=kinds, starts_on=FIRST, ends_on=last
                )
                add_programme(conn, self.wallet.ledger, wanted)
            for name, (per_yuan, rate_fen, days) in SCHEMES.items():
                wanted = Scheme(
                    partner=name, title=name, points_per_yuan=per_yuan, rate_fen=rate_fen, valid_days=days
                )
                add_scheme(conn, self.wallet.ledger, wanted)
            for (scheme, partner), promised in ACCEPTS.items():
                accept_points(conn, scheme, partner, promised)
            for (source, target), (give, get) in RATES.items():
                set_exchange_rate(conn, ExchangeRate(source=source, target=target, give=give, get=get))

    def _next(self):
        return derived_id("model", next(self.numbers))

    def _do(self, expect, expected_with, act, *with_, **more):
        """Ask for something twice under one id: both answers are the same, and what the book says."""
        identity = self._next()
        answers = []
        for _ in range(2):
            try:
                act(identity, *with_, **more)
                answers.append(None)
            except CitycardError as refused:
                answers.append(WORDS[type(refused).__name__])
        expected = expect(*expected_with)
        assert answers == [expected, expected]
        return identity

    def _put_in(self, number, amount_fen):
        moved = self.wallet.transfer(
            self._next(), TRUST_BANK, online_account(number), amount_fen, 90, ref="put in"
        )
        with writing(self.engine) as conn:
            self.wallet.ledger.post_all(conn, [moved])
        self.book.put_in(number, amount_fen)

    @rule(number=accounts, amount_fen=fen)
    def put_in(self, number, amount_fen):
        if self.book.state[number] != "closed":
            self._put_in(number, amount_fen)

    @rule(number=accounts, state=st.sampled_from(["frozen", "open", "open"]))
    def freeze_or_unfreeze(self, number, state):
        wallet = Accounts(self.wallet)
        act = wallet.freeze if state == "frozen" else wallet.unfreeze
        self._do(self.book.become, (number, state), act, number)

    @rule(number=accounts, sure=st.sampled_from([True, *[False] * 6]))
    def close_account(self, number, sure):
        if sure:
            self._do(self.book.close, (number,), Accounts(self.wallet).close, number)

    @rule(number=accounts, act=st.sampled_from(sorted(LIMITS)), most_fen=st.integers(2000, 12_000))
    def limit(self, number, act, most_fen):
        wanted = LimitRule(day_fen=most_fen)
        args = (number, ActKind(act), wanted)
        self._do(self.book.limit, (number, act, most_fen), Accounts(self.wallet).limit, *args)

    @rule(number=accounts, partner=partners, amount_fen=fen)
    def pay(self, number, partner, amount_fen):
        kind = PARTNERS[partner]
        key = derived_id("payment", len(self.book.payments))
        payee = Payee(partner=partner, kind=kind)
        args = (key, number, partner, kind, amount_fen)
        identity = self._do(self.book.pay, args, Payments(self.wallet).pay, number, payee, amount_fen)
        self._rename(key, identity)

    def _rename(self, key, identity):
        if key in self.book.payments:
            self.book.payments[identity] = self.book.payments.pop(key)

    @rule(pick=pick, amount_fen=fen)
    def give_back(self, pick, amount_fen):
        if self.book.payments:
            key = pick.choice(sorted(self.book.payments))
            self._do(self.book.give_back, (key, amount_fen), Payments(self.wallet).give_back, key, amount_fen)

    @rule(number=accounts, partner=partners, amount_fen=fen, days=st.integers(1, 3))
    def authorise(self, number, partner, amount_fen, days):
        key = derived_id("hold", len(self.book.holds))
        args = (number, partner, amount_fen, timedelta(days=days))
        expected = (key, number, partner, amount_fen, days)
        identity = self._do(self.book.authorise, expected, Holds(self.wallet).authorise, *args)
        if key in self.book.holds:
            self.book.holds[identity] = self.book.holds.pop(key)

    @rule(pick=pick, amount_fen=fen)
    def capture(self, pick, amount_fen):
        if self.book.holds:
            key, payment = (
                pick.choice(sorted(self.book.holds)),
                derived_id("captured", len(self.book.payments)),
            )
            args = (key, payment, amount_fen)
            identity = self._do(self.book.capture, args, Holds(self.wallet).capture, key, amount_fen)
            self._rename(payment, identity)

    @rule(pick=pick)
    def release(self, pick):
        if self.book.holds:
            key = pick.choice(sorted(self.book.holds))
            self._do(self.book.release, (key,), Holds(self.wallet).release, key)

    @rule(name=st.sampled_from(sorted(PROGRAMMES)), amount_fen=fen)
    def fund(self, name, amount_fen):
        identity = self._next()
        for _ in range(2):
            fund_programme(self.wallet, identity, name, amount_fen)
        self.book.fund(name, amount_fen)

    @rule(name=st.sampled_from(sorted(PROGRAMMES)), number=accounts, amount_fen=fen)
    def grant(self, name, number, amount_fen):
        def act(identity, *args):
            grant(self.wallet, identity, *args)

        self._do(self.book.grant, (name, number, amount_fen), act, name, number, amount_fen)

    @rule(number=accounts, scheme=schemes, amount_fen=fen)
    def earn(self, number, scheme, amount_fen):
        args = (number, scheme, amount_fen)
        self._do(self.book.earn, args, Points(self.wallet).earn, *args)
        # Lots that last equally long are used in the order in which they were earned.
        self.clock.moment += timedelta(seconds=1)

    @rule(number=accounts, scheme=schemes, partner=partners, points=st.integers(1, 60))
    def use(self, number, scheme, partner, points):
        args = (number, scheme, partner, points)
        self._do(self.book.use, args, Points(self.wallet).use, *args)

    @rule(number=accounts, pair=st.sampled_from(sorted(RATES)), points=st.integers(1, 60))
    def exchange(self, number, pair, points):
        args = (number, *pair, points)
        self._do(self.book.exchange, args, Points(self.wallet).exchange, *args)
        self.clock.moment += timedelta(seconds=1)

    @rule(days=st.integers(1, 2))
    def days_pass(self, days):
        # Every day it is a little later, so that holds of whole days have ended by then.
        self.passed += 1
        self.clock.moment = NOON + timedelta(days=(self.book.day - FIRST).days + days)
        self.clock.moment += timedelta(minutes=15 * self.passed)
        self.book.days_pass(days)

    @rule()
    def sweep(self):
        for _ in range(2):
            lapse_expired(self.wallet)
            lapse_lots(self.wallet)
        self.book.sweep()

    @invariant()
    def everything_is_as_in_the_book(self):
        if not hasattr(self, "book"):
            return
        ledger = self.wallet.ledger
        with reading(self.engine) as conn:
            for address, expected in self._expected().items():
                found = _balance(ledger, conn, address)
                assert (address, found) == (address, expected)
            for number in ACCOUNTS:
                assert available_fen(conn, self.wallet, online_account(number)) == self.book.free(number)
            for name in PROGRAMMES:
                assert report_programme(conn, ledger, name).difference_fen == 0
            for name in SCHEMES:
                assert report_scheme(conn, ledger, name).difference == 0
            trial = {
                line.code: line.credits_fen - line.debits_fen for line in ledger.trial_balance(conn).lines
            }
            assert sum(trial.values()) == 0
            assert ledger.audit(conn) == []

    def _expected(self):
        pockets = self.book.pockets
        found = {subsidy_fund(name): pockets["fund", name] for name in PROGRAMMES}
        found |= {points_fund(name): self.book.worth(name) for name in SCHEMES}
        found |= {partner_payable(name): pockets["partner", name] for name in PARTNERS}
        for number in ACCOUNTS:
            found[online_account(number)] = pockets["own", number]
            found[account_refund(number)] = pockets["owed", number]
            found |= {account_subsidy(number, name): pockets["subsidy", number, name] for name in PROGRAMMES}
            found |= {account_points(number, name): self.book.points(number, name) for name in SCHEMES}
        return found

    def teardown(self):
        if hasattr(self, "engine"):
            self.engine.dispose()
            self.close()


def _balance(ledger, conn, address):
    try:
        return ledger.balance_fen(conn, address)
    except CitycardError:
        return 0


def run(engine_factory, *, examples, steps):
    WalletMachine.engine_factory = staticmethod(engine_factory)
    run_state_machine_as_test(
        WalletMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_whatever_is_done_agrees_with_the_book():
    def sqlite():
        folder = TemporaryDirectory()
        return open_store(f"sqlite:///{folder.name}/city.db"), folder.cleanup

    run(sqlite, examples=8, steps=20)


@pytest.mark.deep
def test_whatever_is_done_agrees_with_the_book_for_longer():
    def sqlite():
        folder = TemporaryDirectory()
        return open_store(f"sqlite:///{folder.name}/city.db"), folder.cleanup

    run(sqlite, examples=40, steps=30)


@pytest.mark.postgresql
def test_whatever_is_done_agrees_with_the_book_on_postgresql(postgresql_url):
    numbers, admin = itertools.count(), open_store(postgresql_url)

    def postgresql():
        schema = f"wallet_{next(numbers)}"
        with writing(admin) as conn:
            conn.execute(text(f"CREATE SCHEMA {schema}"))
        return open_store(f"{postgresql_url}&options=-csearch_path%3D{schema}"), lambda: None

    run(postgresql, examples=4, steps=12)
    admin.dispose()
