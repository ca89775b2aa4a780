from datetime import date, timedelta

import pytest

from citycard.errors import AccountNotOpen, PointsRefused, SchemeUnknown
from citycard.ids import new_id
from citycard.store import reading, writing
from citycard.wallet import (
    Accounts,
    ExchangeRate,
    Points,
    Scheme,
    accept_points,
    account_points,
    add_scheme,
    lapse_lots,
    lots_of,
    partner_payable,
    points_fund,
    report_scheme,
    set_exchange_rate,
)


@pytest.fixture
def points(wallet):
    """The metro gives 2 points a yuan and pays 3 fen for each; the zoo 1, and pays 5."""
    with writing(wallet.engine) as conn:
        for partner, per_yuan, rate_fen, days in (("metro", 2, 3, 30), ("zoo", 1, 5, 90)):
            wanted = Scheme(
                partner=partner, title=partner, points_per_yuan=per_yuan, rate_fen=rate_fen, valid_days=days
            )
            add_scheme(conn, wallet.ledger, wanted)
        accept_points(conn, "metro", "shop", 2)
        accept_points(conn, "metro", "metro", 9)
        set_exchange_rate(conn, ExchangeRate(source="metro", target="zoo", give=10, get=4))
        set_exchange_rate(conn, ExchangeRate(source="zoo", target="metro", give=1, get=3))
    return Points(wallet)


@pytest.fixture
def balance(wallet):
    def read(address):
        with reading(wallet.engine) as conn:
            return wallet.ledger.balance_fen(conn, address)

    return read


@pytest.fixture(autouse=True)
def _books_agree(wallet, points):
    """After every test the fund of each scheme is what its lots are worth, and the ledger is in order."""
    yield
    with reading(wallet.engine) as conn:
        assert [report_scheme(conn, wallet.ledger, name).difference for name in ("metro", "zoo")] == [0, 0]
        assert wallet.ledger.audit(conn) == []


def test_the_partner_that_gives_points_pays_for_them(opened, points, balance):
    number, identity = opened(1), new_id()
    for _ in range(2):
        done = points.earn(identity, number, "metro", 1999)
        assert (done.points, done.amount_fen) == (39, 117)
    assert balance(account_points(number, "metro")) == 39
    assert balance(points_fund("metro")) == 117
    assert balance(partner_payable("metro")) == -117


def test_the_partner_that_takes_points_is_paid_and_the_rest_goes_back(opened, points, balance):
    number = opened(1)
    points.earn(new_id(), number, "metro", 1000)
    done = points.use(new_id(), number, "metro", "shop", 12)
    assert (done.points, done.amount_fen) == (-12, 24)
    assert balance(partner_payable("shop")) == 24
    assert balance(partner_payable("metro")) == -60 + 12
    assert balance(points_fund("metro")) == 8 * 3


def test_no_partner_is_paid_more_for_a_point_than_was_paid_in(opened, points, balance):
    number = opened(1)
    points.earn(new_id(), number, "metro", 1000)
    assert points.use(new_id(), number, "metro", "metro", 20).amount_fen == 60
    assert balance(partner_payable("metro")) == 0


def test_points_are_used_in_the_order_in_which_they_lapse(wallet, opened, points, clock):
    number = opened(1)
    points.earn(new_id(), number, "metro", 500)
    clock.moment += timedelta(days=5)
    points.earn(new_id(), number, "metro", 500)
    points.use(new_id(), number, "metro", "shop", 12)
    with reading(wallet.engine) as conn:
        assert [(lot.unused, lot.expires_on) for lot in lots_of(conn, number)] == [(8, date(2027, 1, 2))]


def test_points_that_lapse_give_their_partner_back_what_it_paid_for_each_lot(
    opened, points, balance, clock, wallet
):
    number = opened(1)
    points.earn(new_id(), number, "metro", 1000)
    points.use(new_id(), number, "metro", "shop", 5)
    clock.moment += timedelta(days=30)
    assert lapse_lots(wallet) == 0
    clock.moment += timedelta(days=1)
    with pytest.raises(PointsRefused, match="has 0, 1 are wanted"):
        points.use(new_id(), number, "metro", "shop", 1)
    assert [lapse_lots(wallet) for _ in range(2)] == [15, 0]
    assert balance(partner_payable("metro")) == -10
    assert balance(points_fund("metro")) == balance(account_points(number, "metro")) == 0


@pytest.mark.parametrize(
    ("source", "target", "given", "got", "owed"),
    [("metro", "zoo", 20, 8, -60 + 60 - 40), ("zoo", "metro", 5, 15, -50 + 25 - 45)],
)
def test_points_of_one_partner_become_those_of_another(
    opened, points, balance, source, target, given, got, owed
):
    number = opened(1)
    points.earn(new_id(), number, source, 1000)
    done = points.exchange(new_id(), number, source, target, given)
    assert done.points == got
    assert balance(account_points(number, target)) == got
    assert (balance(partner_payable(source)), balance_or_zero(balance, target)) == (owed, 0)


def balance_or_zero(balance, partner):
    from citycard.errors import AccountMissing

    try:
        return balance(partner_payable(partner))
    except AccountMissing:
        return 0


def test_an_exchange_makes_no_points_last_longer(wallet, opened, points):
    number = opened(1)
    points.earn(new_id(), number, "metro", 1000)
    points.exchange(new_id(), number, "metro", "zoo", 20)
    with reading(wallet.engine) as conn:
        (lot,) = lots_of(conn, number)
    assert (lot.scheme, lot.expires_on) == ("zoo", date(2026, 12, 28))


def test_points_are_refused_with_the_reason(opened, points):
    number = opened(1)
    points.earn(new_id(), number, "metro", 1000)
    for act, said in (
        (lambda: points.earn(new_id(), number, "metro", 49), "49 fen earn no point"),
        (lambda: points.use(new_id(), number, "metro", "zoo", 1), "partner zoo does not take them"),
        (lambda: points.use(new_id(), number, "metro", "shop", 21), "has 20, 21 are wanted"),
        (lambda: points.exchange(new_id(), number, "metro", "zoo", 11), "by 10 for 4 of zoo, not 11 at once"),
    ):
        with pytest.raises(PointsRefused, match=said):
            act()
    with pytest.raises(SchemeUnknown, match="citycard points scheme"):
        points.earn(new_id(), number, "shop", 1000)
    with pytest.raises(SchemeUnknown, match="citycard points rate"):
        points.exchange(new_id(), number, "metro", "metro", 10)


def test_a_frozen_account_earns_and_does_not_use_and_a_closed_one_loses_its_points(
    wallet, opened, points, balance
):
    number = opened(1)
    Accounts(wallet).freeze(new_id(), number)
    points.earn(new_id(), number, "metro", 1000)
    with pytest.raises(AccountNotOpen):
        points.use(new_id(), number, "metro", "shop", 1)
    Accounts(wallet).close(new_id(), number)
    assert (balance(points_fund("metro")), balance(partner_payable("metro"))) == (0, 0)
