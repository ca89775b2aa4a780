"""The float at any moment is what the transfers until then say, and both its sides are equal."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citycard.clock import FixedClock
from citycard.ids import new_id
from citycard.ledger import AccountSpec, Ledger, Transfer
from citycard.ledger.history import number_at
from citycard.store import reading, writing
from citycard.wallet.checkpoints import audit_float, keep_checkpoint
from citycard.wallet.float import float_at, float_over

START = datetime(2018, 9, 1, tzinfo=UTC)
CODES = {
    "trust/bank": 1001,
    "agent/shop/receivable": 1101,
    "transit/settlement": 1103,
    "card/1/purse": 2001,
    "card/2/purse": 2001,
    "account/1": 2002,
    "partner/metro/payable": 2101,
    "suspense": 2201,
    "card/1/refund": 2203,
    "fund": 2204,
    "income/fee": 4001,
    "loss": 5002,
    "control/window": 9001,
}


def spec(address, code):
    return AccountSpec(address=address, code=code)


def moved(debit, credit, amount_fen, code):
    return Transfer(
        id=new_id(),
        debit_address=debit,
        credit_address=credit,
        amount_fen=amount_fen,
        code=code,
        event_time=datetime(2018, 9, 1, 8),
        business_date=date(2018, 9, 1),
    )


@pytest.fixture
def books(store):
    """A ledger with a clock to move, and the paper on which its transfers are written beside it."""
    ledger = Ledger(store, FixedClock(START))
    with writing(store) as conn:
        ledger.open_accounts(conn, [spec(*pair) for pair in CODES.items()])
    return ledger, []


def post(ledger, paper, moves):
    with writing(ledger.engine) as conn:
        ledger.post_all(conn, [moved(*move) for move in moves])
    paper += [(ledger.clock.moment, *move) for move in moves]


def on_paper(paper, at):
    """Sum the paper by account code; assets and expenses count debits."""
    sums = defaultdict(int)
    for moment, debit, credit, amount_fen, _ in paper:
        if moment <= at:
            for address, fen in ((debit, amount_fen), (credit, -amount_fen)):
                sums[CODES[address]] += fen if CODES[address] // 1000 in {1, 5} else -fen
    return {code: fen for code, fen in sums.items() if fen}


def told(report):
    return {line.code: line.balance_fen for line in report.lines if line.balance_fen}


moves = st.lists(
    st.tuples(
        st.sampled_from(sorted(CODES)),
        st.sampled_from(sorted(CODES)),
        st.integers(1, 10**9),
        st.integers(10, 199),
    ).filter(lambda move: move[0] != move[1]),
    min_size=1,
    max_size=4,
)
# Transactions, each after so many seconds; with 0 several fall on one moment. The flag keeps a checkpoint.
days = st.lists(st.tuples(st.integers(0, 40_000), moves, st.booleans()), min_size=1, max_size=6)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=days, looks=st.lists(st.integers(-10, 240_000), max_size=6))
def test_at_every_moment_both_sides_are_equal_and_are_what_the_paper_says(books, days, looks):
    ledger, paper = books
    begun = ledger.clock.moment
    for wait_s, batch, kept in days:
        ledger.clock.moment += timedelta(seconds=wait_s)
        post(ledger, paper, batch)
        if kept:
            with writing(ledger.engine) as conn:
                keep_checkpoint(conn, float_at(conn, ledger.clock.moment))
    moments = sorted(
        {
            *(begun + timedelta(seconds=look) for look in looks),
            *(moment + shift for moment, *_ in paper[-12:] for shift in _AROUND),
        }
    )
    with reading(ledger.engine) as conn:
        single = [float_at(conn, at) for at in moments]
        assert list(float_over(conn, moments)) == single
        assert audit_float(conn) == []
    for report in single:
        assert report.difference_fen == 0
        assert told(report) == on_paper(paper, report.at)
        assert report.number == sum(moment <= report.at for moment, *_ in paper)


_AROUND = (timedelta(microseconds=-1), timedelta(0), timedelta(microseconds=1))


def test_before_the_first_transfer_there_is_nothing(books):
    ledger, _ = books
    with reading(ledger.engine) as conn:
        report = float_at(conn, START)
    assert (report.number, report.lines, report.difference_fen) == (0, (), 0)


def test_a_moment_holds_what_was_posted_in_it(books):
    ledger, paper = books
    for hours in range(5):
        ledger.clock.moment = START + timedelta(hours=hours)
        post(ledger, paper, [("trust/bank", "card/1/purse", 100, 10)] * 2)
    with reading(ledger.engine) as conn:
        numbers = [number_at(conn, START + timedelta(minutes=minutes)) for minutes in (-1, 0, 1, 60, 61, 999)]
    assert numbers == [0, 2, 2, 4, 4, 10]


def test_the_report_names_its_sums_by_class(books):
    ledger, paper = books
    post(
        ledger,
        paper,
        [
            ("trust/bank", "card/1/purse", 5000, 10),
            ("card/1/purse", "partner/metro/payable", 380, 20),
            ("partner/metro/payable", "income/fee", 3, 40),
            ("loss", "card/2/purse", 20, 66),
        ],
    )
    with reading(ledger.engine) as conn:
        report = float_at(conn, START)
    assert report.balance_fen(2001) == 4640
    assert (report.assets_fen, report.liabilities_fen, report.income_fen, report.expenses_fen) == (
        5000,
        5017,
        3,
        20,
    )
    assert report.lines[0].title == "Trust bank"


def test_a_leg_without_its_account_is_a_difference(books, monkeypatch):
    ledger, paper = books
    post(ledger, paper, [("trust/bank", "card/1/purse", 5000, 10)])
    with writing(ledger.engine) as conn:
        keep_checkpoint(conn, float_at(conn, START))
        # As if a leg of the kept sums had been lost on the disk.
        conn.exec_driver_sql(
            "ALTER TABLE float_sum DISABLE TRIGGER ALL"
            if conn.dialect.name == "postgresql"
            else "DROP TRIGGER float_sum_no_delete"
        )
        conn.exec_driver_sql("DELETE FROM float_sum WHERE account_code = 2001")
    with reading(ledger.engine) as conn:
        assert float_at(conn, START).difference_fen == 5000
        assert [one.invariant for one in audit_float(conn)] == ["F1"]


def test_memoranda_that_mirror_each_other_and_points_are_no_money(store):
    ledger = Ledger(store, FixedClock(START))
    pairs = [("agent/kiosk/quota-given", 9102, "agent/kiosk/quota", 9101, "CNY")]
    pairs += [("points/shop/issued", 8001, "account/1/points", 8002, "PTS")]
    with writing(store) as conn:
        for debit, debit_code, credit, credit_code, currency in pairs:
            ledger.open_accounts(conn, [AccountSpec(address=debit, code=debit_code, currency=currency)])
            ledger.open_accounts(conn, [AccountSpec(address=credit, code=credit_code, currency=currency)])
            ledger.post_all(conn, [moved(debit, credit, 50_000, 112)])
        report = float_at(conn, START + timedelta(days=1))
    assert (report.control_fen, report.difference_fen) == (0, 0)
