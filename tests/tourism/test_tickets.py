"""Tickets online: many buyers at once, the same id twice at once, points, and what was refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from citycard.city.accounts import payee
from citycard.errors import (
    AccountNotOpen,
    ActDiffers,
    ActGivenUp,
    CitycardError,
    OnlineAccountUnknown,
    PointsRefused,
    ServiceOff,
)
from citycard.ids import new_id
from citycard.store import reading, writing
from citycard.wallet import Accounts, Payments, Points, online_account, payments_of, report_scheme
from citycard.wallet.points import lots_of
from citycard_tourism import takings, tickets
from citycard_tourism.changes import give_back_online, move_online
from citycard_tourism.counter import Counter
from citycard_tourism.errors import ActRepeated, RightUnknown, SlotFull, TicketRefused
from citycard_tourism.loyalty import open_schemes, sell
from citycard_tourism.slots import set_capacity, slots_of
from citycard_tourism.takings import payment_id
from citycard_tourism.tickets import buy, find_ticket, lapse_held, release, tickets_of


@pytest.fixture
def card(leisure):
    made = leisure.town.card()
    leisure.town.account(made, 50_000)
    return made


def left_fen(leisure, card):
    with reading(leisure.city.engine) as conn:
        return leisure.city.ledger.balance_fen(conn, online_account(card.asn))


def taken(leisure, show="film", time="19:30"):
    wanted, starts = leisure.settings.show(show), leisure.at(time)
    return next(one.taken for one in leisure.ask(slots_of, wanted, starts.date()) if one.starts == starts)


def test_buyers_and_counters_at_once_sell_each_place_once(leisure_on_both):
    leisure = leisure_on_both
    town, film, starts = leisure.town, leisure.settings.show("film"), leisure.at("19:30")
    cards = [town.card() for _ in range(8)]
    for place, card in enumerate(cards):
        if place % 4:
            town.account(card, 5000)
        else:
            town.load(card, 5000)

    def sell(place):
        try:
            if place % 4:
                buy(leisure.office, new_id(), cards[place].asn, film, starts)
            else:
                # Each counter is a terminal of its own.
                counters[place].sell_ticket(new_id(), cards[place].reader, film, starts)
        except SlotFull:
            return 0
        return 1

    tills = {place: town.till(town.terminal("old-cinema")) for place in (0, 4)}
    counters = {place: Counter(leisure.office, till, "old-cinema") for place, till in tills.items()}
    with ThreadPoolExecutor(4) as pool:
        sold = list(pool.map(sell, range(8)))

    assert (sum(sold), taken(leisure)) == (3, 3)
    paid_fen = sum(5000 - left_fen(leisure, card) for place, card in enumerate(cards) if place % 4)
    paid_fen += sum(5000 - town.balance_fen(cards[place]) for place in tills)
    assert paid_fen == 3 * 4000
    town.clear(*tills.values())
    town.check_books()


def test_one_id_at_once_is_one_ticket(leisure_on_both):
    leisure, card = leisure_on_both, leisure_on_both.town.card()
    leisure.town.account(card, 50_000)
    act, film, starts = new_id(), leisure.settings.show("film"), leisure.at("19:30")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: buy(leisure.office, act, card.asn, film, starts), range(4)))
    assert {one.serial for one in found} == {found[0].serial}
    assert (taken(leisure), left_fen(leisure, card)) == (1, 46_000)


def test_what_was_refused_stays_refused_and_costs_nothing(leisure, card):
    act, film, starts = new_id(), leisure.settings.show("film"), leisure.at("19:30")
    poor = leisure.town.card()
    with pytest.raises(OnlineAccountUnknown):
        buy(leisure.office, act, poor.asn, film, starts)
    leisure.town.account(poor, 10_000)
    with pytest.raises(TicketRefused, match="new id"):
        buy(leisure.office, act, poor.asn, film, starts)
    with pytest.raises(ActRepeated):
        buy(leisure.office, act, card.asn, film, starts)
    Accounts(leisure.city.wallet).freeze(new_id(), card.asn)
    with pytest.raises(AccountNotOpen):
        buy(leisure.office, new_id(), card.asn, film, starts)
    assert (taken(leisure), left_fen(leisure, card), left_fen(leisure, poor)) == (0, 50_000, 10_000)


def test_a_venue_that_is_switched_off_sells_nothing(leisure, card):
    leisure.city.plugins.disable("tourism", by="tests", partner="old-cinema")
    with pytest.raises(ServiceOff):
        buy(leisure.office, new_id(), card.asn, leisure.settings.show("film"), leisure.at("19:30"))
    assert taken(leisure) == 0
    assert (
        buy(leisure.office, new_id(), card.asn, leisure.settings.show("dinosaurs"), leisure.at("10:00")).state
        == "paid"
    )


def test_a_ticket_is_changed_until_shortly_before_its_slot(leisure, card):
    show, ten = leisure.settings.show("dinosaurs"), leisure.at("10:00")
    first, second = (buy(leisure.office, new_id(), card.asn, show, ten) for _ in range(2))
    with pytest.raises(TicketRefused, match="for that slot already"):
        move_online(leisure.office, new_id(), first.id, ten)
    with pytest.raises(CitycardError, match="it begins at"):
        move_online(leisure.office, new_id(), first.id, leisure.at("11:00"))
    # A change that was refused leaves nothing under way.
    leisure.go_to(leisure.at("09:00"))
    act = new_id()
    move_online(leisure.office, act, first.id, leisure.at("14:00"))
    give_back_online(leisure.office, new_id(), second.id)
    with pytest.raises(TicketRefused, match="returned"):
        move_online(leisure.office, new_id(), second.id, leisure.at("14:00"))
    assert (taken(leisure, "dinosaurs", "10:00"), taken(leisure, "dinosaurs", "14:00")) == (0, 1)
    leisure.go_to(leisure.at("13:01"))
    with pytest.raises(TicketRefused, match="until 2026-03-02 13:00"):
        give_back_online(leisure.office, new_id(), first.id)
    # The act that was done before is still answered.
    assert move_online(leisure.office, act, first.id, leisure.at("14:00")).starts == leisure.at("14:00")


def test_a_move_to_a_full_slot_keeps_the_ticket(leisure, card):
    show = leisure.settings.show("dinosaurs")
    found = buy(leisure.office, new_id(), card.asn, show, leisure.at("10:00"), 2)
    with writing(leisure.city.engine) as conn:
        set_capacity(conn, show, leisure.at("14:00"), 1)
    with pytest.raises(SlotFull):
        move_online(leisure.office, new_id(), found.id, leisure.at("14:00"))
    now = leisure.ask(find_ticket, found.id)
    assert (now.starts, now.step, taken(leisure, "dinosaurs", "10:00")) == (leisure.at("10:00"), "", 2)
    with pytest.raises(RightUnknown):
        move_online(leisure.office, new_id(), new_id(), leisure.at("14:00"))
    assert [one.id for one in leisure.ask(tickets_of, card.asn)] == [found.id]


def test_an_act_that_comes_again_after_another_one_does_nothing(leisure, card):
    show, ten, noon, two = (leisure.settings.show("dinosaurs"), *map(leisure.at, ("10:00", "12:00", "14:00")))
    found = buy(leisure.office, new_id(), card.asn, show, ten)
    first, second, back = new_id(), new_id(), new_id()
    move_online(leisure.office, first, found.id, noon)
    move_online(leisure.office, second, found.id, two)
    assert move_online(leisure.office, first, found.id, noon).starts == two
    with pytest.raises(ActRepeated):
        move_online(leisure.office, first, found.id, ten)
    with pytest.raises(ActRepeated):
        give_back_online(leisure.office, second, found.id)
    give_back_online(leisure.office, back, found.id)
    for again in (first, second):
        assert (
            move_online(leisure.office, again, found.id, noon if again == first else two).state == "returned"
        )
    assert [taken(leisure, "dinosaurs", time) for time in ("10:00", "12:00", "14:00")] == [0, 0, 0]
    assert left_fen(leisure, card) == 50_000 - 300


def broken_off(monkeypatch, where, name, work):
    """Do what breaks off as soon as the money, or the points, have moved."""
    move = getattr(where, name)

    def move_and_break(*given, **named):
        move(*given, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(where, name, move_and_break)
        with pytest.raises(KeyboardInterrupt):
            work()


def test_a_ticket_that_was_paid_and_broke_off_is_finished_when_nothing_is_sold_any_more(
    leisure, card, monkeypatch
):
    act, film, starts = new_id(), leisure.settings.show("film"), leisure.at("19:30")
    broken_off(monkeypatch, takings, "charge", lambda: buy(leisure.office, act, card.asn, film, starts))
    leisure.city.plugins.disable("tourism", by="tests", partner="old-cinema")
    assert buy(leisure.office, act, card.asn, film, starts).state == "paid"
    assert (taken(leisure), left_fen(leisure, card)) == (1, 46_000)


def test_a_ticket_that_stalled_until_it_lapsed_takes_no_money(leisure, card, monkeypatch):
    act, film, starts, real = new_id(), leisure.settings.show("film"), leisure.at("19:30"), takings.charge

    def late(*given, **named):
        monkeypatch.setattr(takings, "charge", real)
        leisure.go_to(leisure.at("17:00"))
        assert lapse_held(leisure.office) == 1
        return real(*given, **named)

    monkeypatch.setattr(takings, "charge", late)
    with pytest.raises(ActGivenUp):
        buy(leisure.office, act, card.asn, film, starts)
    with pytest.raises(TicketRefused, match="new id"):
        buy(leisure.office, act, card.asn, film, starts)
    assert (taken(leisure), left_fen(leisure, card)) == (0, 50_000)
    with reading(leisure.city.engine) as conn:
        assert payments_of(conn, number=card.asn) == []


def test_an_id_that_paid_for_something_else_buys_no_ticket(leisure, card):
    act, film, starts = new_id(), leisure.settings.show("film"), leisure.at("19:30")
    venue = payee(leisure.city, "old-cinema")
    Payments(leisure.city.wallet).pay(payment_id(act), card.asn, venue, 1)
    with pytest.raises(ActDiffers):
        buy(leisure.office, act, card.asn, film, starts)
    assert taken(leisure) == 0


@pytest.fixture
def points(leisure, card):
    """Give what buys a ticket for 20.00 and 500 of 600 points."""
    leisure.town.account(card, 100_000)
    open_schemes(leisure.office)
    sell(leisure.office, new_id(), card.asn, "bookshop", 60_000)
    film, starts = leisure.settings.show("film"), leisure.at("19:30")
    return lambda act: buy(leisure.office, act, card.asn, film, starts, scheme="bookshop", points=500)


def points_left(leisure, card):
    return sum(lot.unused for lot in leisure.ask(lots_of, card.asn))


def test_a_ticket_that_another_call_finished_meanwhile_gives_nothing_back(leisure, card, points, monkeypatch):
    act, had_fen, use = new_id(), left_fen(leisure, card), tickets._use_points

    def refuse_late(*_given):
        monkeypatch.setattr(tickets, "_use_points", use)
        points(act)
        raise PointsRefused(scheme="bookshop", reason="it is a test")

    monkeypatch.setattr(tickets, "_use_points", refuse_late)
    with pytest.raises(PointsRefused):
        points(act)
    assert leisure.ask(find_ticket, act).state == "paid"
    assert (had_fen - left_fen(leisure, card), points_left(leisure, card), taken(leisure)) == (2000, 100, 1)


def test_a_ticket_whose_money_is_paid_is_not_given_up(leisure, card, points, monkeypatch):
    act, had_fen, pay = new_id(), left_fen(leisure, card), tickets.pay_online

    def pay_late(office, *given):
        done = pay(office, *given)
        with pytest.raises(TicketRefused, match="it is paid, not held"):
            release(office, act)
        return done

    monkeypatch.setattr(tickets, "pay_online", pay_late)
    assert [points(act).state for _ in range(2)] == ["paid", "paid"]
    assert (had_fen - left_fen(leisure, card), points_left(leisure, card), taken(leisure)) == (2000, 100, 1)
    leisure.clear()
    leisure.town.check_books()


def test_a_ticket_that_is_given_back_gives_its_points_back_as_it_does_the_money(leisure, card, points):
    had_fen, film = left_fen(leisure, card), leisure.settings.show("film")
    bought, act = points(new_id()), new_id()
    assert (had_fen - left_fen(leisure, card), points_left(leisure, card)) == (2000, 100)
    for _ in range(2):
        assert give_back_online(leisure.office, act, bought.id).state == "returned"
        assert had_fen - left_fen(leisure, card) == 2000 - 20 * film.refund_percent
        assert points_left(leisure, card) == 100 + 5 * film.refund_percent
    leisure.clear()
    leisure.town.check_books()
    with reading(leisure.city.engine) as conn:
        assert report_scheme(conn, leisure.city.ledger, "bookshop").difference == 0


def test_a_ticket_whose_points_are_used_is_finished_and_not_given_up(leisure, card, points, monkeypatch):
    act = new_id()
    broken_off(monkeypatch, Points, "use", lambda: points(act))
    with pytest.raises(TicketRefused, match="being paid with points"):
        release(leisure.office, act)
    leisure.city.plugins.disable("tourism", by="tests", partner="old-cinema")
    assert points(act).state == "paid"
    assert (points_left(leisure, card), taken(leisure)) == (100, 1)
