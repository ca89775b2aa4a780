"""What is owed for an account is paid to its holder: once, never more, and what they owe is taken first."""

import pytest
from moneytown import BrokenOff, balances, breaking, move

from citycard.bank import BankAccount
from citycard.bank.payments import payments
from citycard.city.accountpayouts import pay_account
from citycard.city.accountview import read_account
from citycard.errors import AccountNotOwed, ActDiffers, BankDetailsInvalid, OnlineAccountUnknown
from citycard.ids import new_id
from citycard.ledger import AccountSpec
from citycard.store import reading, writing
from citycard.wallet import Accounts

CARD = "01010199010000000001"
HOLDER = BankAccount(name="李雷", account="6222000011112222")
OWED = f"account/{CARD}/refund"


@pytest.fixture
def closed(money_town):
    """A city with an account that was closed with 9 yuan in it."""
    move(money_town, "trust/bank", f"account/{CARD}/online", 900)
    Accounts(money_town.wallet).close(new_id(), CARD)
    return money_town


def owe(city, amount_fen):
    """Let the holder owe the city something."""
    claim = f"card/{CARD}/claim"
    with writing(city.engine) as conn:
        city.ledger.open_accounts(conn, [AccountSpec(address=claim, code=1106, owner=CARD)])
        city.ledger.post_all(
            conn, [city.wallet.transfer(new_id(), claim, "trust/bank", amount_fen, 172, ref="test")]
        )


def test_what_is_owed_goes_to_a_bank_account(closed):
    paid = pay_account(closed, new_id(), CARD, creditor=HOLDER)
    with reading(closed.engine) as conn:
        (ordered,) = payments(conn)
    assert (ordered.amount_fen, ordered.creditor, ordered.source) == (900, HOLDER, OWED)
    assert (paid.paid_fen, paid.end_to_end, paid.state) == (900, ordered.end_to_end, "ordered")
    assert balances(closed) == {"trust/bank": 900, "transit/settlement": -900}
    assert read_account(closed, CARD).owed_fen == 0


def test_without_a_bank_account_it_is_cash(closed):
    paid = pay_account(closed, new_id(), CARD)
    assert (paid.paid_fen, paid.end_to_end, paid.state) == (900, "", "")
    assert balances(closed) == {}


@pytest.mark.parametrize("creditor", [None, HOLDER])
def test_asked_again_it_was_paid_once(closed, creditor):
    identity = new_id()
    first = pay_account(closed, identity, CARD, 400, creditor=creditor)
    assert pay_account(closed, identity, CARD, 400, creditor=creditor) == first
    assert read_account(closed, CARD).owed_fen == 500
    with pytest.raises(ActDiffers):
        pay_account(closed, identity, CARD, 401, creditor=creditor)
    assert pay_account(closed, new_id(), CARD, creditor=creditor).paid_fen == 500


@pytest.mark.parametrize("fen", [901, 0, -5])
def test_what_is_not_owed_is_not_paid(closed, fen):
    with pytest.raises(AccountNotOwed, match=r"9\.00 yuan are owed for it, which does not cover"):
        pay_account(closed, new_id(), CARD, fen)
    assert read_account(closed, CARD).owed_fen == 900


def test_an_account_that_is_owed_nothing_says_so(money_town):
    with pytest.raises(OnlineAccountUnknown):
        pay_account(money_town, new_id(), CARD)
    move(money_town, "trust/bank", f"account/{CARD}/online", 900)
    with pytest.raises(AccountNotOwed, match="nothing is owed for it"):
        pay_account(money_town, new_id(), CARD)


def test_a_bank_account_that_cannot_be_is_refused_and_asked_again_is_paid(closed):
    identity = new_id()
    with pytest.raises(BankDetailsInvalid):
        pay_account(closed, identity, CARD, creditor=BankAccount(name="", account="1"))
    assert pay_account(closed, identity, CARD, creditor=HOLDER).paid_fen == 900


@pytest.mark.parametrize(("claim_fen", "paid_fen"), [(300, 600), (900, 0), (1200, 0)])
def test_what_the_holder_owes_is_taken_first(closed, claim_fen, paid_fen):
    owe(closed, claim_fen)
    identity = new_id()
    for _ in range(2):
        paid = pay_account(closed, identity, CARD, creditor=HOLDER)
        assert (paid.paid_fen, paid.claim_fen) == (paid_fen, min(claim_fen, 900))
    assert balances(closed).get(f"card/{CARD}/claim", 0) == max(0, claim_fen - 900)


@pytest.mark.parametrize("creditor", [None, HOLDER])
def test_broken_off_at_any_statement_it_is_paid_once(closed, creditor):
    owe(closed, 100)
    identity, before, number, paid = new_id(), balances(closed), 0, None
    while paid is None:
        number += 1
        try:
            with breaking(closed.engine, number):
                paid = pay_account(closed, identity, CARD, creditor=creditor)
        except BrokenOff:
            assert balances(closed) == before or OWED not in balances(closed)
    assert number > 8
    assert (paid.paid_fen, paid.claim_fen, OWED in balances(closed)) == (800, 100, False)
