"""A refund is never more than was paid, is given once, and every fen of it comes from who was paid."""

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moneytown import balances, broken_off_everywhere, move

from citycard.bank import BankAccount, PaymentKind
from citycard.bank.payments import payments
from citycard.city.refunds import give_refund, purchase_name, purchase_of
from citycard.clearing.adjusting import adjustment, order_adjustments
from citycard.clearing.casecodes import AdjustmentCode
from citycard.errors import PurchaseRefundConflict, PurchaseRefundRefused, RefundRefused
from citycard.ids import new_id
from citycard.store import reading, writing
from citycard.wallet import (
    Accounts,
    Holds,
    Payee,
    Payments,
    Programme,
    add_programme,
    fund_programme,
    grant,
)
from citycard.wallet.onward import Onward, shares_of
from citycard.wallet.refunds import Destination, Purchase, PurchaseShare, find_refund, refunds_of

CARD = "01010199010000000001"
WHY = {"reason": "gate stayed shut", "approved_by": "Wang", "evidence": "ticket 7", "actor": "anna"}
HOLDER = BankAccount(name="李雷", account="6222000011112222")


def bought(city, name="990100000001-1-3", **shares):
    """A purchase that clearing paid: each partner got more in the same run."""
    posted = {
        partner: move(city, "control/window", f"partner/{partner}/payable", fen + 1000, 30)
        for partner, fen in shares.items()
    }
    move(city, f"card/{CARD}/purse", "control/window", sum(shares.values()) + 1000 * len(shares), 20)
    return Purchase(
        id=name,
        owner=CARD,
        amount_fen=sum(shares.values()),
        owed=f"card/{CARD}/refund",
        shares=tuple(
            PurchaseShare(partner=partner, amount_fen=fen, posted=posted[partner])
            for partner, fen in shares.items()
        ),
    )


def give(city, purchase, amount_fen, destination=Destination.CASH, identity=None, **more):
    creditor = HOLDER if destination is Destination.BANK else None
    return give_refund(
        city, identity or new_id(), purchase, amount_fen, destination, creditor=creditor, **(WHY | more)
    )


def changed(city, before):
    after = balances(city)
    moved = {one: after.get(one, 0) - before.get(one, 0) for one in after.keys() | before.keys()}
    return {one: fen for one, fen in moved.items() if fen}


@pytest.mark.parametrize(
    ("destination", "lands"),
    [
        (Destination.CASH, {"trust/bank": -300}),
        (Destination.PURSE, {f"card/{CARD}/refund": 300}),
        (Destination.BANK, {"transit/settlement": -300}),
        (Destination.ACCOUNT, {f"account/{CARD}/online": 300}),
    ],
)
def test_a_refund_goes_from_who_was_paid_to_where_it_is_wanted(money_town, destination, lands):
    purchase = bought(money_town, metro=300)
    move(money_town, "trust/bank", f"account/{CARD}/online", 50)
    before = balances(money_town)
    give(money_town, purchase, 300, destination)
    assert changed(money_town, before) == {"partner/metro/payable": -300} | lands


def test_partners_give_back_in_the_shares_in_which_they_have_it(money_town):
    purchase = bought(money_town, bus=100, metro=201)
    parts = [give(money_town, purchase, fen).parts for fen in (150, 150, 1)]
    given = Counter()
    for part in (one for several in parts for one in several):
        given[part.partner] += part.amount_fen
    assert given == {"bus": 100, "metro": 201}
    assert {part.partner: part.amount_fen for part in parts[0]} == {"bus": 50, "metro": 100}


def disputed(city, purchase, debit, credit, amount_fen):
    """Let a dispute about a purchase have moved money from one partner to another."""
    moved = adjustment(
        AdjustmentCode.A05,
        about=purchase.id,
        cause=str(new_id()),
        debit=f"partner/{debit}/payable",
        credit=f"partner/{credit}/payable",
        amount_fen=amount_fen,
        reason="the log shows it",
        at=city.clock.now(),
    )
    with writing(city.engine) as conn:
        order_adjustments(conn, [moved])


