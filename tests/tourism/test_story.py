"""The story of culture and leisure, from cards and counters to the partners' statements and the bank."""

from __future__ import annotations

import pytest

from citycard.ids import new_id
from citycard_tourism.errors import PassUsedAgain, SlotNotNow


def test_a_pass_and_a_ticket_live_on_the_card_and_are_validated_offline(leisure):
    town, card = leisure.town, leisure.town.card()
    town.load(card, 50_000)
    leisure.go_to(leisure.at("09:00"))
    counter = leisure.counter("city-museum")

    sold = counter.sell_pass(new_id(), card.reader, leisure.settings.plan("museums"))
    ticket = counter.sell_ticket(
        new_id(), card.reader, leisure.settings.show("dinosaurs"), leisure.at("10:00"), people=2
    )

    assert (sold.state, ticket.state) == ("active", "card")
    assert town.balance_fen(card) == 50_000 - 10_000 - 6000
    leisure.go_to(leisure.at("09:20"))
    front, side = leisure.gate("city-museum"), leisure.gate("city-museum")
    admitted = front.enter(card.reader, leisure.at("09:20"))
    assert (admitted.right.name, admitted.inside) == ("PASS", 1)
    with pytest.raises((PassUsedAgain, SlotNotNow)):
        side.enter(card.reader, leisure.at("09:22"))
    leisure.go_to(leisure.at("10:05"))
    admitted = side.enter(card.reader, leisure.at("10:05"))
    assert (admitted.right.name, admitted.people, admitted.inside) == ("TICKET", 2, 3)
    leisure.clear()
    assert town.statement("city-museum").net_fen == 6667 + 6000
    assert town.statement("science-museum").net_fen == 3333
    town.check_books()
