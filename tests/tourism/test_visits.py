"""Visits as clearing saw them: each once, also of runs that were missed."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete, func, select

from citycard.city.till import Sale
from citycard.ids import new_id
from citycard.store import reading, writing
from citycard_tourism.sectors import RightKind, VisitFacts
from citycard_tourism.tables import counted_run, visit
from citycard_tourism.visits import keep_visits, visits_between


def member(leisure):
    card = leisure.town.card()
    leisure.town.load(card, 50_000)
    leisure.counter("city-museum").sell_pass(new_id(), card.reader, leisure.settings.plan("museums"))
    return card


def kept(leisure):
    with reading(leisure.city.engine) as conn:
        return conn.scalar(select(func.count()).select_from(visit))


def test_visits_are_kept_once_and_missed_runs_are_taken_up(leisure):
    card, gate = member(leisure), leisure.gate("science-museum")
    for day in range(3):
        leisure.go_to(leisure.at("09:00", days=day and 1))
        gate.enter(card.reader, leisure.town.now)
        gate.leave(card.reader, leisure.town.now + dt.timedelta(hours=1))
        leisure.town.hand_in(*leisure.tills.values())
        from citycard.clearing import clear

        clear(leisure.city)  # and nobody is told
    assert kept(leisure) == 0
    assert (keep_visits(leisure.office), keep_visits(leisure.office)) == (6, 0)
    with writing(leisure.city.engine) as conn:
        conn.execute(delete(counted_run))
    assert (keep_visits(leisure.office), kept(leisure)) == (0, 6)
    leisure.city.deliver()
    leisure.city.plugins.run_job("tourism.keep-visits")
    assert kept(leisure) == 6
    first = leisure.town.now.date() - dt.timedelta(days=2)
    found = leisure.ask(visits_between, leisure.settings, first, first + dt.timedelta(days=1))
    assert [(one.venue, one.name, one.visits) for one in found] == [("science-museum", "museums", 2)]


def test_what_is_no_visit_stops_nobody(leisure):
    card, till = member(leisure), leisure.tills["bookshop"]
    strange = VisitFacts(venue=99, right=RightKind.READER, number=99, serial=7)
    till.serve(
        card.reader, leisure.town.now, lambda _: Sale(service="tourism-visit", amount_fen=0, facts=strange)
    )
    till.serve(
        card.reader, leisure.town.now, lambda _: Sale(service="tourism-visit", amount_fen=0, facts=None)
    )
    leisure.gate("city-museum").enter(card.reader, leisure.at("10:00"))
    leisure.clear()
    today = leisure.town.now.date()
    found = leisure.ask(visits_between, leisure.settings, today, today)
    assert [(one.venue, one.right, one.name) for one in found] == [
        ("city-museum", "pass", "museums"),
        ("99", "reader", "99"),
    ]