def test_after_a_dispute_partners_give_back_what_each_of_them_has_by_now(money_town):
    purchase = bought(money_town, bus=100, metro=200)
    disputed(money_town, purchase, "metro", "bus", 150)
    first, second = (give(money_town, purchase, 150).parts for _ in range(2))
    assert {part.partner: part.amount_fen for part in first} == {"bus": 125, "metro": 25}
    assert {part.partner: part.amount_fen for part in second} == {"bus": 125, "metro": 25}


@pytest.mark.parametrize("passed_on_fen", [100, 300])
def test_nobody_gives_back_what_a_dispute_passed_on_to_another_partner(money_town, passed_on_fen):
    purchase = bought(money_town, metro=300)
    disputed(money_town, purchase, "metro", "ferry", passed_on_fen)
    before = balances(money_town)
    with pytest.raises(PurchaseRefundRefused, match="after a dispute ferry has of it"):
        give(money_town, purchase, 300)
    assert changed(money_town, before) == {}


def test_more_than_was_paid_is_refused_and_changes_nothing(money_town):
    purchase = bought(money_town, metro=300)
    give(money_town, purchase, 200)
    before = balances(money_town)
    with pytest.raises(PurchaseRefundRefused, match="100 fen of it are left, less than 101"):
        give(money_town, purchase, 101)
    assert changed(money_town, before) == {}


def test_the_same_id_is_the_same_refund_and_no_other(money_town):
    purchase, identity = bought(money_town, metro=300), new_id()
    first = give(money_town, purchase, 100, identity=identity)
    before = balances(money_town)
    assert give(money_town, purchase, 100, identity=identity) == first
    with pytest.raises(PurchaseRefundConflict, match="another amount_fen"):
        give(money_town, purchase, 101, identity=identity)
    with pytest.raises(PurchaseRefundConflict, match="another reason"):
        give(money_town, purchase, 100, identity=identity, reason="other")
    assert changed(money_town, before) == {}


def test_a_refund_says_why_who_allowed_it_and_on_what_ground(money_town):
    purchase, identity = bought(money_town, metro=300), new_id()
    give(money_town, purchase, 100, identity=identity)
    with reading(money_town.engine) as conn:
        kept = find_refund(conn, identity)
        assert refunds_of(conn, owner=CARD) == refunds_of(conn, purchase=purchase.id) == [kept]
        (part,) = kept.parts
        posted = money_town.ledger.find(conn, [part.transfer])[part.transfer].transfer
    assert (kept.reason, kept.approved_by, kept.evidence, kept.actor) == tuple(WHY.values())
    assert posted.reverses == purchase.shares[0].posted.id


@pytest.mark.parametrize("field", ["reason", "approved_by", "evidence"])
def test_nothing_is_refunded_without_a_reason_an_approver_and_evidence(money_town, field):
    purchase = bought(money_town, metro=300)
    with pytest.raises(PurchaseRefundRefused, match=field):
        give(money_town, purchase, 100, **{field: " "})


def test_what_goes_to_a_bank_account_is_ordered_once(money_town):
    purchase, identity = bought(money_town, metro=300), new_id()
    for _ in range(2):
        give(money_town, purchase, 300, Destination.BANK, identity=identity)
    with reading(money_town.engine) as conn:
        (ordered,) = payments(conn)
    assert (ordered.kind, ordered.amount_fen, ordered.creditor) == (PaymentKind.REFUND, 300, HOLDER)
    assert ordered.source == f"card/{CARD}/refund"


def test_without_an_online_account_nothing_goes_there(money_town):
    with pytest.raises(PurchaseRefundRefused, match="no online account"):
        give(money_town, bought(money_town, metro=300), 300, Destination.ACCOUNT)


def test_a_closed_account_takes_no_refund_and_one_that_was_given_before_stays(money_town):
    move(money_town, "trust/bank", f"account/{CARD}/online", 50)
    purchase, identity = bought(money_town, metro=300), new_id()
    given = give(money_town, purchase, 100, Destination.ACCOUNT, identity=identity)
    Accounts(money_town.wallet).close(new_id(), CARD)
    before = balances(money_town)
    with pytest.raises(PurchaseRefundRefused, match=r"is closed: .*name another destination"):
        give(money_town, purchase, 100, Destination.ACCOUNT)
    assert give(money_town, purchase, 100, Destination.ACCOUNT, identity=identity) == given
    assert changed(money_town, before) == {}


