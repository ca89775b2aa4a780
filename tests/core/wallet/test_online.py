import pytest

from citycard.errors import OnlineAccountUnknown
from citycard.ids import new_id
from citycard.store import reading, writing
from citycard.wallet import Accounts, accounts_of, find_account, move_account
from citycard.wallet.online import hold_accounts

OLD, NEW, OTHER = ("1" * 20, "2" * 20, "3" * 20)


@pytest.fixture
def account(wallet):
    return Accounts(wallet).open(new_id(), OLD)


def test_an_account_moves_to_the_successor_of_its_card_and_keeps_its_number(wallet, account):
    with writing(wallet.engine) as conn:
        assert [move_account(conn, OLD, NEW) for _ in range(2)] == [True, False]
    with reading(wallet.engine) as conn:
        found = find_account(conn, NEW)
        assert (found.number, found.asn) == (OLD, NEW)
        assert find_account(conn, OLD) == found
        assert set(accounts_of(conn, [NEW, OTHER])) == {NEW}


def test_a_closed_account_stays_with_its_card(wallet, account):
    Accounts(wallet).close(new_id(), OLD)
    with writing(wallet.engine) as conn:
        assert not move_account(conn, OLD, NEW)


def test_a_card_with_an_account_gets_no_second_one(wallet, account):
    Accounts(wallet).open(new_id(), NEW)
    with writing(wallet.engine) as conn:
        assert not move_account(conn, OLD, NEW)
        assert find_account(conn, NEW).number == NEW


def test_accounts_are_held_in_one_order(wallet, account):
    Accounts(wallet).open(new_id(), NEW)
    with writing(wallet.engine) as conn:
        assert list(hold_accounts(conn, [NEW, OTHER, OLD])) == [OLD, NEW]


def test_an_account_nobody_opened_is_told(wallet):
    with reading(wallet.engine) as conn, pytest.raises(OnlineAccountUnknown):
        find_account(conn, OTHER)
