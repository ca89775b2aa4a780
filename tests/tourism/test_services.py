"""Who is paid for what: weights of one whole, by visits, by the settings, or evenly."""

from __future__ import annotations

import datetime as dt

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from citycard.card.codec import encode
from citycard.clearing.pricing import RuleBook
from citycard.money import split
from citycard.terminal.record import RecordKind, TransactionRecord
from citycard_tourism.fares import fee_rules
from citycard_tourism.sectors import PassFacts, TicketFacts, VisitFacts
from citycard_tourism.services import NUMBERS, services, weights_of
from citycard_tourism.settings import Concession, Plan, Show, TourismSettings, Venue

GYM = Plan(
    name="gym",
    number=2,
    title="G",
    kind="membership",
    venues=("north", "south"),
    weights={"north": 3, "south": 1},
    seller_percent=10,
    price_fen=90_000,
    extend_fen=30_000,
    extend_days=30,
)
SETTINGS = TourismSettings(
    venues=tuple(
        Venue(id=name, name=name, number=number) for number, name in enumerate(("north", "south", "desk"), 1)
    ),
    shows=(
        Show(name="film", number=7, title="F", venue="south", price_fen=1000, times=("10:00",), capacity=9),
    ),
    plans=(GYM,),
    rights=("child", "student"),
    concessions=(Concession(name="students", only_for=("student",), percent=50),),
)
SERVICES = {service.name: service for service in services(SETTINGS)}


def record(service, facts, list_price_fen=0):
    return TransactionRecord(
        kind=RecordKind.SINGLE,
        tti=9,
        service=NUMBERS[service],
        issuer="01019901FFFFFFFF",
        asn="0" * 20,
        card_kind=17,
        key_version=1,
        algorithm=0,
        counter=1,
        balance_before_fen=0,
        amount_fen=0,
        balance_after_fen=0,
        terminal="0" * 12,
        terminal_serial=1,
        at=dt.datetime.fromisoformat("2026-03-02T12:00"),
        tac=bytes(4),
        config=1,
        blacklist=0,
        list_price_fen=list_price_fen,
        facts=encode(facts) if facts else bytes(48),
    )


def visits(*counts):
    return bytes(counts) + bytes(8 - len(counts))


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (PassFacts(plan=2, serial=1), {"north": 270, "south": 90}),
        (PassFacts(plan=2, serial=1, seller=2), {"north": 270, "south": 130}),
        (PassFacts(plan=2, serial=1, seller=3), {"north": 270, "south": 90, "desk": 40}),
        (PassFacts(plan=2, serial=1, visits=visits(1, 9)), {"north": 270, "south": 90}),
        (PassFacts(plan=2, serial=1, turn=1, visits=visits(1, 9)), {"north": 90, "south": 810}),
        (PassFacts(plan=2, serial=1, turn=1, visits=visits(0, 4), seller=1), {"north": 40, "south": 360}),
        (PassFacts(plan=2, serial=1, turn=1), {"north": 270, "south": 90}),
    ],
)
def test_a_membership_goes_by_visits_once_there_are_some(facts, expected):
    assert weights_of(SETTINGS, GYM, facts) == expected


def test_a_plan_without_weights_is_shared_evenly():
    plan = evolve(GYM, weights={}, seller_percent=0)
    assert weights_of(SETTINGS, plan, PassFacts(plan=2, serial=1)) == {"north": 100, "south": 100}


@given(st.lists(st.integers(0, 255), min_size=2, max_size=2), st.integers(0, 3), st.integers(0, 10**7))
def test_the_shares_are_the_whole_price(counts, seller, price_fen):
    facts = PassFacts(plan=2, serial=1, turn=1, visits=visits(*counts), seller=seller)
    weights = weights_of(SETTINGS, GYM, facts)
    assert min(weights.values()) > 0
    assert sum(split(price_fen, list(weights.values()))) == price_fen


def test_a_tickets_price_is_its_venues_wherever_it_was_sold():
    facts = TicketFacts(show=7, people=2)
    shared = SERVICES["tourism-ticket"].shares(record("tourism-ticket", facts), facts, None)
    assert [(share.partner, share.weight) for share in shared] == [("south", 1)]


def test_what_the_settings_no_longer_have_is_the_terminals():
    old = PassFacts(plan=99, serial=1), TicketFacts(show=99)
    assert list(SERVICES["tourism-pass"].shares(record("tourism-pass", old[0]), old[0], None)) == []
    assert list(SERVICES["tourism-ticket"].shares(record("tourism-ticket", old[1]), old[1], None)) == []


def test_clearing_is_asked_the_counters_question():
    book = RuleBook(fee_rules(SETTINGS))
    facts = TicketFacts(show=7, people=1, rights=SETTINGS.given(["student", "stranger"]))
    asked = SERVICES["tourism-ticket"].request(record("tourism-ticket", facts), facts)
    assert (asked.entitlements, book.quote(asked).amount_fen) == ({"student"}, 500)
    goods = SERVICES["tourism-sale"].request(record("tourism-sale", None, 1234), None)
    assert book.quote(goods).amount_fen == 1234
    visit = VisitFacts(venue=1)
    assert (
        book.quote(SERVICES["tourism-visit"].request(record("tourism-visit", visit), visit)).amount_fen == 0
    )


def test_every_service_has_habits_that_its_rules_can_price():
    book = RuleBook(fee_rules(SETTINGS))
    for name in ("tourism-pass", "tourism-ticket", "tourism-visit"):
        habits = list(SERVICES[name].habits())
        assert habits
        for tap in (tap for habit in habits for tap in (*habit.there, *habit.back)):
            asked = SERVICES[name].request(record(name, tap.facts, tap.list_price_fen), tap.facts)
            assert book.quote(asked).amount_fen >= 0
