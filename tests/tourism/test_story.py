"""The story of culture and leisure, from cards and counters to the partners' statements and the bank."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from citycard.card.codec import evolve
from citycard.city.till import Sale
from citycard.errors import FundsMissing, PointsRefused
from citycard.ids import new_id
from citycard.money import parse_yuan
from citycard.store import reading
from citycard.wallet import card_refund, online_account, partner_payable, report_scheme
from citycard_tourism.changes import give_back_online, move_online
from citycard_tourism.errors import (
    AlreadyInside,
    LoanRefused,
    PassNotNow,
    PassUsedAgain,
    RightForged,
    RightMissing,
    SlotFull,
    SlotNotNow,
    SlotUnknown,
)
from citycard_tourism.library import take_back
from citycard_tourism.loyalty import open_schemes, sell
from citycard_tourism.passes import buy_pass, find_pass
from citycard_tourism.sectors import PASS, VisitFacts
from citycard_tourism.slots import slots_of
from citycard_tourism.tickets import buy, find_ticket
from citycard_tourism.visits import visits_between

MINUTE = dt.timedelta(minutes=1)


def online_fen(town, card):
    """Return what is on the online account of a card."""
    with reading(town.city.engine) as conn:
        return town.city.ledger.balance_fen(conn, online_account(card.asn))


def told_to_bank(leisure, report):
    """Read from the bank's file who is paid what, in fen."""
    text = (leisure.city.folder / report.bank_file).read_text(encoding="utf-8")
    names = re.findall(r"<Cdtr>\s*<Nm>([^<]*)", text)
    amounts = re.findall(r"<InstdAmt[^>]*>([^<]*)", text)
    return {name: parse_yuan(amount) for name, amount in zip(names, amounts, strict=True)}


def taken(leisure, show, starts):
    wanted = leisure.settings.show(show)
    found = leisure.ask(slots_of, wanted, starts.date())
    return next(one.taken for one in found if one.starts == starts)


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

    # The gate lets in by the pass, as the slot has not begun; nobody gets in by it again at either gate.
    front, side = leisure.gate("city-museum"), leisure.gate("city-museum")
    admitted = front.enter(card.reader, leisure.at("09:20"))
    assert (admitted.right.name, admitted.inside) == ("PASS", 1)
    with pytest.raises(SlotNotNow):
        side.enter(card.reader, leisure.at("09:22"))
    # The ticket is for two, and once.
    admitted = side.enter(card.reader, leisure.at("10:05"))
    assert (admitted.right.name, admitted.people, admitted.inside) == ("TICKET", 2, 3)
    out = front.leave(card.reader, leisure.at("10:20"))
    assert (out.right.name, out.inside) == ("PASS", 2)

    # The same pass opens the other museum at once: it is another gate group.
    other = leisure.gate("science-museum")
    assert other.enter(card.reader, leisure.at("10:25")).right.name == "PASS"
    with pytest.raises(PassUsedAgain):
        other.enter(card.reader, leisure.at("10:30"))
    assert other.enter(card.reader, leisure.at("10:55")).right.name == "PASS"

    leisure.go_to(leisure.at("18:00"))
    report = leisure.clear()
    assert leisure.paid_fen("city-museum") == 6667 + 6000
    assert leisure.paid_fen("science-museum") == 3333
    assert report.settled_fen == 16_000
    assert told_to_bank(leisure, report) == {"City Museum": 12_667, "Science Museum": 3333}
    assert leisure.ask(find_ticket, ticket.id).state == "used"
    today = town.now.date()
    counted = leisure.ask(visits_between, leisure.settings, today, today)
    assert [(one.venue, one.right, one.visits, one.people) for one in counted] == [
        ("city-museum", "ticket", 1, 2),
        ("city-museum", "pass", 1, 1),
        ("science-museum", "pass", 2, 2),
    ]
    town.check_books()


def test_the_cards_own_record_refuses_a_pass_where_the_gates_forgot(leisure):
    town, card = leisure.town, leisure.town.card()
    town.load(card, 20_000)
    leisure.counter("city-museum").sell_pass(new_id(), card.reader, leisure.settings.plan("museums"))
    at = leisure.at("09:00")
    leisure.gate("city-museum").enter(card.reader, at)

    leisure.groups.clear()  # the gates were restarted, and remember nothing

    with pytest.raises(PassUsedAgain):
        leisure.gate("city-museum").enter(card.reader, at + 5 * MINUTE)
    assert leisure.gate("city-museum").enter(card.reader, at + 31 * MINUTE).inside == 1


