"""What a clinic's till decides offline."""

from __future__ import annotations

from datetime import timedelta

import pytest

from citycard.errors import CardRefused
from citycard_health.errors import WrongCard
from citycard_health.tills import check_in


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
