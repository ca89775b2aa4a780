"""What the card's page shows: the newest twenty, in both languages, with what was paid and came back."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete

from citycard.ids import new_id
from citycard.store import writing
from citycard_tourism.changes import give_back_online
from citycard_tourism.lines import citizen_lines
from citycard_tourism.tables import pass_, payment
from citycard_tourism.tickets import buy


def test_lines_tell_what_happened_newest_first(leisure):
    card = leisure.town.card()
    leisure.town.load(card, 20_000)
    leisure.town.account(card, 50_000)
    show = leisure.settings.show("dinosaurs")
    leisure.go_to(leisure.at("09:00"))
    leisure.counter("city-museum").sell_pass(new_id(), card.reader, leisure.settings.plan("museums"))
    leisure.gate("city-museum").enter(card.reader, leisure.at("09:05"))
    leisure.clear()
    leisure.town.pass_time(dt.timedelta(minutes=10))
    ticket = buy(leisure.office, new_id(), card.asn, show, leisure.at("14:00"))
    leisure.town.pass_time(dt.timedelta(minutes=10))
    give_back_online(leisure.office, new_id(), ticket.id)

    lines = citizen_lines(leisure.office, card.asn)

    assert [(line.title, line.amount_fen) for line in lines] == [
        ("Given back: Ticket for Dinosaurs, 2026-03-02 14:00", 2700),
        ("Ticket for Dinosaurs, 2026-03-02 14:00", -3000),
        ("You visited City Museum", None),
        ("Museums, one year", -10_000),
    ]
    assert [line.title_zh for line in lines] == [
        "退款：恐龙展门票，2026-03-02 14:00",
        "恐龙展门票，2026-03-02 14:00",
        "您参观了市博物馆",
        "博物馆年票",
    ]


def test_what_came_back_of_a_pass_names_it_and_less_when_that_is_erased(leisure):
    card = leisure.town.card()
    leisure.town.load(card, 20_000)
    leisure.town.account(card, 50_000)
    counter = leisure.counter("city-museum")
    sold = counter.sell_pass(new_id(), card.reader, leisure.settings.plan("museums"))
    leisure.clear()
    leisure.town.pass_time(dt.timedelta(minutes=10))
    counter.cancel_pass(new_id(), card.reader, sold.id)

    line = citizen_lines(leisure.office, card.asn)[0]
    assert (line.title, line.title_zh) == ("Given back: Museums, one year", "退款：博物馆年票")
    assert 0 < line.amount_fen <= 10_000

    def first_without(table):
        with writing(leisure.city.engine) as conn:
            conn.execute(delete(table))
        return citizen_lines(leisure.office, card.asn)[0].title

    assert first_without(pass_) == "Given back: Pass"
    assert first_without(payment) == "Given back: a ticket or pass"


def test_there_are_at_most_twenty(leisure):
    card = leisure.town.card()
    leisure.town.account(card, 100_000)
    for day in range(25):
        show = leisure.settings.show("film")
        buy(leisure.office, new_id(), card.asn, show, leisure.at("19:30", days=day))
    assert len(citizen_lines(leisure.office, card.asn)) == 20
