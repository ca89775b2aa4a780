"""What happens by time, and what a break left behind."""

from __future__ import annotations

import datetime as dt

import pytest

from citycard.city.charging import charge
from citycard.ids import new_id
from citycard_tourism.passes import find_pass, hold_pass
from citycard_tourism.slots import slots_of
from citycard_tourism.takings import payment_id
from citycard_tourism.tickets import find_ticket, hold


@pytest.fixture
def card(leisure):
    made = leisure.town.card()
    leisure.town.account(made, 50_000)
    return made


def run(leisure, job):
    leisure.city.plugins.run_job(f"tourism.{job}")


def held(leisure, card, act, **more):
    show = leisure.settings.show("film")
    return hold(leisure.office, act, card.asn, show, leisure.at("19:30"), 2, way="account", **more)


def taken(leisure):
    show = leisure.settings.show("film")
    return leisure.ask(slots_of, show, leisure.town.now.date())[0].taken


def test_places_that_nobody_paid_are_freed(leisure, card):
    act = new_id()
    held(leisure, card, act)
    leisure.town.pass_time(dt.timedelta(minutes=14))
    run(leisure, "lapse-holds")
    assert taken(leisure) == 2
    leisure.town.pass_time(dt.timedelta(minutes=2))
    for _ in range(2):
        run(leisure, "lapse-holds")
    assert (taken(leisure), leisure.ask(find_ticket, act).state) == (0, "lapsed")


def test_a_ticket_that_was_paid_when_the_power_went_is_finished(leisure, card):
    act = new_id()
    found = held(leisure, card, act)
    charge(
        leisure.city,
        payment_id(act),
        card.asn,
        service="tourism-ticket",
        partner="old-cinema",
        facts={"show": "film", "people": 2, "points_fen": 0},
        entitlements=(),
    )
    leisure.town.pass_time(dt.timedelta(minutes=16))
    run(leisure, "lapse-holds")
    assert (taken(leisure), leisure.ask(find_ticket, act).state, found.price_fen) == (2, "paid", 8000)


def test_what_a_counter_holds_waits_for_it(leisure, card):
    act, show = new_id(), leisure.settings.show("film")
    hold(leisure.office, act, card.asn, show, leisure.at("19:30"), 2, way="purse")
    leisure.town.pass_time(dt.timedelta(hours=2))
    run(leisure, "lapse-holds")
    assert taken(leisure) == 2


def test_a_pass_that_was_paid_when_the_power_went_is_finished(leisure, card):
    act, other = new_id(), new_id()
    museums = leisure.settings.plan("museums")
    for one in (act, other):
        hold_pass(leisure.office, one, card.asn, museums)
    charge(
        leisure.city,
        payment_id(act),
        card.asn,
        service="tourism-pass",
        partner="city-museum",
        facts={"plan": "museums", "turn": 0},
        entitlements=(),
    )
    run(leisure, "finish-passes")
    assert [leisure.ask(find_pass, one).state for one in (act, other)] == ["active", "held"]


def test_the_checks_are_well_and_see_what_is_not(leisure, card):
    from sqlalchemy import update

    from citycard.store import writing
    from citycard_tourism.tables import slot

    held(leisure, card, new_id())
    said = {owned.record.name: said for owned, said in leisure.city.plugins.health()}
    assert (said["tourism-places"], said["tourism-refunds"]) == (None, None)
    with writing(leisure.city.engine) as conn:
        conn.execute(update(slot).values(taken=1))
    said = {owned.record.name: said for owned, said in leisure.city.plugins.health()}
    assert said["tourism-places"] == "show 2 at 2026-03-02 19:30:00: 2 places sold, 1 counted"


def test_a_refund_that_waits_is_told_and_given(leisure):
    card = leisure.town.card()
    leisure.town.load(card, 20_000)
    counter = leisure.counter("city-museum")
    sold = counter.sell_ticket(new_id(), card.reader, leisure.settings.show("dinosaurs"), leisure.at("14:00"))
    counter.return_ticket(new_id(), card.reader, sold.id)
    leisure.town.pass_time(dt.timedelta(days=4))
    run(leisure, "give-refunds")
    said = {owned.record.name: said for owned, said in leisure.city.plugins.health()}
    assert "1 refunds wait" in said["tourism-refunds"]
    leisure.clear()
    run(leisure, "give-refunds")
    said = {owned.record.name: said for owned, said in leisure.city.plugins.health()}
    assert said["tourism-refunds"] is None
