"""What the card's page shows: the newest twenty, in both languages, with what was paid and came back."""

from __future__ import annotations

import datetime as dt

from citycard.ids import new_id
from citycard_tourism.changes import give_back_online
from citycard_tourism.lines import citizen_lines
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
        ("Given back", 2700),
        ("Ticket for Dinosaurs, 2026-03-02 14:00", -3000),
        ("You visited City Museum", None),
        ("Museums, one year", -10_000),
    ]
    assert [line.title_zh for line in lines][1:] == [
        "恐龙展门票，2026-03-02 14:00",
        "您参观了市博物馆",
        "博物馆年票",
    ]


def test_there_are_at_most_twenty(leisure):
    card = leisure.town.card()
    leisure.town.account(card, 100_000)
    for day in range(25):
        show = leisure.settings.show("film")
        buy(leisure.office, new_id(), card.asn, show, leisure.at("19:30", days=day))
    assert len(citizen_lines(leisure.office, card.asn)) == 20