def test_a_slot_is_never_oversold_and_a_slot_that_is_over_is_refused(leisure):
    town = leisure.town
    film, starts = leisure.settings.show("film"), leisure.at("19:30")
    cards = [town.card() for _ in range(3)]
    for card in cards:
        town.load(card, 20_000)
        town.account(card, 20_000)

    online = buy(leisure.office, new_id(), cards[0].asn, film, starts, people=2)
    leisure.counter("old-cinema").sell_ticket(new_id(), cards[1].reader, film, starts)
    with pytest.raises(SlotFull):
        leisure.counter("old-cinema").sell_ticket(new_id(), cards[2].reader, film, starts)
    with pytest.raises(SlotFull):
        buy(leisure.office, new_id(), cards[2].asn, film, starts)
    assert (town.balance_fen(cards[2]), online_fen(town, cards[2])) == (20_000, 20_000)
    with pytest.raises(SlotUnknown):
        buy(leisure.office, new_id(), cards[2].asn, film, leisure.at("20:00"))

    assert leisure.counter("city-museum").collect(cards[0].reader) == [online.serial]
    gate = leisure.gate("old-cinema")
    with pytest.raises(SlotNotNow):
        gate.enter(cards[0].reader, leisure.at("18:00"))
    with pytest.raises(SlotNotNow):
        gate.enter(cards[0].reader, leisure.at("22:00"))
    assert gate.enter(cards[0].reader, leisure.at("19:20")).people == 2
    with pytest.raises(AlreadyInside):
        gate.enter(cards[0].reader, leisure.at("19:40"))
    leisure.clear()
    assert leisure.paid_fen("old-cinema") == 8000 + 4000
    town.check_books()


def test_concessions_and_parties(leisure):
    town = leisure.town
    dinosaurs, counter = leisure.settings.show("dinosaurs"), leisure.counter("city-museum")
    prices = {}
    for name in ("", "student", "over-65", "child"):
        card = town.card()
        town.load(card, 5000)
        if name:
            leisure.entitle(card, name)
        counter.sell_ticket(new_id(), card.reader, dinosaurs, leisure.at("10:00"))
        prices[name] = 5000 - town.balance_fen(card)
    assert prices == {"": 3000, "student": 1500, "over-65": 0, "child": 900}

    teacher = town.card()
    town.load(teacher, 50_000)
    leisure.entitle(teacher, "student")
    counter.sell_ticket(new_id(), teacher.reader, dinosaurs, leisure.at("12:00"), people=10)
    # Nine places and a half, less a fifth for parties.
    assert 50_000 - town.balance_fen(teacher) == (27_000 + 1500) * 80 // 100

    report = leisure.clear()
    assert report.settled_fen == 3000 + 1500 + 900 + 22_800
    assert leisure.paid_fen("city-museum") == report.settled_fen
    town.check_books()


def test_tickets_are_moved_and_given_back(leisure_on_both):
    leisure = leisure_on_both
    town = leisure.town
    dinosaurs, counter = leisure.settings.show("dinosaurs"), leisure.counter("city-museum")
    ten, noon, two = (leisure.at(time) for time in ("10:00", "12:00", "14:00"))
    purse, account = town.card(), town.card()
    town.load(purse, 10_000)
    town.account(account, 10_000)

    bought = counter.sell_ticket(new_id(), purse.reader, dinosaurs, ten, people=2)
    moved = counter.move_ticket(new_id(), purse.reader, bought.id, two)
    assert (moved.starts, taken(leisure, "dinosaurs", ten), taken(leisure, "dinosaurs", two)) == (two, 0, 2)
    gate = leisure.gate("city-museum")
    with pytest.raises(SlotNotNow):
        gate.enter(purse.reader, ten)
    returned = counter.return_ticket(new_id(), purse.reader, bought.id)
    assert (returned.state, taken(leisure, "dinosaurs", two)) == ("returned", 0)
    with pytest.raises(RightMissing):
        gate.enter(purse.reader, two)

    online = buy(leisure.office, new_id(), account.asn, dinosaurs, ten)
    move_online(leisure.office, new_id(), online.id, noon)
    act = new_id()
    for _ in range(2):
        assert give_back_online(leisure.office, act, online.id).state == "returned"
    # Nine tenths come back, at once to the account; what the purse paid when its record was cleared.
    assert online_fen(town, account) == 10_000 - 300
    leisure.go_to(leisure.at("18:00"))
    leisure.clear()
    assert leisure.paid_fen("city-museum") == 6000 + 300
    leisure.clear()
    with reading(town.city.engine) as conn:
        assert town.city.ledger.balance_fen(conn, card_refund(purse.asn)) == 5400
        assert town.city.ledger.balance_fen(conn, partner_payable("city-museum")) == -5400
    town.check_books()


