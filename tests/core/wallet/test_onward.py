"""What goes on from a payment comes back from whom it went to: never more than each got, and it adds up."""

from datetime import timedelta
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.errors import RefundRefused, ShareRefused, WalletInvalid
from citycard.ids import new_id
from citycard.ledger.chart import TransferCode
from citycard.store import reading
from citycard.wallet import Holds, Payee, Payments, partner_payable
from citycard.wallet.addresses import INCOME_CLEARING_FEE
from citycard.wallet.onward import Onward, PayeeShare, comes_back, shares_of

SCENE = Payee(partner="scene", kind="culture")


@pytest.fixture
def payments(wallet):
    return Payments(wallet)


def balances(wallet, *partners):
    with reading(wallet.engine) as conn:
        return [wallet.ledger.balance_fen(conn, partner_payable(one)) for one in partners]


def shares(wallet, identity):
    with reading(wallet.engine) as conn:
        return [
            (one.address.removeprefix("partner/").removesuffix("/payable"), one.amount_fen, one.returned_fen)
            for one in shares_of(conn, wallet.ledger, identity)
        ]


def test_shares_say_who_got_what_and_gave_back_what(wallet, opened, payments):
    parts = [Onward.share("boats", 200), Onward.fee(10), Onward.share("tram", 0), Onward.share("boats", 100)]
    paid = payments.pay(new_id(), opened(1, 10_000), SCENE, 1000, onward=parts)
    assert shares(wallet, paid.id) == [("scene", 700, 0), ("boats", 300, 0), (INCOME_CLEARING_FEE, 10, 0)]
    assert balances(wallet, "scene", "boats") == [690, 300]
    payments.give_back(new_id(), paid.id, 500)
    assert shares(wallet, paid.id) == [("scene", 700, 350), ("boats", 300, 150), (INCOME_CLEARING_FEE, 10, 0)]
    assert balances(wallet, "scene", "boats") == [340, 150]


def test_what_comes_back_in_many_parts_is_from_nobody_more_than_it_got(wallet, opened, payments):
    parts = [Onward.share("boats", 1), Onward.share("tram", 1)]
    paid = payments.pay(new_id(), opened(1, 10_000), SCENE, 3, onward=parts)
    for given_back in range(1, 4):
        payments.give_back(new_id(), paid.id, 1)
        assert sum(balances(wallet, "scene", "boats", "tram")) == 3 - given_back
        assert min(balances(wallet, "scene", "boats", "tram")) >= 0
    with pytest.raises(RefundRefused):
        payments.give_back(new_id(), paid.id, 1)


def test_whoever_says_from_whom_it_comes_back_takes_no_more_than_each_has(wallet, opened, payments):
    paid = payments.pay(new_id(), opened(1, 10_000), SCENE, 1000, onward=[Onward.share("boats", 300)])
    once = new_id()
    payments.give_back(new_id(), paid.id, 250, onward=[Onward.share("boats", 250)])
    for _ in range(2):
        with pytest.raises(ShareRefused, match=r"partner/boats/payable has 50 fen .*: 51 fen are wanted"):
            payments.give_back(once, paid.id, 100, onward=[Onward.share("boats", 51)])
    with pytest.raises(ShareRefused, match="partner/tram/payable has 0 fen"):
        payments.give_back(new_id(), paid.id, 100, onward=[Onward.share("tram", 1)])
    with pytest.raises(ShareRefused, match=r"partner/scene/payable has 700 fen .*: 750 fen are wanted"):
        payments.give_back(new_id(), paid.id, 750, onward=())
    assert balances(wallet, "scene", "boats") == [700, 50]
    payments.give_back(new_id(), paid.id, 750, onward=[Onward.share("boats", 50)])
    assert balances(wallet, "scene", "boats") == [0, 0]


def test_a_fee_stays_unless_it_is_said_that_it_comes_back(wallet, opened, payments):
    paid = payments.pay(new_id(), opened(1, 10_000), SCENE, 1000, onward=[Onward.fee(10)])
    payments.give_back(new_id(), paid.id, 400)
    payments.give_back(new_id(), paid.id, 100, onward=[Onward.fee(6)])
    assert balances(wallet, "scene") == [496]
    with pytest.raises(ShareRefused, match=r"income/.* has 4 fen"):
        payments.give_back(new_id(), paid.id, 100, onward=[Onward.fee(5)])
    payments.give_back(new_id(), paid.id, 500, onward=[Onward.fee(4)])
    assert balances(wallet, "scene") == [0]


def test_what_was_captured_of_a_hold_comes_back_from_its_shares(wallet, opened, payments):
    number, capture = opened(1, 10_000), new_id()
    held = Holds(wallet).authorise(new_id(), number, "scene", 900, timedelta(days=1))
    Holds(wallet).capture(capture, held.id, 600, onward=[Onward.share("boats", 200)])
    payments.give_back(new_id(), capture, 300)
    assert shares(wallet, capture) == [("scene", 400, 200), ("boats", 200, 100)]


@pytest.mark.postgresql
def test_giving_back_many_times_at_once_takes_from_nobody_more_than_it_got(wallet, opened, payments):
    parts = [Onward.share("boats", 333)]
    paid = payments.pay(new_id(), opened(1, 10_000), SCENE, 1000, onward=parts)

    def back():
        payments.give_back(new_id(), paid.id, 125)

    threads = [Thread(target=back) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert balances(wallet, "scene", "boats") == [0, 0]
    assert shares(wallet, paid.id) == [("scene", 667, 667), ("boats", 333, 333)]


def test_a_payment_has_no_more_parts_than_can_be_found_again(opened, payments):
    many = [Onward.share(f"p{place}", 1) for place in range(257)]
    with pytest.raises(WalletInvalid, match="onward"):
        payments.pay(new_id(), opened(1, 10_000), SCENE, 1000, onward=many)


@given(
    st.lists(st.integers(0, 10_000), min_size=1, max_size=6),
    st.lists(st.integers(1, 3000), min_size=1, max_size=12),
)
def test_parts_add_up_to_the_whole_and_end_at_nothing(got, wanted):
    found = [
        PayeeShare(address=f"partner/p{place}/payable", code=TransferCode.PAYABLE, amount_fen=fen)
        for place, fen in enumerate(got)
    ]
    for asked_fen in [*wanted, *wanted]:
        amount_fen = min(asked_fen, sum(one.left_fen for one in found))
        if not amount_fen:
            break
        parts = comes_back(amount_fen, found)
        assert sum(parts) == amount_fen
        assert all(0 <= part <= one.left_fen for part, one in zip(parts, found, strict=True))
        found = [one.less(part) for part, one in zip(parts, found, strict=True)]
