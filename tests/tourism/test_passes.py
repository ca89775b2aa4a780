"""Passes: what comes back of them, from whom, and what they entitle to."""

from __future__ import annotations

import datetime as dt

import pytest

from citycard.errors import ActGivenUp, CardRefused, FundsMissing, ServiceOff
from citycard.ids import new_id
from citycard.store import reading
from citycard.wallet import online_account, partner_payable
from citycard_tourism import passes, takings
from citycard_tourism.errors import ActRepeated, PassRefused, RightUnknown
from citycard_tourism.passes import buy_pass, find_pass


@pytest.fixture
def card(leisure):
    made = leisure.town.card()
    leisure.town.account(made, 100_000)
    return made


def fen(leisure, address):
    with reading(leisure.city.engine) as conn:
        return leisure.city.ledger.balance_fen(conn, address)


def owed(leisure):
    return [fen(leisure, partner_payable(name)) for name in ("gym-north", "gym-south")]


def on_the_card(leisure, card, plan="gym"):
    bought = buy_pass(leisure.office, new_id(), card.asn, leisure.settings.plan(plan))
    leisure.counter("gym-north").collect(card.reader)
    return bought


def test_an_unused_pass_comes_back_whole_from_every_branch(leisure, card):
    bought = on_the_card(leisure, card)
    # Online nobody sold it: half and half, the odd fen to the first.
    assert (owed(leisure), fen(leisure, online_account(card.asn))) == ([45_001, 45_000], 9999)
    leisure.go_to(leisure.at("10:00", days=6))
    leisure.counter("gym-south").cancel_pass(new_id(), card.reader, bought.id)
    assert (owed(leisure), fen(leisure, online_account(card.asn))) == ([0, 0], 100_000)
    leisure.clear()
    leisure.town.check_books()


@pytest.mark.parametrize(("used", "days"), [(True, 0), (True, 6), (False, 7), (False, 88), (False, 89)])
def test_a_part_comes_back_by_rule_and_each_branch_bears_its_share(leisure, card, used, days):
    bought = on_the_card(leisure, card)
    if used:
        leisure.gate("gym-north").enter(card.reader, leisure.at("10:00"))
    leisure.go_to(leisure.at("11:00", days=days))
    leisure.counter("gym-south").cancel_pass(new_id(), card.reader, bought.id)
    back_fen = 90_001 * (89 - days) * 80 // (90 * 100)
    north, south = owed(leisure)
    assert fen(leisure, online_account(card.asn)) == 9999 + back_fen
    assert north + south == 90_001 - back_fen
    assert abs(north - south) <= 1
    leisure.clear()
    leisure.town.check_books()


def test_days_that_were_frozen_are_unused(leisure, card):
    bought = on_the_card(leisure, card)
    north = leisure.counter("gym-north")
    leisure.go_to(leisure.at("10:00", days=10))
    north.freeze_pass(new_id(), card.reader, bought.id)
    leisure.go_to(leisure.at("10:00", days=5))
    north.cancel_pass(new_id(), card.reader, bought.id)
    assert fen(leisure, online_account(card.asn)) == 9999 + 90_001 * 80 * 80 // (90 * 100)


def test_a_pass_that_is_over_gives_nothing_back(leisure, card):
    bought = on_the_card(leisure, card)
    leisure.go_to(leisure.at("10:00", days=90))
    with pytest.raises(PassRefused, match="it ended on 2026-05-30"):
        leisure.counter("gym-north").cancel_pass(new_id(), card.reader, bought.id)


def test_whoever_has_a_plan_is_entitled_as_its_holder(leisure, card):
    def rights():
        return {(right.name, right.source) for right in leisure.city.entitlements(card.asn, leisure.town.now)}

    assert rights() == set()
    bought = on_the_card(leisure, card)
    assert rights() == {("tourism-gym", "plugin tourism")}
    leisure.counter("gym-north").freeze_pass(new_id(), card.reader, bought.id)
    assert rights() == set()
    leisure.counter("gym-north").thaw_pass(new_id(), card.reader, bought.id)
    leisure.go_to(leisure.at("10:00", days=90))
    assert rights() == set()