def test_points_of_the_bookshop_are_spent_at_the_cinema_and_settled(leisure):
    town, card = leisure.town, leisure.town.card()
    town.account(card, 100_000)
    assert open_schemes(leisure.office) == 1
    assert open_schemes(leisure.office) == 0
    film, starts = leisure.settings.show("film"), leisure.at("19:30")

    act = new_id()
    for _ in range(2):
        sold = sell(leisure.office, act, card.asn, "bookshop", 60_000)
        assert (sold.amount_fen, sold.points) == (60_000, 600)
    # 500 points pay 20.00 of the film's 40.00; the bookshop had paid 5 fen in for each, and gets 1 back.
    ticket = buy(leisure.office, new_id(), card.asn, film, starts, scheme="bookshop", points=500)
    assert (ticket.price_fen, ticket.points_fen) == (2000, 2000)
    assert online_fen(town, card) == 100_000 - 60_000 - 2000

    with pytest.raises(PointsRefused):
        buy(leisure.office, new_id(), card.asn, film, starts, scheme="bookshop", points=600)
    assert online_fen(town, card) == 38_000
    assert taken(leisure, "film", starts) == 1

    leisure.clear()
    assert leisure.paid_fen("old-cinema") == 2000 + 2000
    assert leisure.paid_fen("bookshop") == 60_000 - 600 * 5 + 500 * 1
    with reading(town.city.engine) as conn:
        report = report_scheme(conn, town.city.ledger, "bookshop")
    assert (report.points, report.fund_fen, report.difference) == (100, 500, 0)
    town.check_books()


def test_a_gym_chain_shares_a_membership_by_visits(leisure_on_both):
    leisure = leisure_on_both
    town, card = leisure.town, leisure.town.card()
    town.load(card, 100_000)
    gym, north = leisure.settings.plan("gym"), leisure.counter("gym-north")
    sold = north.sell_pass(new_id(), card.reader, gym)
    leisure.clear()
    # A tenth for the branch that sold it, the rest half and half, to the fen.
    first = {name: leisure.paid_fen(name) for name in ("gym-north", "gym-south")}
    assert first == {"gym-north": 49_501, "gym-south": 40_500}

    gates = {name: leisure.gate(name) for name in ("gym-north", "gym-south")}
    for day, name in enumerate(("gym-north", "gym-south", "gym-south", "gym-south")):
        gates[name].enter(card.reader, leisure.at("19:00", days=day))
    leisure.go_to(leisure.at("20:00", days=3))
    town.load(card, 30_000)
    longer = leisure.counter("gym-south").extend_pass(new_id(), card.reader, sold.id)
    assert longer.ends_on == sold.ends_on + dt.timedelta(days=30)
    report = leisure.clear()
    # A tenth for the seller, the rest by one visit to three.
    assert report.settled_fen == 30_000
    assert leisure.paid_fen("gym-north") == 6750
    assert leisure.paid_fen("gym-south") == 3000 + 20_250
    town.check_books()


def test_a_membership_is_frozen_thawed_and_cancelled(leisure):
    town, card = leisure.town, leisure.town.card()
    town.load(card, 100_000)
    gym, north = leisure.settings.plan("gym"), leisure.counter("gym-north")
    gate = leisure.gate("gym-north")
    sold = north.sell_pass(new_id(), card.reader, gym)
    gate.enter(card.reader, leisure.at("19:00"))
    leisure.clear()
    leisure.go_to(leisure.at("09:00", days=10))

    assert north.freeze_pass(new_id(), card.reader, sold.id).state == "frozen"
    with pytest.raises(PassNotNow):
        gate.enter(card.reader, town.now)
    leisure.go_to(leisure.at("09:00", days=7))
    thawed = north.thaw_pass(new_id(), card.reader, sold.id)
    assert thawed.ends_on == sold.ends_on + dt.timedelta(days=7)
    gate.enter(card.reader, town.now)

    leisure.go_to(leisure.at("09:00", days=3))
    act = new_id()
    for _ in range(2):
        assert north.cancel_pass(act, card.reader, sold.id).state == "cancelled"
    with pytest.raises(RightMissing):
        gate.enter(card.reader, town.now + dt.timedelta(hours=2))
    # 76 of 90 days are unused: what they cost, less a fifth, comes back onto the card from both branches.
    back_fen = 90_001 * 76 * 80 // (90 * 100)
    with reading(town.city.engine) as conn:
        assert town.city.ledger.balance_fen(conn, card_refund(card.asn)) == back_fen
        owed = [
            town.city.ledger.balance_fen(conn, partner_payable(name)) for name in ("gym-north", "gym-south")
        ]
    assert sum(owed) == -back_fen
    leisure.clear()
    town.check_books()


