"""What a clinic's till decides offline."""

from __future__ import annotations

from datetime import timedelta

import pytest

from citycard.errors import CardRefused
from citycard_health.errors import DayInvalid, WrongCard
from citycard_health.tills import check_in, read_day


def test_a_card_without_an_appointment_is_sent_to_the_desk(town, booked):
    """So is one that comes after its time, or on another day."""
    card, expected = booked("health-card")
    till = town.till(town.terminal("clinic-east"))
    with pytest.raises(WrongCard, match="no open appointment here today"):
        till.serve(town.card().reader, town.now, check_in(expected))
    with pytest.raises(WrongCard):
        till.serve(card.reader, town.now + timedelta(days=2), check_in(expected))
    with pytest.raises(WrongCard):
        till.serve(card.reader, town.now, check_in([]))
    assert till.close(town.now.date()) is None


def test_a_purse_that_is_short_is_not_checked_in(town, booked):
    """Nothing is written; after a load it is."""
    card, expected = booked("health-card")
    till = town.till(town.terminal("clinic-east"))
    with pytest.raises(CardRefused, match="balance is too small"):
        till.serve(card.reader, town.now, check_in(expected))
    town.load(card, 1_000)
    assert till.serve(card.reader, town.now, check_in(expected)).amount_fen == 500
    assert town.balance_fen(card) == 500


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