def test_an_online_payment_goes_back_into_its_account_or_is_owed(money_town):
    move(money_town, "trust/bank", f"account/{CARD}/online", 1000)
    paid = move(money_town, f"account/{CARD}/online", "partner/canteen/payable", 600, 120)
    purchase = purchase_of(money_town, str(paid.id))
    before = balances(money_town)
    give(money_town, purchase, 250, Destination.ACCOUNT)
    give(money_town, purchase, 350, Destination.BANK)
    assert changed(money_town, before) == {
        "partner/canteen/payable": -600,
        f"account/{CARD}/online": 250,
        "transit/settlement": -350,
    }


@pytest.fixture
def paid_online(money_town):
    """A payment of 6 yuan from an account; and one of 5 yuan that captured a hold."""
    move(money_town, "trust/bank", f"account/{CARD}/online", 3000)
    paid = Payments(money_town.wallet).pay(new_id(), CARD, Payee(partner="canteen", kind="food"), 600)
    holds = Holds(money_town.wallet)
    held = holds.authorise(new_id(), CARD, "hotel", 900, timedelta(hours=1))
    holds.capture(new_id(), held.id, 500)
    return paid, held


def test_a_payment_is_named_by_its_id_its_hold_or_its_transfer(money_town, paid_online):
    paid, held = paid_online
    names = (str(paid.id), str(paid.parts[0].transfer))
    purchases = [purchase_of(money_town, name) for name in names]
    assert purchases[0] == purchases[1]
    assert (purchases[0].id, purchases[0].amount_fen) == (str(paid.id), 600)
    assert purchase_of(money_town, str(held.id)).amount_fen == 500
    give(money_town, purchases[0], 100)
    with reading(money_town.engine) as conn:
        assert len({purchase_name(conn, name) for name in names}) == 1
        assert len(refunds_of(conn, purchase=purchase_name(conn, names[1]))) == 1


def test_a_hold_that_was_not_captured_is_no_purchase(money_town, paid_online):
    held = Holds(money_town.wallet).authorise(new_id(), CARD, "hotel", 900, timedelta(hours=1))
    with pytest.raises(PurchaseRefundRefused, match="a hold that was not captured"):
        purchase_of(money_town, str(held.id))


@pytest.mark.parametrize("destination", [Destination.ACCOUNT, Destination.BANK, Destination.CASH])
def test_what_is_given_back_one_way_is_not_given_back_the_other(money_town, paid_online, destination):
    paid, _ = paid_online
    payments_ = Payments(money_town.wallet)
    give(money_town, purchase_of(money_town, str(paid.id)), 250, destination)
    assert payments_.find(paid.id).returned_fen == 250
    with pytest.raises(RefundRefused, match="350 fen can be given back, 351 fen are wanted"):
        payments_.give_back(new_id(), paid.id, 351)
    payments_.give_back(new_id(), paid.id, 300)
    with pytest.raises(PurchaseRefundRefused, match="50 fen of it are left, less than 51"):
        give(money_town, purchase_of(money_town, str(paid.id)), 51, destination)
    give(money_town, purchase_of(money_town, str(paid.id)), 50, destination)
    assert payments_.find(paid.id).returned_fen == 600
    assert balances(money_town).get("partner/canteen/payable", 0) == 0


def test_what_went_on_from_a_payment_comes_back_from_whom_it_went_to(money_town, paid_online):
    canteen, payments_ = Payee(partner="canteen"), Payments(money_town.wallet)
    before = balances(money_town)
    onward = [Onward.share("baker", 100), Onward.fee(3)]
    paid = payments_.pay(new_id(), CARD, canteen, 300, onward=onward)
    give(money_town, purchase_of(money_town, str(paid.id)), 100, Destination.ACCOUNT)
    payments_.give_back(new_id(), paid.id, 50)
    give(money_town, purchase_of(money_town, str(paid.id)), 150, Destination.CASH)
    assert changed(money_town, before) == {
        f"account/{CARD}/online": -150,
        "trust/bank": -150,
        "partner/canteen/payable": -3,
        "income/clearing-fee": 3,
    }
    with reading(money_town.engine) as conn:
        shares = shares_of(conn, money_town.ledger, paid.id)
        assert money_town.ledger.audit(conn) == []
    assert [(one.amount_fen, one.returned_fen) for one in shares] == [(200, 200), (100, 100), (3, 0)]


