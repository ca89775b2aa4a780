from datetime import timedelta

import pytest

from citycard.errors import AccountNotOpen, LimitLoosened, OnlineAccountUnknown
from citycard.ids import new_id
from citycard.store import reading
from citycard.wallet import (
    Accounts,
    AccountStatus,
    ActKind,
    Holds,
    LimitRule,
    account_refund,
    account_subsidy,
    online_account,
    report_programme,
)
from citycard.wallet.online import own_limits


@pytest.fixture
def accounts(wallet):
    return Accounts(wallet)


def test_an_account_is_opened_once_and_found_by_its_number(wallet, accounts):
    first, again = (accounts.open(new_id(), "7" * 20) for _ in range(2))
    assert first == again == accounts.find("7" * 20)
    assert (first.number, first.asn, first.status) == ("7" * 20, "7" * 20, AccountStatus.OPEN)
    with pytest.raises(OnlineAccountUnknown, match="citycard account open"):
        accounts.find("8" * 20)


def test_closing_pays_the_rest_into_a_refund_that_is_due(wallet, opened, accounts, give_meals):
    number = opened(1, 4200)
    give_meals(number, 900)
    for _ in range(2):
        assert accounts.close(new_id(), number).status is AccountStatus.CLOSED
    with reading(wallet.engine) as conn:
        balances = {
            address: wallet.ledger.balance_fen(conn, address)
            for address in (online_account(number), account_refund(number), account_subsidy(number, "meals"))
        }
        report = report_programme(conn, wallet.ledger, "meals")
    assert list(balances.values()) == [0, 4200, 0]
    assert (report.lapsed_fen, report.difference_fen) == (900, 0)


def test_an_account_with_something_held_is_not_closed(wallet, opened, accounts):
    number = opened(1, 4200)
    held = Holds(wallet).authorise(new_id(), number, "hotel", 200, timedelta(days=1))
    with pytest.raises(AccountNotOpen, match="200 fen are held, capture or release them first"):
        accounts.close(new_id(), number)
    Holds(wallet).release(new_id(), held.id)
    assert accounts.close(new_id(), number).status is AccountStatus.CLOSED


def test_a_closed_account_stays_closed(opened, accounts):
    number = opened(1)
    accounts.close(new_id(), number)
    for act in (accounts.freeze, accounts.unfreeze):
        with pytest.raises(AccountNotOpen, match="is closed"):
            act(new_id(), number)


def test_an_owner_may_be_tighter_than_the_city_and_not_looser(wallet, opened, accounts):
    number = opened(1)
    accounts.limit(new_id(), number, ActKind.PAY, LimitRule(single_fen=50_000, day_count=3))
    with pytest.raises(LimitLoosened, match="single_fen for pay is 50001: the city allows 50000"):
        accounts.limit(new_id(), number, ActKind.PAY, LimitRule(single_fen=50_001))
    accounts.limit(new_id(), number, ActKind.PAY, LimitRule(day_count=2))
    with reading(wallet.engine) as conn:
        assert own_limits(conn, number) == {ActKind.PAY: LimitRule(day_count=2)}
