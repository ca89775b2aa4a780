"""A partner gets what stands in its payable beyond the runs, once, and never more."""

import pytest
from moneytown import balances, broken_off_everywhere, move

from citycard import registry
from citycard.bank import PaymentKind
from citycard.bank.payments import payments
from citycard.city.payouts import pay_partner
from citycard.errors import PaymentConflict, PayoutRefused, RegistryMissing
from citycard.ids import new_id
from citycard.registry import PartnerStatus
from citycard.store import reading, writing


@pytest.fixture
def shop(money_town):
    with writing(money_town.engine) as conn:
        registry.add_partners(
            conn,
            [
                registry.Partner(id="shop", name="Shop", account_no="6222000011112222"),
                registry.Partner(id="poor", name="No account"),
            ],
        )
    move(money_town, "trust/bank", "partner/shop/payable", 900, 120)
    move(money_town, "trust/bank", "partner/poor/payable", 900, 120)
    return money_town


def test_what_is_owed_is_ordered_to_the_partners_account(shop):
    payment = pay_partner(shop, new_id(), "shop")
    assert (payment.amount_fen, payment.kind, payment.creditor.account) == (
        900,
        PaymentKind.PAYOUT,
        "6222000011112222",
    )
    assert balances(shop) == {"trust/bank": 1800, "transit/settlement": -900, "partner/poor/payable": 900}


def test_asked_again_it_is_the_same_payment(shop):
    identity = new_id()
    first = pay_partner(shop, identity, "shop", 400)
    assert pay_partner(shop, identity, "shop", 400).id == first.id
    assert pay_partner(shop, identity, "shop").amount_fen == 400
    with pytest.raises(PaymentConflict):
        pay_partner(shop, identity, "shop", 401)
    assert balances(shop)["partner/shop/payable"] == 500


def test_a_part_leaves_the_rest(shop):
    for fen in (400, 500):
        pay_partner(shop, new_id(), "shop", fen)
    with reading(shop.engine) as conn:
        assert sorted(one.amount_fen for one in payments(conn)) == [400, 500]
    with pytest.raises(PayoutRefused, match="nothing is owed"):
        pay_partner(shop, new_id(), "shop")


@pytest.mark.parametrize("fen", [901, 0, -5])
def test_what_is_not_owed_is_not_paid(shop, fen):
    with pytest.raises(PayoutRefused, match=r"owed 9\.00 yuan"):
        pay_partner(shop, new_id(), "shop", fen)


def test_a_partner_without_a_bank_account_or_suspended_waits(shop):
    with pytest.raises(PayoutRefused, match="no bank account"):
        pay_partner(shop, new_id(), "poor")
    with writing(shop.engine) as conn:
        registry.change_partner(conn, "shop", {"status": PartnerStatus.SUSPENDED}, reason="asked")
    with pytest.raises(PayoutRefused, match="suspended"):
        pay_partner(shop, new_id(), "shop")
    with pytest.raises(RegistryMissing):
        pay_partner(shop, new_id(), "nobody")


def test_broken_off_at_any_statement_it_is_ordered_once(shop):
    identity = new_id()
    assert broken_off_everywhere(shop, lambda: pay_partner(shop, identity, "shop")) > 5
    with reading(shop.engine) as conn:
        assert [one.amount_fen for one in payments(conn)] == [900]
