"""What is kept about somebody: handed over whole, erased where it is over."""

from __future__ import annotations

import datetime as dt
import json

from citycard.ids import new_id
from citycard.store import writing
from citycard_tourism.changes import give_back_online
from citycard_tourism.library import take_back
from citycard_tourism.personal import PERSONAL
from citycard_tourism.tickets import buy


def exported(leisure, card):
    with writing(leisure.city.engine) as conn:
        found = list(PERSONAL.export(conn, card.asn))
    json.dumps(found)
    return sorted({row["kind"] for row in found})


def erase(leisure, card):
    with writing(leisure.city.engine) as conn:
        return PERSONAL.erase(conn, card.asn)


def test_everything_is_handed_over_and_what_is_over_is_erased(leisure):
    card, other = leisure.town.card(), leisure.town.card()
    leisure.town.load(card, 50_000)
    for one in (card, other):
        leisure.town.account(one, 50_000)
    show, ten = leisure.settings.show("dinosaurs"), leisure.at("10:00")
    given_back = buy(leisure.office, new_id(), card.asn, show, ten)
    give_back_online(leisure.office, new_id(), given_back.id)
    buy(leisure.office, new_id(), other.asn, show, ten)
    kept = buy(leisure.office, new_id(), card.asn, show, leisure.at("14:00"))
    leisure.counter("city-museum").sell_pass(new_id(), card.reader, leisure.settings.plan("museums"))
    leisure.gate("city-museum").enter(card.reader, leisure.at("09:00"))
    desk = leisure.library()
    desk.register(card.reader)
    desk.lend(new_id(), card.reader, ["B1", "B2"])
    take_back(leisure.office, "city-library", "B1")
    leisure.clear()

    everything = ["loans", "passes", "payments", "readers", "refunds", "tickets", "visits"]
    assert exported(leisure, card) == everything
    # The ticket given back with its payment and refund, the visit, and the loan that is over.
    assert erase(leisure, card) == 5
    assert erase(leisure, card) == 0
    assert exported(leisure, card) == ["loans", "passes", "payments", "readers", "tickets"]
    assert exported(leisure, other) == ["payments", "tickets"]

    take_back(leisure.office, "city-library", "B2")
    give_back_online(leisure.office, new_id(), kept.id)
    leisure.go_to(leisure.at("10:00") + dt.timedelta(days=1))
    assert erase(leisure, card) == 5
    assert exported(leisure, card) == ["passes", "payments"]
