"""Accounts in a real city: for cards in use, with its partners, and with the office that replaces cards."""

from datetime import date, timedelta

import pytest

from citycard import registry
from citycard.city.accounts import (
    add_acceptance,
    add_rate,
    grant_file,
    lapse,
    make_programme,
    make_scheme,
    open_account,
    payee,
    shadows,
)
from citycard.city.accountview import read_account
from citycard.city.jobs import run_job
from citycard.city.office import Office
from citycard.errors import AccountNotOpen, OnlineAccountUnknown, RegistryMissing, WalletInvalid
from citycard.ids import new_id
from citycard.ledger import AccountSpec
from citycard.registry import CardStatus, Partner, PartnerStatus
from citycard.store import writing
from citycard.wallet import (
    TRUST_BANK,
    Accounts,
    ActKind,
    ExchangeRate,
    Holds,
    LimitRule,
    Payments,
    Points,
    Programme,
    Scheme,
    card_purse,
    fund_programme,
    online_account,
)

FIRST, SECOND, STOCK = (f"0101990100000000000{digit}" for digit in "123")
DAY = date(2018, 9, 1)


@pytest.fixture
def city(city):
    """The yard's city with two cards in use, one in stock, a canteen and a bus company."""
    product = registry.Product(name="plain", title="Plain", kind=7)
    with writing(city.engine) as conn:
        registry.add_products(conn, [product])
        version = registry.ProductVersion(product="plain", version=1, layout='{"places": []}')
        registry.add_product_versions(conn, [version])
        registry.add_cards(
            conn,
            [
                registry.Card(
                    asn=asn,
                    issuer="01019901FFFFFFFF",
                    product="plain",
                    kind=7,
                    issued_on=DAY,
                    expires_on=date(2028, 9, 1),
                    status=CardStatus.STOCK if asn == STOCK else CardStatus.ISSUED,
                )
                for asn in (FIRST, SECOND, STOCK)
            ],
        )
        registry.add_partners(
            conn,
            [
                Partner(id="canteen", name="Canteen", kind="food", account_no="62001"),
                Partner(id="bus", name="Buses", account_no="62002"),
            ],
        )
    return city


def put(city, credit, amount_fen, debit=TRUST_BANK):
    moved = city.wallet.transfer(new_id(), debit, credit, amount_fen, 90, ref="test")
    with writing(city.engine) as conn:
        city.ledger.open_accounts(conn, [AccountSpec(address=TRUST_BANK, code=1001)])
        city.ledger.post_all(conn, [moved])


def meals(city, **more):
    values = {"partners": ("canteen",), "starts_on": DAY, "ends_on": date(2018, 9, 30)} | more
    make_programme(city, Programme(id="meals", title="Meals", funder="Office", **values))
    fund_programme(city.wallet, new_id(), "meals", 100_000)


def test_an_account_is_opened_for_a_card_that_is_in_use(city):
    assert open_account(city, new_id(), FIRST).number == FIRST
    with pytest.raises(AccountNotOpen, match="the card is stock, not in use"):
        open_account(city, new_id(), STOCK)
    with pytest.raises(RegistryMissing):
        open_account(city, new_id(), "9" * 20)


def test_the_account_goes_with_the_card_that_replaces_another(city):
    open_account(city, new_id(), FIRST)
    put(city, online_account(FIRST), 500)
    Office(city, "anna").replace(FIRST, STOCK, reason="lost")
    view = read_account(city, STOCK)
    assert (view.number, view.asn, view.balance_fen) == (FIRST, STOCK, 500)
    assert read_account(city, FIRST) == view


def test_only_a_partner_that_is_active_is_paid(city):
    assert payee(city, "canteen").kind == "food"
    with writing(city.engine) as conn:
        registry.change_partner(conn, "bus", {"status": PartnerStatus.SUSPENDED}, reason="asked")
    with pytest.raises(WalletInvalid, match="a partner that is active, not suspended"):
        payee(city, "bus")
    with pytest.raises(RegistryMissing):
        payee(city, "nobody")


def test_programmes_and_schemes_are_of_partners_that_are_registered(city):
    with pytest.raises(RegistryMissing):
        meals(city, partners=("nobody",))
    wanted = Scheme(partner="nobody", title="x", points_per_yuan=1, rate_fen=1, valid_days=1)
    with pytest.raises(RegistryMissing):
        make_scheme(city, wanted)


