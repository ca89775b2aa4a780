from datetime import timedelta

import pytest

from citycard.errors import AccountNotOpen, GrantRefused, ProgrammeUnknown, WalletInvalid
from citycard.ids import new_id
from citycard.store import reading
from citycard.wallet import (
    Accounts,
    BadLine,
    GrantLine,
    Payee,
    Payments,
    account_subsidy,
    fund_programme,
    grant,
    grant_lines,
    grants_of,
    lapse_expired,
    report_programme,
)


@pytest.fixture
def meals(wallet, opened, give_meals):
    """Give the first account 10 yuan of the meals, and the programme 90 more."""
    give_meals(opened(1), 1000)
    fund_programme(wallet, new_id(), "meals", 9000)
    return "meals"


def report(wallet, programme="meals"):
    with reading(wallet.engine) as conn:
        found = report_programme(conn, wallet.ledger, programme)
    assert found.difference_fen == 0
    return found


def lines(*rows):
    return [
        GrantLine(line=place, number=f"{number:020d}", amount_fen=fen)
        for place, (number, fen) in enumerate(rows, 2)
    ]


def test_a_file_is_granted_and_comes_again_without_harm(wallet, opened, meals):
    opened(2)
    done = grant_lines(wallet, meals, "2026-11", lines((1, 500), (2, 700)))
    assert (done.granted, done.granted_fen, done.repeated, done.bad) == (2, 1200, 0, ())
    again = grant_lines(wallet, meals, "2026-11", lines((2, 700), (1, 500)))
    assert (again.granted, again.granted_fen, again.repeated) == (0, 0, 2)
    assert report(wallet).granted_fen == 2200
    with reading(wallet.engine) as conn:
        assert max(grants_of(conn, meals)) == (f"{2:020d}", 700, "2026-11")


def test_bad_lines_are_told_and_the_rest_is_granted(wallet, opened, meals):
    closed = opened(3)
    Accounts(wallet).close(new_id(), closed)
    grant_lines(wallet, meals, "2026-11", lines((1, 500)))
    opened(2)
    earlier = BadLine(line=9, reason="no number")
    rows = lines((1, 501), (2, 700), (3, 5), (4, 5), (1, 500))
    done = grant_lines(wallet, meals, "2026-11", rows, [earlier])
    assert (done.granted, done.repeated) == (1, 1)
    assert {one.line: one.reason for one in done.bad} == {
        2: f"{1:020d} was granted 500 fen under 2026-11, not 501",
        4: f"account {3:020d} is closed: it takes nothing in",
        5: f"card {4:020d} has no online account",
        9: "no number",
    }


def test_no_more_is_granted_than_the_budget_has(wallet, opened, meals):
    opened(2)
    done = grant_lines(wallet, meals, "2026-11", lines((1, 8000), (2, 1001)))
    (told,) = done.bad
    assert "1000 fen of its budget are left, 1001 fen are to be granted" in told.reason
    with pytest.raises(GrantRefused, match="1000 fen of its budget are left"):
        grant(wallet, new_id(), meals, f"{2:020d}", 1001)
    assert report(wallet).left_fen == 1000


def test_what_lapsed_is_not_granted_again(wallet, opened, meals, clock):
    number = f"{1:020d}"
    clock.moment += timedelta(days=40)
    assert [lapse_expired(wallet) for _ in range(2)] == [1000, 0]
    found = report(wallet)
    assert (found.lapsed_fen, found.left_fen, found.fund_fen, found.held_fen) == (1000, 9000, 10_000, 0)
    with pytest.raises(GrantRefused, match="it ended on 2026-12-31"):
        grant(wallet, new_id(), meals, number, 1)


def test_nothing_lapses_before_its_last_day_is_over(wallet, meals, clock):
    clock.moment = clock.moment.replace(month=12, day=31, hour=15, minute=59)  # a minute before midnight
    assert lapse_expired(wallet) == 0
    clock.moment += timedelta(minutes=1)
    assert lapse_expired(wallet) == 1000


def test_granted_is_spent_and_lapsed_and_held(wallet, opened, meals, clock):
    paid = Payments(wallet).pay(new_id(), f"{1:020d}", Payee(partner="canteen", kind="food"), 600)
    Payments(wallet).give_back(new_id(), paid.id, 100)
    found = report(wallet)
    assert (found.budget_fen, found.granted_fen, found.spent_fen, found.held_fen) == (10_000, 1000, 500, 500)
    assert (found.accounts, found.left_fen) == (1, 9000)


def test_a_grant_needs_a_programme_an_open_account_and_an_amount(wallet, opened, meals):
    with pytest.raises(ProgrammeUnknown):
        grant(wallet, new_id(), "gone", f"{1:020d}", 1)
    with pytest.raises(WalletInvalid, match="amount_fen"):
        grant(wallet, new_id(), meals, f"{1:020d}", 0)
    with pytest.raises(WalletInvalid, match="batch"):
        grant_lines(wallet, meals, "", lines((1, 1)))
    Accounts(wallet).close(new_id(), f"{1:020d}")
    with pytest.raises(AccountNotOpen):
        grant(wallet, new_id(), meals, f"{1:020d}", 1)
    with reading(wallet.engine) as conn:
        assert wallet.ledger.balance_fen(conn, account_subsidy(f"{1:020d}", meals)) == 0
