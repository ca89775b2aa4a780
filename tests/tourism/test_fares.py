"""Prices and what comes back: pure, and never more than was paid."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.clearing.pricing import PriceRequest, RuleBook
from citycard.errors import PriceUnknown
from citycard_tourism.fares import fee_rules, pass_refund_fen, ticket_refund_fen, unused_days
from citycard_tourism.settings import Concession, GroupPrice, Library, Plan, Show, TourismSettings, Venue

NOON = dt.datetime.fromisoformat("2026-03-02T12:00")
SHOW = Show(name="film", number=2, title="F", venue="cinema", price_fen=3333, times=("19:30",), capacity=20)
PLAN = Plan(
    name="gym",
    number=1,
    title="G",
    venues=("cinema",),
    price_fen=90_001,
    days=90,
    extend_fen=30_000,
    extend_days=30,
    keep_percent=10,
)
SETTINGS = TourismSettings(
    venues=(Venue(id="cinema", name="C", number=1),),
    shows=(SHOW,),
    plans=(PLAN,),
    rights=("student", "child"),
    concessions=(
        Concession(name="students", only_for=("student",), percent=50),
        Concession(name="children", only_for=("child",), percent=0, services=("tourism-fee",)),
    ),
    groups=(GroupPrice(name="ten", people=10, percent=80), GroupPrice(name="fifty", people=50, percent=50)),
    libraries=(Library(venue="cinema", fee_fen=20, fee_most_fen=100),),
)
BOOK = RuleBook(fee_rules(SETTINGS))


def fen(service, rights=(), **facts):
    return BOOK.quote(PriceRequest(service=service, at=NOON, entitlements=rights, facts=facts)).amount_fen


@pytest.mark.parametrize(
    ("rights", "facts", "expected"),
    [
        ((), {"people": 1}, 3333),
        (("student",), {"people": 1}, 1667),
        (("child",), {"people": 1}, 3333),
        ((), {"people": 9}, 29_997),
        ((), {"people": 10}, 26_664),
        ((), {"people": 50}, 83_325),
        (("student",), {"people": 10}, 25_331),
        ((), {"people": 1, "points_fen": 3000}, 333),
        ((), {"people": 1, "points_fen": 9000}, 0),
    ],
)
def test_what_a_ticket_costs(rights, facts, expected):
    assert fen("tourism-ticket", rights, show="film", **facts) == expected


def test_what_plans_and_late_books_cost():
    assert (fen("tourism-pass", plan="gym"), fen("tourism-pass", plan="gym", turn=7)) == (90_001, 30_000)
    assert [fen("tourism-fee", venue="cinema", days=days) for days in (0, 1, 5, 6, 999)] == [
        0,
        20,
        100,
        100,
        100,
    ]
    assert fen("tourism-fee", ("child",), venue="cinema", days=5) == 0
    assert fen("tourism-visit") == 0


@pytest.mark.parametrize("service", ["tourism-ticket", "tourism-pass", "tourism-fee", "tourism-sale"])
def test_what_the_settings_do_not_have_has_no_price(service):
    with pytest.raises(PriceUnknown):
        fen(service, show="none", plan="none", venue="none")


def test_a_rules_version_changes_with_what_it_says():
    def versions(settings):
        return {rule.name: rule.version for rule in fee_rules(settings)}

    from attrs import evolve

    before = versions(SETTINGS)
    after = versions(evolve(SETTINGS, shows=(evolve(SHOW, price_fen=3334),)))
    assert {name for name in before if before[name] != after[name]} == {"places"}


@given(
    st.lists(st.tuples(st.integers(0, 10**7), st.integers(1, 400)), min_size=1, max_size=5),
    st.integers(-5, 3000),
    st.integers(0, 100),
)
def test_no_more_comes_back_of_a_pass_than_its_unused_days_cost(paid, left, keep):
    from attrs import evolve

    plan = evolve(PLAN, keep_percent=keep)
    spread = unused_days([days for _, days in paid], left)
    back = [
        pass_refund_fen(plan, fen, days, unused) for (fen, days), unused in zip(paid, spread, strict=True)
    ]

    assert sum(spread) == min(max(left, 0), sum(days for _, days in paid))
    for (amount_fen, days), unused, back_fen in zip(paid, spread, back, strict=True):
        assert 0 <= unused <= days
        assert 0 <= back_fen <= amount_fen
        assert back_fen * days * 100 <= amount_fen * unused * (100 - keep) < (back_fen + 1) * days * 100


@given(st.integers(0, 10**9), st.integers(0, 100))
def test_no_more_comes_back_of_a_ticket_than_was_paid(paid_fen, percent):
    from attrs import evolve

    back_fen = ticket_refund_fen(evolve(SHOW, refund_percent=percent), paid_fen)
    assert abs(back_fen * 100 - paid_fen * percent) <= 50
    assert back_fen <= paid_fen
