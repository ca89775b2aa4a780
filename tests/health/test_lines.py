"""What the citizen's card page tells: newest first, in both languages, twenty at most."""

from __future__ import annotations

from datetime import timedelta

from citycard.ids import new_id
from citycard.store import reading
from citycard_health.booking import book, cancel, free_slots
from citycard_health.visits import VisitItem, charge_visit


def test_appointments_and_visits_are_told_newest_first(town, settings):
    """A visit says what it cost the citizen."""
    city, card = town.city, town.card()
    with reading(city.engine) as conn:
        slots = free_slots(conn, town.now)
    made = book(city, settings, new_id(), card.asn, slots[0].id)
    town.pass_time(timedelta(hours=1))
    cancel(city, settings, made.id)
    town.pass_time(timedelta(hours=1))
    charge_visit(city, settings, new_id(), card.asn, "clinic-east", [VisitItem(code="blood")])
    told = [owned.record for owned in city.plugins.citizen_lines(card.asn)]
    assert [(one.title, one.amount_fen) for one in told] == [
        ("You visited East Clinic", -3_000),
        ("Your appointment was cancelled: East Clinic, Dr Wang, 2026-03-03 08:00", None),
    ]
    assert told[1].title_zh.startswith("您的预约已取消")
    assert list(city.plugins.citizen_lines(town.card().asn)) == []
    page = town.client("citizen", card.asn).get(f"/cards/{card.asn}", headers={"accept": "text/html"})
    assert "You visited East Clinic" in page.text


def test_there_are_never_more_than_twenty(town, settings):
    """The oldest are left out."""
    card = town.card()
    for _ in range(25):
        town.pass_time(timedelta(minutes=1))
        charge_visit(town.city, settings, new_id(), card.asn, "clinic-east", [VisitItem(code="blood")])
    told = [owned.record for owned in town.city.plugins.citizen_lines(card.asn)]
    assert len(told) == 20
    assert told[0].at == town.now
