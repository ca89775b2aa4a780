from datetime import timedelta

import pytest

from citycard.errors import (
    AccountNotOpen,
    ActDiffers,
    FundsMissing,
    HoldRefused,
    HoldUnknown,
    LimitExceeded,
    WalletInvalid,
)
from citycard.ids import derived_id, new_id
from citycard.store import reading
from citycard.wallet import (
    Accounts,
    ActKind,
    Holds,
    LimitRule,
    Payee,
    Payments,
    available_fen,
    holds_of,
    online_account,
    partner_payable,
)
from citycard.wallet.onward import Onward

DAY = timedelta(days=1)


@pytest.fixture
def holds(wallet):
    return Holds(wallet)


def money(wallet, number):
    """Return the balance of an account, what is free of it, and what the hotel is owed."""
    with reading(wallet.engine) as conn:
        address = online_account(number)
        return (
            wallet.ledger.balance_fen(conn, address),
            available_fen(conn, wallet, address),
            wallet.ledger.balance_fen(conn, partner_payable("hotel")),
        )


def test_what_is_held_is_the_owners_and_cannot_be_spent(wallet, opened, holds):
    number = opened(1, 10_000)
    held = holds.authorise(new_id(), number, "hotel", 8000, DAY, note="room 7")
    assert (held.state, held.note, held.expires_at) == ("pending", "room 7", wallet.clock.now() + DAY)
    assert money(wallet, number) == (10_000, 2000, 0)
    with pytest.raises(FundsMissing, match="has 2000 fen"):
        Payments(wallet).pay(new_id(), number, Payee(partner="shop"), 2001)
    with pytest.raises(FundsMissing):
        holds.authorise(new_id(), number, "hotel", 2001, DAY)


def test_a_capture_takes_a_part_once_and_frees_the_rest(wallet, opened, holds):
    number, capture = opened(1, 10_000), new_id()
    held = holds.authorise(new_id(), number, "hotel", 8000, DAY)
    for _ in range(2):
        done = holds.capture(capture, held.id, 6500)
        assert (done.state, done.captured_fen) == ("posted", 6500)
        assert money(wallet, number) == (3500, 3500, 6500)
    for act in (holds.capture, holds.release):
        with pytest.raises(HoldRefused, match="it is posted: it ends once"):
            act(new_id(), held.id)


def test_a_capture_is_a_payment_that_can_be_given_back(wallet, opened, holds):
    number, capture = opened(1, 10_000), new_id()
    held = holds.authorise(new_id(), number, "hotel", 8000, DAY)
    holds.capture(capture, held.id)
    paid = Payments(wallet).find(capture)
    assert (paid.hold, paid.amount_fen, paid.partner) == (held.id, 8000, "hotel")
    Payments(wallet).give_back(new_id(), capture, 1000)
    assert money(wallet, number) == (3000, 3000, 7000)


def test_a_fee_goes_on_with_the_capture_and_comes_back_with_the_refund(wallet, opened, holds):
    number, capture = opened(1, 10_000), new_id()
    held = holds.authorise(new_id(), number, "hotel", 8000, DAY)
    for _ in range(2):
        holds.capture(capture, held.id, 6500, onward=[Onward.share("fees", 65)])
    assert money(wallet, number) == (3500, 3500, 6435)
    with pytest.raises(ActDiffers):
        holds.capture(capture, held.id, 6500)
    Payments(wallet).give_back(new_id(), capture, 6500, onward=[Onward.share("fees", 65)])
    assert money(wallet, number) == (10_000, 10_000, 0)
    again = holds.authorise(new_id(), number, "hotel", 1000, DAY)
    with pytest.raises(WalletInvalid, match="together at most 10"):
        holds.capture(new_id(), again.id, 10, onward=[Onward.share("fees", 11)])
    assert holds.find(again.id).state == "pending"


