"""What a clinic's till decides offline."""

from __future__ import annotations

from datetime import timedelta

import pytest

from citycard.errors import CardRefused, CardRemoved
from citycard.ids import new_id
from citycard.store import reading
from citycard.testing.readers import TakenAway
from citycard_health.booking import appointments_of_day, book, find_appointment, free_slots
from citycard_health.counter import take_records
from citycard_health.errors import DayInvalid, WrongCard
from citycard_health.tills import Slip, check_in, pay_visit, read_day


def test_a_card_without_an_appointment_is_sent_to_the_desk(town, booked):
    """So is one that comes after its time, or on another day."""
    card, expected = booked("health-card")
    till = town.till(town.terminal("clinic-east"))
    with pytest.raises(WrongCard, match="no open appointment here today"):
        till.serve(town.card().reader, town.now, check_in(expected, town.now))
    later = town.now + timedelta(days=2)
    with pytest.raises(WrongCard):
        till.serve(card.reader, later, check_in(expected, later))
    with pytest.raises(WrongCard):
        till.serve(card.reader, town.now, check_in([], town.now))
    assert till.close(town.now.date()) is None


def test_a_purse_that_is_short_is_not_checked_in(town, booked):
    """Nothing is written; after a load it is."""
    card, expected = booked("health-card")
    till = town.till(town.terminal("clinic-east"))
    with pytest.raises(CardRefused, match="balance is too small"):
        till.serve(card.reader, town.now, check_in(expected, town.now))
    town.load(card, 1_000)
    assert till.serve(card.reader, town.now, check_in(expected, town.now)).amount_fen == 500
    assert town.balance_fen(card) == 500


def test_a_registration_whose_card_was_taken_away_is_charged_once(town, booked):
    """Whenever the card comes back to be registered."""
    card, expected = booked("health-card")
    town.load(card, 2_000)
    till = town.till(town.terminal("clinic-east"))
    with pytest.raises(CardRemoved):
        till.serve(TakenAway(card.reader), town.now, check_in(expected, town.now))
    town.pass_time(timedelta(minutes=2))
    assert till.serve(card.reader, town.now, check_in(expected, town.now)).recovered
    assert town.balance_fen(card) == 1_500


def test_a_torn_payment_of_a_visit_is_no_answer_to_a_registration(town, booked):
    """Both are charged, and each has its record."""
    card, expected = booked("health-card")
    town.load(card, 2_000)
    till = town.till(town.terminal("clinic-east"))
    with pytest.raises(CardRemoved):
        till.serve(
            TakenAway(card.reader), town.now, pay_visit(Slip(visit=new_id(), asn=card.asn, due_fen=300))
        )
    registered = till.serve(card.reader, town.now, check_in(expected, town.now))
    assert (registered.recovered, registered.amount_fen) == (False, 500)
    assert (town.balance_fen(card), len(till.records)) == (1_200, 2)


def test_a_torn_registration_is_no_answer_to_that_of_another_appointment(town, settings, booked):
    """Both are kept: the first one's record was made when the card came back."""
    card, _ = booked("health-card")
    town.load(card, 5_000)
    with reading(town.city.engine) as conn:
        later = free_slots(conn, town.now, clinic="clinic-east", day=town.now.date())[-1]
    book(town.city, settings, new_id(), card.asn, later.id)
    with reading(town.city.engine) as conn:
        both = appointments_of_day(conn, "clinic-east", town.now.date())
    till = town.till(town.terminal("clinic-east"))
    with pytest.raises(CardRemoved):
        till.serve(TakenAway(card.reader), town.now, check_in(both, town.now))
    town.pass_time(later.starts_at - town.now - timedelta(minutes=10))
    assert not till.serve(card.reader, town.now, check_in(both, town.now)).recovered
    town.clear(till)
    assert take_records(town.city) == 2
    assert [find_appointment(town.city, one.id).state.name for one in both] == ["KEPT", "KEPT"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "JSON"),
        (b"[]", "table"),
        (b"[" * 100_000, "JSON"),
        (b'{"clinic": "x", "day": "soon", "appointments": []}', "day.day"),
        (b'{"clinic": "x", "day": "2026-03-03", "appointments": [{}]}', "appointments"),
        (b'{"clinic": "x", "day": "2026-03-03", "appointments": [], "more": 1}', "more"),
    ],
)
def test_a_day_that_cannot_be_read_is_refused_by_its_field(data, said):
    """The till goes on with the day it has."""
    with pytest.raises(DayInvalid, match=said):
        read_day(data)
