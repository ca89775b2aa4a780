"""A counter whose cards are torn from the field anywhere: every act is done once."""

from __future__ import annotations

import datetime as dt

import pytest

from citycard.errors import CardRefused, CardRemoved
from citycard.ids import new_id
from citycard.store import reading
from citycard.terminal import InProcessReader
from citycard.wallet import card_refund
from citycard_tourism.changes import give_back_online
from citycard_tourism.errors import (
    ActRepeated,
    CardFullOfTickets,
    PassNotNow,
    PassRefused,
    RightMissing,
    TicketRefused,
)
from citycard_tourism.passes import buy_pass, find_pass
from citycard_tourism.slots import slots_of
from citycard_tourism.takings import refunds_due
from citycard_tourism.tickets import buy, find_ticket, release

DEBIT = 0x54


class TornReader:
    """A reader from which the card is taken for good at DEBIT, before or after the card got it."""

    def __init__(self, chip, *, after):
        self._reader, self._after, self._gone = InProcessReader(chip), after, False

    def connect(self):
        self._check()
        return self._reader.connect()

    def transmit(self, apdu):
        self._check()
        if apdu[1] == DEBIT:
            self._gone = True
            if self._after:
                self._reader.transmit(apdu)
        self._check()
        return self._reader.transmit(apdu)

    def _check(self):
        if self._gone:
            raise CardRemoved(during="DEBIT")


def taken(leisure, time):
    show = leisure.settings.show("dinosaurs")
    starts = leisure.at(time)
    return next(one.taken for one in leisure.ask(slots_of, show, starts.date()) if one.starts == starts)


def loaded(leisure, fen=20_000):
    card = leisure.town.card()
    leisure.town.load(card, fen)
    return card


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("minutes", [0, 30])
def test_a_torn_sale_is_charged_once(leisure, after, minutes):
    card, counter = loaded(leisure), leisure.counter("city-museum")
    show, ten, act = leisure.settings.show("dinosaurs"), leisure.at("10:00"), new_id()
    torn = TornReader(card.chip, after=after)
    with pytest.raises(CardRemoved):
        counter.sell_ticket(act, torn, show, ten, people=2)
    assert taken(leisure, "10:00") == 2

    leisure.town.pass_time(dt.timedelta(minutes=minutes))
    for _ in range(2):
        sold = counter.sell_ticket(act, card.reader, show, ten, people=2)
    assert (sold.state, taken(leisure, "10:00")) == ("card", 2)
    assert leisure.town.balance_fen(card) == 20_000 - 6000
    leisure.clear()
    assert leisure.paid_fen("city-museum") == 6000
    leisure.town.check_books()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_torn_changes_are_taken_up_again(leisure, after):
    card, counter, town = loaded(leisure), leisure.counter("city-museum"), leisure.town
    show = leisure.settings.show("dinosaurs")
    sold = counter.sell_ticket(new_id(), card.reader, show, leisure.at("10:00"), people=2)

    move, back = new_id(), new_id()
    with pytest.raises(CardRemoved):
        counter.move_ticket(move, TornReader(card.chip, after=after), sold.id, leisure.at("14:00"))
    # Neither slot's places are sold to somebody else meanwhile.
    assert (taken(leisure, "10:00"), taken(leisure, "14:00")) == (2, 2)
    with pytest.raises(TicketRefused, match="under way"):
        counter.return_ticket(back, card.reader, sold.id)
    town.pass_time(dt.timedelta(minutes=5))
    for _ in range(2):
        assert counter.move_ticket(move, card.reader, sold.id, leisure.at("14:00")).starts == leisure.at(
            "14:00"
        )
    assert (taken(leisure, "10:00"), taken(leisure, "14:00")) == (0, 2)

    with pytest.raises(CardRemoved):
        counter.return_ticket(back, TornReader(card.chip, after=after), sold.id)
    town.pass_time(dt.timedelta(minutes=5))
    for _ in range(2):
        assert counter.return_ticket(back, card.reader, sold.id).state == "returned"
    assert taken(leisure, "14:00") == 0
    leisure.clear()
    leisure.town.check_books()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_torn_pass_is_sold_extended_and_cancelled_once(leisure, after):
    card, town = loaded(leisure, 100_000), leisure.town
    counter, gym = leisure.counter("gym-north"), leisure.settings.plan("gym")
    acts = {name: new_id() for name in ("sell", "extend", "freeze", "thaw", "cancel")}

    def torn(name, work):
        with pytest.raises(CardRemoved):
            work(TornReader(card.chip, after=after))
        town.pass_time(dt.timedelta(minutes=5))
        work(card.reader)
        return work(card.reader)

    sold = torn("sell", lambda reader: counter.sell_pass(acts["sell"], reader, gym))
    town.load(card, 30_000)
    longer = torn("extend", lambda reader: counter.extend_pass(acts["extend"], reader, sold.id))
    assert longer.ends_on == sold.ends_on + dt.timedelta(days=30)
    assert town.balance_fen(card) == 130_000 - 90_001 - 30_000
    torn("freeze", lambda reader: counter.freeze_pass(acts["freeze"], reader, sold.id))
    torn("thaw", lambda reader: counter.thaw_pass(acts["thaw"], reader, sold.id))
    assert (
        torn("cancel", lambda reader: counter.cancel_pass(acts["cancel"], reader, sold.id)).state
        == "cancelled"
    )
    leisure.clear()
    leisure.clear()
    # It was not used and is some minutes old: all of it comes back.

    assert leisure.ask(refunds_due) == []
    with reading(town.city.engine) as conn:
        assert town.city.ledger.balance_fen(conn, card_refund(card.asn)) == 120_001
    town.check_books()


