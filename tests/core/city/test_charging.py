import pytest

from citycard import registry
from citycard.city.accounts import payee
from citycard.city.accountview import read_account
from citycard.city.charging import Onward, charge, debit, give_back, give_up_charge, next_try, price
from citycard.errors import (
    ActDiffers,
    ActGivenUp,
    DebitRefused,
    FundsMissing,
    OnlineAccountUnknown,
    RefundRefused,
    ServiceOff,
    ServiceUnknown,
    WalletInvalid,
)
from citycard.ids import derived_id, new_id
from citycard.store import reading, writing
from citycard.wallet import Payments, online_account, partner_payable
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


@pytest.mark.parametrize(
    "other",
    [
        {"facts": {"pieces": 3}},
        {"list_price_fen": 600},
        {"entitlements": ("helper",)},
        {"onward": [Onward.fee(1)]},
        {"partner": "plums"},
        {"service": "another"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_an_id_stands_for_one_charge_with_all_its_facts(town, account, other):
    once = new_id()
    pay(town, account, once)
    with pytest.raises(ActDiffers, match="another charge"):
        pay(town, account, once, **other)
    with pytest.raises(ActDiffers):
        pay(town, town.account(town.card(), 1000), once)
    assert pay(town, account, once).amount_fen == 600
    assert balance(town, online_account(account)) == 100_000 - 600


def test_what_a_plugin_refused_stays_refused_and_says_who_and_why(town, account, monkeypatch):
    once = new_id()
    with pytest.raises(DebitRefused) as first:
        pay(town, account, once, pieces=301)
    monkeypatch.setattr("citycard_market.plugin.TOO_MUCH_FEN", 100_000)
    with pytest.raises(DebitRefused) as again:
        pay(town, account, once, pieces=301)
    assert (again.value.data, str(again.value)) == (first.value.data, str(first.value))
    assert again.value.data == {
        "reason": "market sells no more at once",
        "code": "too-much",
        "plugin": "market",
    }
    with pytest.raises(ActDiffers):
        pay(town, account, once, pieces=1)
    assert balance(town, online_account(account)) == 100_000


def test_a_refusal_is_shown_with_the_account_that_did_not_pay(town, account):
    once = new_id()
    with pytest.raises(DebitRefused):
        pay(town, account, once, pieces=301, actor="stall 4")
    (line,) = read_account(town.city, account).refusals
    assert (line.id, line.kind, line.actor) == (once, "charge", "stall 4")
    assert line.asked == {"service": "stall", "partner": "melons", "amount_fen": 90_300}
    assert line.refusal == "market sells no more at once (market: too-much)"


def test_a_charge_that_was_given_up_is_not_paid_and_one_that_was_paid_is_not_given_up(town, account):
    late, paid = new_id(), pay(town, account).payment
    with writing(town.city.engine) as conn:
        assert give_up_charge(town.city, conn, late, number=account) is None
        assert give_up_charge(town.city, conn, paid.id) == paid
    with pytest.raises(ActGivenUp):
        pay(town, account, late)
    assert balance(town, online_account(account)) == 100_000 - 600


def test_what_is_owed_is_tried_again_under_another_id_after_each_refusal(town):
    poor, tries = town.account(town.card(), 10), []
    for _ in range(3):
        tries.append(next_try(town.city, "fee", 7))
        with pytest.raises(FundsMissing):
            pay(town, poor, tries[-1])
    assert (tries[0], len(set(tries))) == (derived_id("fee", 7), 3)
    town.account(town.cards[-1], 1000)
    for _ in range(2):
        assert pay(town, poor, next_try(town.city, "fee", 7)).amount_fen == 600
    assert balance(town, online_account(poor)) == 410


def test_what_was_priced_before_is_debited_once(town, account):
    once, asked = new_id(), {"service": "stall", "partner": "melons", "amount_fen": 700}
    paid = [debit(town.city, once, account, **asked) for _ in range(2)]
    assert (paid[0], paid[0].amount_fen, paid[0].service) == (paid[1], 700, "stall")
    with pytest.raises(ActDiffers):
        debit(town.city, once, account, **asked | {"amount_fen": 701})
    for _ in range(2):
        with pytest.raises(DebitRefused):
            debit(town.city, derived_id("much"), account, **asked | {"amount_fen": 90_001})


def test_a_charge_that_an_older_version_kept_is_answered_with_its_payment(town, account):
    once, melons = new_id(), payee(town.city, "melons")
    payments = Payments(town.city.wallet)
    paid = payments.pay(once, account, melons, 500, note="stall", service="stall")
    assert pay(town, account, once).payment == paid
    with pytest.raises(ActDiffers):
        pay(town, account, once, partner="plums")


def test_what_the_account_refused_stays_refused_whatever_the_price_is_by_then(town):
    poor, once = town.account(town.card(), 10), new_id()
    with pytest.raises(FundsMissing, match="10 fen for this: 600 fen are wanted"):
        pay(town, poor, once)
    town.account(town.cards[-1], 1000)
    helper = registry.Entitlement(
        name="helper", source="town-hall", asn=poor, starts_on=town.now.date(), ends_on=None
    )
    with writing(town.city.engine) as conn:
        registry.add_entitlements(conn, [helper])
    with pytest.raises(FundsMissing, match="10 fen for this: 600 fen are wanted"):
        pay(town, poor, once)


def test_what_cost_nothing_costs_nothing_when_it_is_asked_for_again(town, account, monkeypatch):
    once = new_id()
    assert pay(town, account, once, pieces=0).payment is None
    again = pay(town, account, once, pieces=0)
    assert (again.quote, again.payment) == (None, None)
    with pytest.raises(ActDiffers):
        pay(town, account, once, pieces=1)
