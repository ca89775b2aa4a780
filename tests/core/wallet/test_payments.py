from datetime import timedelta
from threading import Thread

import pytest

from citycard.errors import (
    AccountNotOpen,
    ActDiffers,
    FundsMissing,
    LimitExceeded,
    PaymentUnknown,
    RefundRefused,
    WalletInvalid,
)
from citycard.ids import new_id
from citycard.store import reading
from citycard.wallet import (
    Accounts,
    ActKind,
    LimitRule,
    Payee,
    Payments,
    account_refund,
    account_subsidy,
    online_account,
    partner_payable,
    report_programme,
    subsidy_fund,
)

CANTEEN, MUSEUM = Payee(partner="canteen", kind="food"), Payee(partner="museum", kind="culture")


def balance(wallet, address):
    with reading(wallet.engine) as conn:
        return wallet.ledger.balance_fen(conn, address)


def parts(paid):
    return [(part.programme, part.amount_fen, part.returned_fen) for part in paid.parts]


@pytest.fixture
def payments(wallet):
    return Payments(wallet)


def test_subsidies_that_fit_pay_first_and_the_account_the_rest(wallet, opened, payments, give_meals):
    number = opened(1, 10_000)
    give_meals(number, 3000)
    assert parts(payments.pay(new_id(), number, MUSEUM, 1000)) == [("", 1000, 0)]
    assert parts(payments.pay(new_id(), number, CANTEEN, 5000)) == [("meals", 3000, 0), ("", 2000, 0)]
    assert balance(wallet, partner_payable("canteen")) == 5000
    assert balance(wallet, online_account(number)) == 7000


def test_a_payment_keeps_what_it_was_for_and_is_another_one_for_something_else(opened, payments):
    identity, number = new_id(), opened(1, 10_000)
    assert payments.pay(identity, number, CANTEEN, 100, service="lunch").service == "lunch"
    assert payments.find(identity).service == "lunch"
    assert payments.pay(new_id(), number, CANTEEN, 100).service == ""
    with pytest.raises(ActDiffers):
        payments.pay(identity, number, CANTEEN, 100, service="supper")


def test_nothing_is_taken_where_all_together_is_too_little(wallet, opened, payments, give_meals):
    number = opened(1, 1000)
    give_meals(number, 3000)
    with pytest.raises(FundsMissing, match="has 4000 fen for this: 4001 fen are wanted"):
        payments.pay(new_id(), number, CANTEEN, 4001)
    with pytest.raises(FundsMissing, match="has 1000 fen for this"):
        payments.pay(new_id(), number, MUSEUM, 1001)
    assert (balance(wallet, online_account(number)), balance(wallet, account_subsidy(number, "meals"))) == (
        1000,
        3000,
    )


def test_what_is_given_back_goes_to_where_it_came_from(wallet, opened, payments, give_meals):
    number = opened(1, 10_000)
    give_meals(number, 3000)
    paid = payments.pay(new_id(), number, CANTEEN, 5000)
    assert parts(payments.give_back(new_id(), paid.id, 2500)) == [("meals", 3000, 500), ("", 2000, 2000)]
    assert balance(wallet, account_subsidy(number, "meals")) == 500
    assert balance(wallet, online_account(number)) == 10_000
    with pytest.raises(RefundRefused, match="2500 fen can be given back, 2501 fen are wanted"):
        payments.give_back(new_id(), paid.id, 2501)
    assert payments.give_back(new_id(), paid.id, 2500).returned_fen == 5000


def test_a_subsidy_that_is_over_goes_back_to_its_fund(wallet, opened, payments, clock, give_meals):
    number = opened(1, 10_000)
    give_meals(number, 3000)
    paid = payments.pay(new_id(), number, CANTEEN, 3000)
    clock.moment += timedelta(days=40)
    payments.give_back(new_id(), paid.id, 3000)
    assert balance(wallet, account_subsidy(number, "meals")) == 0
    assert balance(wallet, subsidy_fund("meals")) == 3000
    with reading(wallet.engine) as conn:
        report = report_programme(conn, wallet.ledger, "meals")
    assert (report.spent_fen, report.lapsed_fen, report.left_fen, report.difference_fen) == (0, 3000, 0, 0)