def test_a_pass_that_was_not_paid_is_none(leisure):
    poor = leisure.town.card()
    leisure.town.account(poor, 100)
    act = new_id()
    with pytest.raises(FundsMissing):
        buy_pass(leisure.office, act, poor.asn, leisure.settings.plan("museums"))
    assert leisure.ask(find_pass, act).state == "cancelled"
    with pytest.raises(PassRefused, match="new id"):
        buy_pass(leisure.office, act, poor.asn, leisure.settings.plan("museums"))
    with pytest.raises(ActRepeated):
        buy_pass(leisure.office, act, poor.asn, leisure.settings.plan("gym"))
    with pytest.raises(RightUnknown):
        leisure.ask(find_pass, new_id())
    assert fen(leisure, online_account(poor.asn)) == 100


def test_a_pass_that_another_call_refused_meanwhile_takes_no_money(leisure, card, monkeypatch):
    act, gym, real = new_id(), leisure.settings.plan("gym"), takings.charge

    def refused(*_given, **_named):
        raise ServiceOff(service="tourism-pass", where="gym-north")

    def late(*given, **named):
        monkeypatch.setattr(takings, "charge", refused)
        with pytest.raises(ServiceOff):
            buy_pass(leisure.office, act, card.asn, gym)
        return real(*given, **named)

    monkeypatch.setattr(takings, "charge", late)
    with pytest.raises(ActGivenUp):
        buy_pass(leisure.office, act, card.asn, gym)
    assert leisure.ask(find_pass, act).state == "cancelled"
    assert fen(leisure, online_account(card.asn)) == 100_000


def test_steps_wait_for_one_another(leisure, card):
    bought = on_the_card(leisure, card)
    north = leisure.counter("gym-north")
    # There is nothing on the purse: the extension is refused by the card, and leaves nothing under way.
    with pytest.raises(CardRefused):
        north.extend_pass(new_id(), card.reader, bought.id)
    found = leisure.ask(find_pass, bought.id)
    assert (found.step, found.turn, found.ends_on) == ("", 0, leisure.town.now.date() + dt.timedelta(days=89))
    act = new_id()
    assert north.freeze_pass(act, card.reader, bought.id).state == "frozen"
    with pytest.raises(PassRefused, match="it is frozen"):
        north.extend_pass(new_id(), card.reader, bought.id)
    with pytest.raises(PassRefused, match="it is frozen"):
        north.freeze_pass(new_id(), card.reader, bought.id)
    assert north.freeze_pass(act, card.reader, bought.id).state == "frozen"


def test_a_freeze_that_comes_again_after_the_thaw_does_nothing(leisure, card):
    bought, north = on_the_card(leisure, card), leisure.counter("gym-north")
    freeze, thaw = new_id(), new_id()
    north.freeze_pass(freeze, card.reader, bought.id)
    north.thaw_pass(thaw, card.reader, bought.id)
    assert north.freeze_pass(freeze, card.reader, bought.id).state == "active"
    with pytest.raises(ActRepeated):
        north.cancel_pass(thaw, card.reader, bought.id)
    assert leisure.gate("gym-north").enter(card.reader, leisure.at("10:00")).inside == 1


def test_a_pass_that_was_paid_and_broke_off_is_finished_and_gives_back_what_each_branch_got(
    leisure, card, monkeypatch
):
    act, gym, pay = new_id(), leisure.settings.plan("gym"), takings.charge

    def pay_and_break(*given, **named):
        pay(*given, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(takings, "charge", pay_and_break)
        with pytest.raises(KeyboardInterrupt):
            buy_pass(leisure.office, act, card.asn, gym)
    # Meanwhile the branches share in another way, and the first one sells nothing any more.
    monkeypatch.setattr(passes, "weights_of", lambda *_: {"gym-north": 1, "gym-south": 3})
    leisure.city.plugins.disable("tourism", by="tests", partner="gym-north")
    assert buy_pass(leisure.office, act, card.asn, gym).state == "active"
    leisure.city.plugins.enable("tourism", by="tests", partner="gym-north")
    leisure.counter("gym-north").collect(card.reader)
    leisure.counter("gym-north").cancel_pass(new_id(), card.reader, act)
    assert (owed(leisure), fen(leisure, online_account(card.asn))) == ([0, 0], 100_000)
    leisure.clear()
    leisure.town.check_books()
