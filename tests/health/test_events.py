"""What health tells has the body that it declares, in the transaction of what happened."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from citycard.bank.receiving import receive
from citycard.ids import new_id
from citycard.kernel.bodies import read_body
from citycard.store import reading, undelivered
from citycard.wallet import fund_programme, grant
from citycard.web import Actor, Role
from citycard_health.access import open_record
from citycard_health.booking import book, cancel, free_slots
from citycard_health.claims import close_month, settle_paid
from citycard_health.errors import SportsRefused
from citycard_health.events import EVENT_TYPES
from citycard_health.returns import return_lines
from citycard_health.sports import open_programme, pay_sport, return_sport
from citycard_health.visits import VisitItem, charge_visit


def test_each_event_is_told_with_its_body(town, settings, insure, bank_day):
    """Appointments, visits, readings, sports and claims: in order, and none for what was refused."""
    city, card = town.city, town.card("health-card")
    insure(card)
    with reading(city.engine) as conn:
        slot = free_slots(conn, town.now)[0]
    cancel(city, settings, book(city, settings, new_id(), card.asn, slot.id).id)
    visit = charge_visit(
        city, settings, new_id(), card.asn, "clinic-east", [VisitItem(code="scan", number=2)]
    )
    return_lines(city, new_id(), visit.id, [1], reason="broken", actor="x")
    open_record(city, Actor(role=Role.OPERATOR, token="t"), card.asn, what="record", reason="check")
    open_record(city, Actor(role=Role.CITIZEN, token="t", subject=card.asn), card.asn, what="record")
    open_programme(city, settings, date(2026, 1, 1), date(2026, 12, 31))
    fund_programme(city.wallet, new_id(), "health-sports", 50_000)
    grant(city.wallet, new_id(), "health-sports", town.account(card), 3_000)
    return_sport(city, pay_sport(city, settings, new_id(), card.asn, "swim-hall").id, reason="closed")
    with pytest.raises(SportsRefused):
        pay_sport(city, settings, new_id(), town.card().asn, "swim-hall")
    town.pass_time(timedelta(days=30))
    month = close_month(city, settings, "medicare", "2026-03")
    receive(city, bank_day(town, month.reference, month.total_fen))
    settle_paid(city)

    kinds = {one.name: one.body for one in EVENT_TYPES}
    with reading(city.engine) as conn:
        told = list(undelivered(conn, limit=100, topics=sorted(kinds)))
    assert [one.topic.removeprefix("health.") for one in told] == [
        "appointment-changed",
        "appointment-changed",
        "visit-charged",
        "visit-returned",
        "data-read",
        "sport-paid",
        "sport-paid",
        "claims-settled",
    ]
    bodies = [read_body(one.topic, one.body, kinds[one.topic]) for one in told]
    assert [type(body) for body in bodies] == [kinds[one.topic] for one in told]
    assert (bodies[2].insured_fen, bodies[3].insured_fen) == (24_500, 10_500)
    assert (bodies[5].amount_fen, bodies[6].amount_fen) == (3_000, -3_000)
    assert bodies[7].total_fen == 14_000
    assert city.deliver() >= len(told)