def test_what_an_account_paid_does_not_go_to_a_purse(money_town, paid_online):
    with pytest.raises(PurchaseRefundRefused, match="not a purse"):
        give(money_town, purchase_of(money_town, str(paid_online[0].id)), 50, Destination.PURSE)


def test_subsidies_go_back_to_where_they_came_from_and_nowhere_else(money_town, paid_online):
    today = money_town.wallet.today()
    meals = Programme(
        id="meals", title="Meals", funder="Office", partners=("canteen",), starts_on=today, ends_on=today
    )
    with writing(money_town.engine) as conn:
        add_programme(conn, money_town.ledger, meals)
    fund_programme(money_town.wallet, new_id(), "meals", 400)
    grant(money_town.wallet, new_id(), "meals", CARD, 400)
    canteen, payments_ = Payee(partner="canteen", kind="food"), Payments(money_town.wallet)
    whole = payments_.pay(new_id(), CARD, canteen, 300)
    with pytest.raises(PurchaseRefundRefused, match="subsidies paid it: citycard account give-back"):
        purchase_of(money_town, str(whole.id))
    mixed = payments_.pay(new_id(), CARD, canteen, 300)
    purchase = purchase_of(money_town, str(mixed.id))
    with pytest.raises(PurchaseRefundRefused, match="200 fen of it are left"):
        give(money_town, purchase, 201)
    give(money_town, purchase, 200)
    assert [part.left_fen for part in payments_.find(mixed.id).parts] == [100, 0]


def test_a_transfer_that_is_no_payment_to_a_partner_is_no_purchase(money_town):
    topup = move(money_town, "trust/bank", f"account/{CARD}/online", 1000)
    for name in (str(topup.id), str(new_id())):
        with pytest.raises(PurchaseRefundRefused, match="no payment of an online account"):
            purchase_of(money_town, name)


@pytest.mark.parametrize("destination", [Destination.ACCOUNT, Destination.BANK, Destination.CASH])
def test_broken_off_at_any_statement_it_is_given_once_at_the_next_call(money_town, destination):
    purchase, identity = bought(money_town, bus=100, metro=200), new_id()
    move(money_town, "trust/bank", f"account/{CARD}/online", 50)
    before = balances(money_town)
    broken = broken_off_everywhere(
        money_town, lambda: give(money_town, purchase, 150, destination, identity=identity)
    )
    assert broken > 10
    moved = changed(money_town, before)
    assert (moved["partner/bus/payable"], moved["partner/metro/payable"]) == (-50, -100)


amounts = st.lists(
    st.tuples(st.integers(1, 400), st.sampled_from(list(Destination)), st.booleans()), max_size=12
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bus=st.integers(1, 200), metro=st.integers(1, 200), taxi=st.integers(1, 200), wanted=amounts)
def test_no_partner_gives_more_than_it_got_and_all_is_kept(money_town, bus, metro, taxi, wanted):
    shares = {"bus": bus, "metro": metro, "taxi": taxi}
    purchase = bought(money_town, str(new_id()), **shares)
    move(money_town, "trust/bank", f"account/{CARD}/online", 1)
    before, left_fen, lands = balances(money_town), sum(shares.values()), Counter()
    for amount_fen, destination, twice in wanted:
        identity = new_id()
        for _ in range(1 + twice):
            if amount_fen <= left_fen or (twice and lands.get(identity)):
                give(money_town, purchase, amount_fen, destination, identity=identity)
                if not lands.get(identity):
                    lands[identity], left_fen = amount_fen, left_fen - amount_fen
            else:
                with pytest.raises(PurchaseRefundRefused):
                    give(money_town, purchase, amount_fen, destination, identity=identity)
    moved = changed(money_town, before)
    taken = {name: -moved.get(f"partner/{name}/payable", 0) for name in shares}
    assert sum(taken.values()) == sum(lands.values()) <= sum(shares.values())
    assert all(taken[name] <= shares[name] for name in shares)
    assert "control/window" not in moved