def test_no_id_that_a_partner_makes_is_one_of_the_ledger(wallet, opened, holds):
    number = opened(1, 10_000)
    ids = [derived_id("clearing", 7, "payable", name) for name in ("bus", "metro", "taxi", "canteen")]
    holds.authorise(ids[0], number, "hotel", 1, DAY)
    holds.capture(ids[1], ids[0])
    holds.authorise(ids[2], number, "hotel", 1, DAY)
    holds.release(ids[3], ids[2])
    with reading(wallet.engine) as conn:
        assert wallet.ledger.find(conn, ids) == {}
        assert {one.id: one.state for one in holds_of(conn, wallet)} == {ids[0]: "posted", ids[2]: "voided"}
        assert wallet.ledger.audit(conn) == []


def test_more_than_is_held_is_not_captured_and_the_hold_stays(wallet, opened, holds):
    held = holds.authorise(new_id(), opened(1, 10_000), "hotel", 8000, DAY)
    with pytest.raises(HoldRefused, match="8000 fen are held: 8001 fen cannot be captured"):
        holds.capture(new_id(), held.id, 8001)
    assert holds.find(held.id).state == "pending"


def test_a_release_frees_everything(wallet, opened, holds):
    number = opened(1, 10_000)
    held = holds.authorise(new_id(), number, "hotel", 8000, DAY)
    assert holds.release(new_id(), held.id).state == "voided"
    assert money(wallet, number) == (10_000, 10_000, 0)


def test_a_hold_ends_by_itself_and_its_money_is_free_at_once(wallet, opened, holds, clock):
    number = opened(1, 10_000)
    held = holds.authorise(new_id(), number, "hotel", 8000, DAY)
    clock.moment += DAY
    assert holds.find(held.id).state == "expired"
    assert money(wallet, number) == (10_000, 10_000, 0)
    with pytest.raises(HoldRefused, match="it is expired"):
        holds.capture(new_id(), held.id)
    assert Payments(wallet).pay(new_id(), number, Payee(partner="shop"), 10_000).amount_fen == 10_000


def test_a_frozen_account_holds_nothing_new_and_what_is_held_can_be_captured(wallet, opened, holds):
    number = opened(1, 10_000)
    held = holds.authorise(new_id(), number, "hotel", 8000, DAY)
    Accounts(wallet).freeze(new_id(), number)
    with pytest.raises(AccountNotOpen):
        holds.authorise(new_id(), number, "hotel", 1, DAY)
    assert holds.capture(new_id(), held.id).captured_fen == 8000


def test_holds_have_limits_of_their_own_and_give_back_what_they_do_not_use(wallet, opened, holds):
    number = opened(1, 10_000)
    Accounts(wallet).limit(new_id(), number, ActKind.HOLD, LimitRule(day_fen=5000))
    held = holds.authorise(new_id(), number, "hotel", 5000, DAY)
    with pytest.raises(LimitExceeded, match="hold per day, in fen is limited to 5000, 5000 are used"):
        holds.authorise(new_id(), number, "hotel", 1, DAY)
    holds.capture(new_id(), held.id, 2000)
    assert holds.authorise(new_id(), number, "hotel", 3000, DAY).state == "pending"


@pytest.mark.parametrize("lasts", [timedelta(seconds=59), timedelta(days=32), -DAY])
def test_a_hold_lasts_a_minute_to_a_month(opened, holds, lasts):
    with pytest.raises(WalletInvalid, match="expected 1 minute to 31 days"):
        holds.authorise(new_id(), opened(1, 100), "hotel", 1, lasts)


def test_the_partner_and_the_owner_see_the_same_hold(wallet, opened, holds):
    number = opened(1, 10_000)
    held = holds.authorise(new_id(), number, "hotel", 8000, DAY)
    with reading(wallet.engine) as conn:
        assert holds_of(conn, wallet, number=number) == holds_of(conn, wallet, partner="hotel") == [held]
        assert holds_of(conn, wallet, partner="inn") == []


def test_a_hold_nobody_made_is_told(holds):
    with pytest.raises(HoldUnknown):
        holds.capture(new_id(), new_id())


def test_a_capture_says_what_it_is_for(wallet, opened, holds):
    number = opened(1, 10_000)
    hold, capture = new_id(), new_id()
    holds.authorise(hold, number, "hotel", 500, DAY)
    holds.capture(capture, hold, service="night")
    assert Payments(wallet).find(capture).service == "night"