def test_a_purse_that_is_too_small_leaves_nothing_behind(leisure):
    card, counter = loaded(leisure, 100), leisure.counter("city-museum")
    act = new_id()
    with pytest.raises(CardRefused):
        counter.sell_ticket(act, card.reader, leisure.settings.show("dinosaurs"), leisure.at("10:00"))
    assert taken(leisure, "10:00") == 0
    assert leisure.ask(find_ticket, act).state == "lapsed"
    leisure.town.load(card, 10_000)
    with pytest.raises(TicketRefused, match="new id"):
        counter.sell_ticket(act, card.reader, leisure.settings.show("dinosaurs"), leisure.at("10:00"))
    assert leisure.town.balance_fen(card) == 10_100


def test_a_card_carries_two_tickets(leisure):
    card, counter = loaded(leisure), leisure.counter("city-museum")
    show = leisure.settings.show("dinosaurs")
    for time in ("10:00", "12:00"):
        counter.sell_ticket(new_id(), card.reader, show, leisure.at(time))
    with pytest.raises(CardFullOfTickets):
        counter.sell_ticket(new_id(), card.reader, show, leisure.at("14:00"))
    assert taken(leisure, "14:00") == 0
    # A slot that is over makes room.
    leisure.go_to(leisure.at("12:30"))
    assert counter.sell_ticket(new_id(), card.reader, show, leisure.at("14:00")).state == "card"


def test_a_ticket_that_was_used_is_neither_moved_nor_given_back(leisure):
    card, counter = loaded(leisure), leisure.counter("city-museum")
    sold = counter.sell_ticket(new_id(), card.reader, leisure.settings.show("dinosaurs"), leisure.at("10:00"))
    leisure.gate("city-museum").enter(card.reader, leisure.at("09:40"))
    with pytest.raises(TicketRefused, match="used"):
        counter.return_ticket(new_id(), card.reader, sold.id)
    with pytest.raises(TicketRefused, match="used"):
        counter.move_ticket(new_id(), card.reader, sold.id, leisure.at("14:00"))
    assert (taken(leisure, "10:00"), taken(leisure, "14:00")) == (1, 0)
    leisure.go_to(leisure.at("09:01"))
    with pytest.raises(TicketRefused, match="could be changed until"):
        counter.return_ticket(new_id(), card.reader, sold.id)


def test_another_card_is_refused(leisure):
    card, other, counter = loaded(leisure), loaded(leisure), leisure.counter("city-museum")
    act, show = new_id(), leisure.settings.show("dinosaurs")
    sold = counter.sell_ticket(act, card.reader, show, leisure.at("10:00"))
    with pytest.raises(RightMissing):
        counter.return_ticket(new_id(), other.reader, sold.id)
    with pytest.raises(ActRepeated):
        counter.sell_ticket(act, other.reader, show, leisure.at("10:00"))
    with pytest.raises(ActRepeated):
        counter.sell_ticket(act, card.reader, show, leisure.at("10:00"), people=2)


def test_one_pass_of_a_plan_at_a_time(leisure):
    card, counter = loaded(leisure), leisure.counter("city-museum")
    museums = leisure.settings.plan("museums")
    sold = counter.sell_pass(new_id(), card.reader, museums)
    with pytest.raises(PassRefused, match="extend that"):
        counter.sell_pass(new_id(), card.reader, museums)
    with pytest.raises(PassRefused, match="not extended"):
        counter.extend_pass(new_id(), card.reader, sold.id)
    with pytest.raises(PassRefused, match="0 days at most"):
        counter.freeze_pass(new_id(), card.reader, sold.id)
    leisure.go_to(leisure.at("10:00", days=365))
    assert counter.sell_pass(new_id(), card.reader, museums).serial == sold.serial + 1