def test_a_file_of_grants_opens_accounts_where_that_is_wanted(city):
    meals(city)
    text = f"card,amount\n{FIRST},10\n{SECOND},20\n{STOCK},30\nfoo,1\n"
    done = grant_file(city, "meals", "2018-09", text, file="grants.csv")
    assert (done.granted, [one.line for one in done.bad]) == (0, [2, 3, 4, 5])
    done = grant_file(city, "meals", "2018-09", text, file="grants.csv", open_missing=True)
    assert (done.granted, done.granted_fen) == (2, 3000)
    assert {one.line: one.reason.split(":")[0] for one in done.bad} == {
        4: f"account {STOCK} cannot be opened",
        5: "card is 'foo'",
    }
    again = grant_file(city, "meals", "2018-09", text, file="grants.csv", open_missing=True)
    assert (again.granted, again.repeated) == (0, 2)


def test_an_account_shows_all_its_kinds_of_money(city):
    meals(city)
    open_account(city, new_id(), FIRST)
    put(city, online_account(FIRST), 5000)
    grant_file(city, "meals", "2018-09", f"card,amount\n{FIRST},10\n", file="grants.csv")
    scheme = Scheme(partner="bus", title="Miles", points_per_yuan=2, rate_fen=1, valid_days=30)
    make_scheme(city, scheme)
    Points(city.wallet).earn(new_id(), FIRST, "bus", 1000)
    paid = Payments(city.wallet).pay(new_id(), FIRST, payee(city, "canteen"), 600, note="lunch")
    held = Holds(city.wallet).authorise(new_id(), FIRST, "bus", 1500, timedelta(hours=2))
    Accounts(city.wallet).limit(new_id(), FIRST, ActKind.PAY, LimitRule(day_fen=4000))

    view = read_account(city, FIRST)
    assert (view.status, view.balance_fen, view.available_fen) == ("open", 5000, 3500)
    assert [(one.programme, one.available_fen, one.ends_on) for one in view.subsidies] == [
        ("meals", 400, date(2018, 9, 30))
    ]
    assert [(one.scheme, one.points, one.next_points, one.next_expiry) for one in view.points] == [
        ("bus", 20, 20, date(2018, 10, 1))
    ]
    assert [one.id for one in view.holds] == [held.id]
    assert [(one.id, one.note, one.parts[0].programme) for one in view.payments] == [
        (paid.id, "lunch", "meals")
    ]
    (pay, _, _) = view.limits
    assert (pay.act, pay.own.day_fen, pay.together.day_fen) == ("pay", 4000, 4000)
    with pytest.raises(OnlineAccountUnknown):
        read_account(city, SECOND)


def test_what_is_over_lapses_by_the_hour(city):
    meals(city)
    open_account(city, new_id(), FIRST)
    grant_file(city, "meals", "2018-09", f"card,amount\n{FIRST},10\n", file="grants.csv")
    city.clock.moment += timedelta(days=30)
    run_job(city, "citycard.lapse")
    assert read_account(city, FIRST).subsidies == ()
    assert (lapse(city).subsidies_fen, lapse(city).points) == (0, 0)


def test_points_are_taken_and_exchanged_by_partners_of_the_city(city):
    for partner in ("bus", "canteen"):
        make_scheme(city, Scheme(partner=partner, title="x", points_per_yuan=1, rate_fen=1, valid_days=9))
    add_acceptance(city, "bus", "canteen", 1)
    add_rate(city, ExchangeRate(source="bus", target="canteen", give=2, get=1))
    with pytest.raises(RegistryMissing):
        add_acceptance(city, "bus", "nobody", 1)
    open_account(city, new_id(), FIRST)
    points = Points(city.wallet)
    points.earn(new_id(), FIRST, "bus", 1000)
    assert points.use(new_id(), FIRST, "bus", "canteen", 3).amount_fen == 3
    assert points.exchange(new_id(), FIRST, "bus", "canteen", 4).points == 2


def test_cards_that_spent_more_than_was_loaded_are_a_work_list(city):
    with writing(city.engine) as conn:
        purses = [
            AccountSpec(address=card_purse(asn), code=2001, owner=asn) for asn in (FIRST, SECOND, "9" * 20)
        ]
        city.ledger.open_accounts(conn, [*purses, AccountSpec(address="control/window", code=9001)])
    put(city, card_purse(FIRST), 300)
    put(city, "control/window", 700, debit=card_purse(SECOND))
    assert [(one.asn, one.balance_fen, one.status) for one in shadows(city, negative=True)] == [
        (SECOND, -700, "issued")
    ]
    assert [(one.asn, one.status) for one in shadows(city)] == [
        (SECOND, "issued"),
        ("9" * 20, "unknown"),
        (FIRST, "issued"),
    ]
    assert len(shadows(city, limit=2)) == 2
