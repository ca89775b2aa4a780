"""Service windows: numbers in turn, each called once."""

from __future__ import annotations

import datetime as dt

import pytest

from citycard.errors import ActDiffers
from citycard.ids import new_id
from citycard.testing.town import Town
from citycard_egov.errors import TicketUnknown
from citycard_egov.office import Office
from citycard_egov.windows import call_next, end, take_ticket, waiting


def test_tickets_are_called_in_turn_and_a_new_day_begins_with_one(town: Town, office: Office) -> None:
    assert call_next(office, "hall", actor="clerk") is None
    once = new_id()
    assert take_ticket(office, once, "hall", "1" * 20) == take_ticket(office, once, "hall", "1" * 20)
    with pytest.raises(ActDiffers):
        take_ticket(office, once, "hall", "2" * 20)
    second = take_ticket(office, new_id(), "hall", "2" * 20)
    assert second.number == 2
    called = call_next(office, "hall", actor="clerk")
    assert called is not None
    assert (called.number, called.state) == (1, "called")
    with pytest.raises(TicketUnknown, match="ticket 2 is waiting: call it first"):
        end(office, second.id, served=True)
    for _ in range(2):
        assert end(office, called.id, served=True).state == "served"
    with pytest.raises(TicketUnknown):
        end(office, called.id, served=False)
    assert [one.number for one in waiting(office, "hall")] == [2]
    town.pass_time(dt.timedelta(days=1))
    assert waiting(office, "hall") == []
    assert take_ticket(office, new_id(), "hall", "3" * 20).number == 1


def test_there_are_only_the_windows_of_the_settings(office: Office) -> None:
    for work in (
        lambda: take_ticket(office, new_id(), "garage", "1" * 20),
        lambda: call_next(office, "garage", actor="clerk"),
        lambda: waiting(office, "garage"),
    ):
        with pytest.raises(TicketUnknown, match="there are hall"):
            work()
    with pytest.raises(TicketUnknown, match="there is no ticket"):
        end(office, new_id(), served=True)