def test_a_pass_is_frozen_no_longer_than_its_plan_allows(leisure):
    card, counter = loaded(leisure, 100_000), leisure.counter("gym-north")
    sold = counter.sell_pass(new_id(), card.reader, leisure.settings.plan("gym"))
    counter.freeze_pass(new_id(), card.reader, sold.id)
    leisure.go_to(leisure.at("10:00", days=50))
    thawed = counter.thaw_pass(new_id(), card.reader, sold.id)
    assert (thawed.frozen_days, thawed.ends_on) == (20, sold.ends_on + dt.timedelta(days=20))
    with pytest.raises(PassRefused, match="20 days at most"):
        counter.freeze_pass(new_id(), card.reader, sold.id)


def test_a_counter_frees_what_it_held_and_did_not_sell(leisure):
    card, counter = loaded(leisure), leisure.counter("city-museum")
    act = new_id()
    with pytest.raises(CardRemoved):
        counter.sell_ticket(
            act,
            TornReader(card.chip, after=False),
            leisure.settings.show("dinosaurs"),
            leisure.at("10:00"),
        )
    for _ in range(2):
        assert release(leisure.office, act).state == "lapsed"
    assert taken(leisure, "10:00") == 0


def test_a_pass_that_is_not_on_the_card_is_collected_first(leisure):
    card, counter = loaded(leisure), leisure.counter("city-museum")
    leisure.town.account(card, 20_000)
    bought = buy_pass(leisure.office, new_id(), card.asn, leisure.settings.plan("museums"))
    assert not leisure.ask(find_pass, bought.id).on_card
    with pytest.raises(PassRefused, match="collect it first"):
        counter.cancel_pass(new_id(), card.reader, bought.id)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_act_that_was_torn_is_not_taken_for_the_next_one(leisure, after):
    card, counter = loaded(leisure, 100_000), leisure.counter("gym-north")
    sold = counter.sell_pass(new_id(), card.reader, leisure.settings.plan("gym"))
    act, show = new_id(), leisure.settings.show("dinosaurs")
    with pytest.raises(CardRemoved):
        counter.sell_ticket(act, TornReader(card.chip, after=after), show, leisure.at("10:00"))
    # Within the minute in which a torn tap is finished, something else is done with the card.
    assert counter.freeze_pass(new_id(), card.reader, sold.id).state == "frozen"
    with pytest.raises(PassNotNow, match="frozen"):
        leisure.gate("gym-north").enter(card.reader, leisure.at("09:00"))
    assert counter.sell_ticket(act, card.reader, show, leisure.at("10:00")).state == "card"
    assert leisure.town.balance_fen(card) == 100_000 - 90_001 - 3000
    leisure.clear()
    leisure.town.check_books()


def test_a_ticket_that_was_given_back_meanwhile_is_not_put_onto_the_card(leisure):
    card, counter, show = loaded(leisure), leisure.counter("city-museum"), leisure.settings.show("dinosaurs")
    leisure.town.account(card, 20_000)
    bought = buy(leisure.office, new_id(), card.asn, show, leisure.at("10:00"))
    # The counter has read what waits; before it writes, the citizen gives the ticket back on the page.
    give_back_online(leisure.office, new_id(), bought.id)
    assert not counter._begin_write(bought, "paid")
    assert counter.collect(card.reader) == []
    with pytest.raises(RightMissing):
        leisure.gate("city-museum").enter(card.reader, leisure.at("10:00"))


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_torn_collection_goes_on_and_keeps_the_page_from_giving_back(leisure, after):
    card, counter, show = loaded(leisure), leisure.counter("city-museum"), leisure.settings.show("dinosaurs")
    leisure.town.account(card, 20_000)
    bought = buy(leisure.office, new_id(), card.asn, show, leisure.at("10:00"))
    with pytest.raises(CardRemoved):
        counter.collect(TornReader(card.chip, after=after))
    with pytest.raises(TicketRefused, match="a write is under way"):
        give_back_online(leisure.office, new_id(), bought.id)
    assert counter.collect(card.reader) == [bought.serial]
    assert leisure.gate("city-museum").enter(card.reader, leisure.at("10:00")).serial == bought.serial
