"""Points that paid for what is given back are usable again, and every partner has what it had before."""

from datetime import timedelta

import pytest

from citycard.errors import ActDiffers, PointsRefused
from citycard.ids import new_id
from citycard.store import reading, writing
from citycard.wallet import (
    Accounts,
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
)
from citycard.wallet.pointsback import give_points_back


@pytest.fixture
def points(wallet):
    """The metro gives 2 points a yuan, pays 3 fen for each, and the shop takes them for 2."""
    wanted = Scheme(partner="metro", title="metro", points_per_yuan=2, rate_fen=3, valid_days=30)
    with writing(wallet.engine) as conn:
        add_scheme(conn, wallet.ledger, wanted)
        accept_points(conn, "metro", "shop", 2)
    return Points(wallet)


@pytest.fixture(autouse=True)
def _books_agree(wallet, points):
    yield
    with reading(wallet.engine) as conn:
        assert report_scheme(conn, wallet.ledger, "metro").difference == 0
        assert wallet.ledger.audit(conn) == []


@pytest.fixture
def back(wallet):
    def give(identity, use, points):
        with writing(wallet.engine) as conn:
            return give_points_back(conn, wallet, identity, use, points)

    return give


@pytest.fixture
def two_lots(wallet, opened, points, clock):
    """An account with two lots of 10 points, five days apart, of which 12 points were used at the shop."""
    number, use = opened(1), new_id()
    points.earn(new_id(), number, "metro", 500)
    clock.moment += timedelta(days=5)
    points.earn(new_id(), number, "metro", 500)
    points.use(use, number, "metro", "shop", 12)
    return number, use


def standing(wallet, number):
    with reading(wallet.engine) as conn:
        money = [
            wallet.ledger.balance_fen(conn, address)
            for address in (partner_payable("shop"), partner_payable("metro"), points_fund("metro"))
        ]
        return money, [lot.unused for lot in lots_of(conn, number)]


def test_points_go_back_into_their_lots_and_their_money_to_where_it_came_from(wallet, two_lots, back):
    number, use = two_lots
    assert standing(wallet, number) == ([24, -60 + 12, 24], [8])
    once = new_id()
    assert [back(once, use, 5) for _ in range(2)] == [10, 10]
    assert standing(wallet, number) == ([14, -60 + 7, 39], [3, 10])
    assert back(new_id(), use, 7) == 14
    assert standing(wallet, number) == ([0, -60, 60], [10, 10])
    with reading(wallet.engine) as conn:
        assert wallet.ledger.balance_fen(conn, account_points(number, "metro")) == 20


def test_no_more_points_come_back_than_were_used(two_lots, back):
    _, use = two_lots
    once = new_id()
    back(once, use, 5)
    with pytest.raises(ActDiffers):
        back(once, use, 6)
    for wanted in (0, 8):
        with pytest.raises(PointsRefused, match="more than use"):
            back(new_id(), use, wanted)
    with pytest.raises(PointsRefused, match="no points were used"):
        back(new_id(), new_id(), 1)


def test_points_of_a_lot_that_is_over_lapse_at_once_though_it_lapsed_before(wallet, two_lots, back, clock):
    number, use = two_lots
    clock.moment += timedelta(days=40)
    assert lapse_lots(wallet) == 8
    back(new_id(), use, 12)
    assert standing(wallet, number) == ([0, 0, 0], [])
    assert lapse_lots(wallet) == 0


def test_points_of_an_account_that_is_closed_lapse_at_once(wallet, two_lots, back):
    number, use = two_lots
    Accounts(wallet).close(new_id(), number)
    back(new_id(), use, 12)
    assert standing(wallet, number) == ([0, 0, 0], [])


def test_points_that_another_step_of_the_same_transaction_refuses_stay_used(wallet, two_lots):
    number, use = two_lots
    before = standing(wallet, number)

    def twice():
        with writing(wallet.engine) as conn:
            give_points_back(conn, wallet, new_id(), use, 12)
            give_points_back(conn, wallet, new_id(), use, 1)

    with pytest.raises(PointsRefused):
        twice()
    assert standing(wallet, number) == before
