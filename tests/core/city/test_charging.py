import pytest

from citycard.city.charging import Onward, charge, give_back, price
from citycard.errors import (
    ActDiffers,
    DebitRefused,
    FundsMissing,
    OnlineAccountUnknown,
    RefundRefused,
    ServiceOff,
    ServiceUnknown,
    WalletInvalid,
)
from citycard.ids import new_id
from citycard.store import reading
from citycard.wallet import online_account, partner_payable
from citycard.wallet.addresses import INCOME_CLEARING_FEE


@pytest.fixture
def town(market_town):
    made = market_town()
    made.partner("melons", district="harbour")
    made.partner("plums")
    return made


@pytest.fixture
def account(town):
    return town.account(town.card(), 100_000)


def pay(town, account, identity=None, pieces=2, **more):
    wanted = {"service": "stall", "partner": "melons", "facts": {"pieces": pieces}} | more
    return charge(town.city, identity or new_id(), account, **wanted)


def balance(town, address):
    with reading(town.city.engine) as conn:
        return town.city.ledger.balance_fen(conn, address)


def test_a_charge_is_priced_paid_and_settled(town, account):
    done = pay(town, account)
    assert (done.amount_fen, [step.reason for step in done.quote.steps]) == (600, ["price of each"])
    town.clear()
    assert town.statement("melons").carried_fen == 600
    town.check_books()


def test_what_plugins_vouch_for_is_in_the_price(town):
    town.card()
    helper = town.account(town.card(), 1000)
    assert pay(town, helper).amount_fen == 300
    quoted = price(town.city, helper, service="stall", partner="melons", facts={"pieces": 2})
    assert quoted.amount_fen == 300
    assert pay(town, helper, entitlements=()).amount_fen == 600


def test_a_charge_happens_once_for_its_id_whatever_became_of_the_service(town, account):
    once = new_id()
    first = pay(town, account, once)
    town.city.plugins.disable("market", district="harbour", by="council")
    again = pay(town, account, once)
    assert (again.payment, again.quote) == (first.payment, None)
    assert balance(town, online_account(account)) == 100_000 - 600
    with pytest.raises(ActDiffers):
        pay(town, account, once, partner="plums")
    with pytest.raises(ActDiffers):
        pay(town, account, once, service="another")


def test_what_costs_nothing_pays_nothing(town, account):
    done = pay(town, account, pieces=0)
    assert (done.amount_fen, done.payment) == (0, None)


def test_parts_go_on_in_the_same_step_and_come_back_with_what_is_given_back(town, account):
    done = pay(town, account, onward=[Onward.fee(6), Onward.share("plums", 100)])
    assert balance(town, partner_payable("melons")) == 494
    assert (balance(town, partner_payable("plums")), balance(town, INCOME_CLEARING_FEE)) == (100, 6)
    back = give_back(town.city, new_id(), done.payment.id, 300, onward=[Onward.fee(3)])
    assert back.returned_fen == 300
    assert (balance(town, partner_payable("melons")), balance(town, INCOME_CLEARING_FEE)) == (197, 3)
    town.check_books()


def test_more_parts_than_was_paid_are_refused_and_nothing_is_moved(town, account):
    with pytest.raises(WalletInvalid, match="onward"):
        pay(town, account, onward=[Onward.fee(601)])
    with pytest.raises(WalletInvalid, match="onward"):
        pay(town, account, onward=[Onward.fee(-1)])
    assert balance(town, online_account(account)) == 100_000


def test_a_plugin_may_say_no(town, account):
    with pytest.raises(DebitRefused, match="sells no more at once"):
        pay(town, account, pieces=301)
    assert balance(town, online_account(account)) == 100_000


def test_a_service_that_is_off_or_unknown_is_refused(town, account):
    with pytest.raises(ServiceUnknown):
        pay(town, account, service="no-such")
    town.city.plugins.disable("market", district="harbour", by="council")
    with pytest.raises(ServiceOff, match="melons"):
        pay(town, account)
    assert pay(town, account, partner="plums").amount_fen == 600


def test_an_account_that_is_not_there_or_has_too_little_is_told(town, account):
    with pytest.raises(OnlineAccountUnknown):
        pay(town, "01019901000000000099")
    with pytest.raises(FundsMissing):
        pay(town, town.account(town.card(), 10))


def test_no_more_is_given_back_than_was_paid(town, account):
    done = pay(town, account)
    with pytest.raises(RefundRefused):
        give_back(town.city, new_id(), done.payment.id, 601)
