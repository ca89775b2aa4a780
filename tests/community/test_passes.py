"""Parking passes: sold once, paid once, and a space is nobody else's in the same month."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest

from citycard.city import charging
from citycard.errors import ActGivenUp, CitycardError, FundsMissing, OnlineAccountUnknown
from citycard.ids import new_id
from citycard.store import reading
from citycard_community.errors import CarParkUnknown, CommunityUnknown, PassRefused
from citycard_community.passes import finish_passes, passes_of_card, sell_pass

MARCH, MAY = dt.date(2026, 3, 1), dt.date(2026, 5, 1)


def residents_of(estate):
    cards = [estate.town.card() for _ in range(2)]
    for number, card in enumerate(cards):
        estate.home(card, room=f"10{number}")
        estate.town.account(card, 100_000)
    return cards


@pytest.fixture
def residents(estate):
    return residents_of(estate)


def selling(estate):
    def sell(card, space=1, first=MARCH, months=1, identity=None, community="sunrise", car_park=1):
        return sell_pass(
            estate.city,
            estate.settings,
            identity or new_id(),
            card.asn,
            community,
            car_park,
            space,
            first,
            months,
        )

    return sell


@pytest.fixture
def sell(estate):
    return selling(estate)


def test_months_of_one_space_never_overlap(estate, residents, sell):
    first, second = residents
    sold = sell(first, months=2)
    assert (sold.first, sold.last_day) == (MARCH, dt.date(2026, 4, 30))
    with pytest.raises(PassRefused, match="another pass has it in 2026-04"):
        sell(second, first=dt.date(2026, 4, 15), months=3)
    sell(second, first=MAY)
    with reading(estate.city.engine) as conn:
        assert passes_of_card(conn, first.asn, estate.today) == [sold]
        assert passes_of_card(conn, first.asn, MAY) == []


def test_the_same_sale_again_is_one_sale(estate, residents, sell):
    identity = new_id()
    assert sell(residents[0], identity=identity) == sell(residents[0], identity=identity)
    with pytest.raises(PassRefused, match="was given to another"):
        sell(residents[0], identity=identity, space=2)
    assert estate.clear().carried_fen == 15_000


EACH_STORE = ["estate", pytest.param("on_postgresql", marks=pytest.mark.postgresql)]


@pytest.mark.parametrize("town", EACH_STORE)
def test_two_who_buy_a_space_at_once_are_one(town, request):
    estate = request.getfixturevalue(town)
    residents, sell = residents_of(estate), selling(estate)

    def buy(card):
        try:
            return sell(card).asn
        except CitycardError:
            return None

    with ThreadPoolExecutor(4) as pool:
        bought = [one for one in pool.map(buy, residents * 3) if one]

    assert len(bought) == 1
    assert estate.clear().carried_fen == 15_000


def test_who_cannot_pay_keeps_no_space(estate, residents, sell):
    first, second = residents
    with pytest.raises(FundsMissing):
        sell(first, months=12)
    sell(second, months=1)
    assert sell(first, space=2, months=6).months == 6


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"space": 0}, CarParkUnknown),
        ({"space": 4}, CarParkUnknown),
        ({"car_park": 2}, CarParkUnknown),
        ({"community": "moon"}, CommunityUnknown),
        ({"months": 0}, PassRefused),
        ({"months": 13}, PassRefused),
        ({"first": dt.date(2026, 2, 28)}, PassRefused),
    ],
)
def test_what_is_no_pass_is_refused(residents, sell, more, error):
    with pytest.raises(error):
        sell(residents[0], **more)


def test_a_sale_that_broke_off_is_finished_when_it_was_paid_and_else_forgotten(estate, residents, sell):
    from citycard_community.tables import parking_pass

    identity = new_id()
    sell(residents[0], identity=identity)
    with estate.city.engine.begin() as conn:  # as if the power had gone before the last step
        conn.execute(parking_pass.update().values(right=None))
        kept = conn.execute(parking_pass.select()).one()._mapping
        conn.execute(parking_pass.insert().values({**kept, "space": 2, "sale": new_id()}))
    assert finish_passes(estate.city, estate.settings, estate.now) == 1
    estate.town.pass_time(dt.timedelta(hours=2))
    assert finish_passes(estate.city, estate.settings, estate.now) == 0
    with estate.city.engine.begin() as conn:
        rows = conn.execute(parking_pass.select()).all()
    assert [(row.space, row.right is None) for row in rows] == [(1, False)]


def test_a_pass_that_was_paid_and_broke_off_is_finished_whatever_refuses_the_next_try(
    estate, residents, sell, monkeypatch
):
    identity, pay_first = new_id(), charging.charge

    def pay_and_break(*given, **named):
        pay_first(*given, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(charging, "charge", pay_and_break)
        with pytest.raises(KeyboardInterrupt):
            sell(residents[0], identity=identity)
    # The real one looks the card's account up before anything else.
    monkeypatch.setattr("citycard.city.charging.find_account", _gone)
    assert sell(residents[0], identity=identity).right is not None
    with pytest.raises(PassRefused, match="another pass has it"):
        sell(residents[1])
    assert estate.clear().carried_fen == 15_000


def test_a_sale_that_stalled_until_it_was_forgotten_takes_no_money(estate, residents, sell, monkeypatch):
    identity, price = new_id(), charging.price

    def two_hours_late(*given, **named):
        monkeypatch.setattr(charging, "price", price)
        estate.town.pass_time(dt.timedelta(hours=2))
        assert finish_passes(estate.city, estate.settings, estate.now) == 0
        assert sell(residents[1]).right is not None
        return price(*given, **named)

    monkeypatch.setattr(charging, "price", two_hours_late)
    with pytest.raises(ActGivenUp):
        sell(residents[0], identity=identity)
    with pytest.raises(PassRefused, match="another pass has it"):
        sell(residents[0], identity=identity)
    assert estate.clear().carried_fen == 15_000


def _gone(_conn, number):
    raise OnlineAccountUnknown(number=number)
