"""A terminal serves cards of another city as long as that city takes part."""

from __future__ import annotations

import pytest
from twocities import DAY

from citycard import registry
from citycard.city.handheld import Handheld
from citycard.errors import CardRefused, CommandFailed
from citycard.store import writing


def pay_here(side, guest):
    with Handheld(side.city, f"{side.code}00000001") as handheld:
        handheld.pay(guest.reader(0), 100)


def test_a_card_of_a_city_that_left_is_refused_before_its_purse_is_touched(sides):
    east, west = sides
    # The handheld has the keys of its own city alone: a guest's card is served, and believes no debit of it.
    with pytest.raises(CommandFailed, match="DEBIT FOR PURCHASE"):
        pay_here(east, west)
    with writing(east.city.engine) as conn:
        registry.remove_city(conn, west.code, DAY)
    east.later(hours=24)
    with pytest.raises(CardRefused) as refusal:
        pay_here(east, west)
    assert refusal.value.data["reason"] == "not-served"