def test_money_that_comes_back_to_a_closed_account_is_owed(wallet, opened, payments):
    number = opened(1, 10_000)
    paid = payments.pay(new_id(), number, MUSEUM, 4000)
    Accounts(wallet).close(new_id(), number)
    payments.give_back(new_id(), paid.id, 1500)
    assert balance(wallet, account_refund(number)) == 7500


@pytest.mark.parametrize("state", ["freeze", "close"])
def test_nothing_is_paid_from_an_account_that_is_not_open(wallet, opened, payments, state):
    number = opened(1, 10_000)
    getattr(Accounts(wallet), state)(new_id(), number)
    with pytest.raises(AccountNotOpen, match="nothing is paid from it"):
        payments.pay(new_id(), number, MUSEUM, 1)


def test_a_limit_says_which_it_is_what_is_used_and_until_when(wallet, opened, payments):
    number = opened(1, 100_000)
    Accounts(wallet).limit(new_id(), number, ActKind.PAY, LimitRule(day_fen=6000, week_count=2))
    with pytest.raises(LimitExceeded, match="pay at once, in fen is limited to 50000, 0 are used"):
        payments.pay(new_id(), number, MUSEUM, 50_001)
    payments.pay(new_id(), number, MUSEUM, 4000)
    told = r"account .*: pay per day, in fen is limited to 6000, 4000 are used until 2026-11-29 00:00"
    with pytest.raises(LimitExceeded, match=told) as caught:
        payments.pay(new_id(), number, MUSEUM, 2001)
    assert caught.value.data["wanted"] == 2001
    payments.pay(new_id(), number, MUSEUM, 2000)
    with pytest.raises(LimitExceeded, match="pay per day"):
        payments.pay(new_id(), number, MUSEUM, 1)


def test_a_limit_ends_with_its_period(wallet, opened, payments, clock):
    number = opened(1, 100_000)
    Accounts(wallet).limit(new_id(), number, ActKind.PAY, LimitRule(day_count=1, week_count=2))
    payments.pay(new_id(), number, MUSEUM, 1)
    clock.moment += timedelta(days=1)
    payments.pay(new_id(), number, MUSEUM, 1)
    clock.moment += timedelta(hours=14)  # still Sunday in Shanghai
    with pytest.raises(LimitExceeded, match=r"per day, in times .* until 2026-11-30"):
        payments.pay(new_id(), number, MUSEUM, 1)
    clock.moment += timedelta(hours=2)
    payments.pay(new_id(), number, MUSEUM, 1)


def test_what_subsidies_pay_counts_under_no_limit(wallet, opened, payments, give_meals):
    number = opened(1, 10_000)
    give_meals(number, 3000)
    Accounts(wallet).limit(new_id(), number, ActKind.PAY, LimitRule(day_fen=0))
    assert payments.pay(new_id(), number, CANTEEN, 3000).amount_fen == 3000
    with pytest.raises(LimitExceeded):
        payments.pay(new_id(), number, CANTEEN, 1)


def test_payments_at_once_cannot_slip_under_one_limit(wallet, opened, payments):
    number = opened(1, 100_000)
    Accounts(wallet).limit(new_id(), number, ActKind.PAY, LimitRule(day_fen=3000))
    refused = []

    def pay():
        try:
            payments.pay(new_id(), number, MUSEUM, 1000)
        except LimitExceeded as error:
            refused.append(error)

    threads = [Thread(target=pay) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(refused), balance(wallet, online_account(number))) == (3, 97_000)


@pytest.mark.parametrize("amount_fen", [0, -1, 10**13])
def test_an_amount_that_cannot_be_paid_is_refused(payments, opened, amount_fen):
    with pytest.raises(WalletInvalid, match="amount_fen"):
        payments.pay(new_id(), opened(1), MUSEUM, amount_fen)


def test_a_payment_nobody_made_is_told(payments):
    with pytest.raises(PaymentUnknown):
        payments.give_back(new_id(), new_id(), 1)