def test_what_was_bought_online_waits_for_a_counter(leisure):
    town, card = leisure.town, leisure.town.card()
    town.account(card, 20_000)
    act = new_id()
    for _ in range(2):
        found = buy_pass(leisure.office, act, card.asn, leisure.settings.plan("museums"))
    assert (found.state, found.on_card, online_fen(town, card)) == ("active", False, 10_000)
    with pytest.raises(RightMissing):
        leisure.gate("science-museum").enter(card.reader, leisure.at("09:00"))
    leisure.counter("city-library").collect(card.reader)
    assert leisure.gate("science-museum").enter(card.reader, leisure.at("09:00")).right.name == "PASS"
    assert leisure.ask(find_pass, act).on_card
    with pytest.raises(FundsMissing):
        buy(leisure.office, new_id(), card.asn, leisure.settings.show("dinosaurs"), leisure.at("10:00"), 4)
    assert taken(leisure, "dinosaurs", leisure.at("10:00")) == 0
    leisure.clear()
    assert leisure.paid_fen("city-museum") == 6667
    assert leisure.paid_fen("science-museum") == 3333
    town.check_books()


def test_a_right_cannot_be_copied_or_changed(leisure):
    town, card, thief = leisure.town, leisure.town.card(), leisure.town.card()
    town.load(card, 20_000)
    leisure.counter("city-museum").sell_pass(new_id(), card.reader, leisure.settings.plan("museums"))
    till = leisure.tills["city-library"]
    seen = []

    def write(record):
        """Write what a stolen terminal would."""
        facts = VisitFacts(venue=3)
        return lambda _: Sale(service="tourism-visit", amount_fen=0, facts=facts, writes={PASS: record})

    def look(visit):
        seen.append(visit.read(PASS))
        return write(seen[0])(visit)

    till.serve(card.reader, town.now, look)
    till.serve(thief.reader, town.now, write(seen[0]))
    with pytest.raises(RightForged):
        leisure.gate("city-museum").enter(thief.reader, leisure.at("09:00"))
    till.serve(card.reader, town.now, write(evolve(seen[0], ends=dt.date(2099, 12, 31))))
    with pytest.raises(RightForged):
        leisure.gate("city-museum").enter(card.reader, leisure.at("09:00"))


def test_books_are_lent_with_the_card_and_late_ones_cost(leisure):
    town, card = leisure.town, leisure.town.card()
    town.load(card, 5000)
    desk = leisure.library()
    with pytest.raises(LoanRefused):
        desk.lend(new_id(), card.reader, ["B1"])
    desk.register(card.reader)
    act = new_id()
    for _ in range(2):
        loans = desk.lend(act, card.reader, ["B1", "B2"])
        assert [one.item for one in loans] == ["B1", "B2"]
    with pytest.raises(LoanRefused):
        desk.lend(new_id(), card.reader, ["B3", "B4"])

    leisure.go_to(leisure.at("10:00", days=42))
    late = take_back(leisure.office, "city-library", "B1")
    assert (late.days, late.fee_fen, late.paid) == (12, 240, False)
    with pytest.raises(LoanRefused):
        desk.lend(new_id(), card.reader, ["B3"])
    take_back(leisure.office, "city-library", "B2", town.now.date() - dt.timedelta(days=10))
    assert desk.pay_fees(card.reader) == 240 + 40
    assert desk.pay_fees(card.reader) == 0
    assert town.balance_fen(card) == 5000 - 280
    assert desk.lend(new_id(), card.reader, ["B1"])
    leisure.clear()
    assert leisure.paid_fen("city-library") == 280
    town.check_books()
