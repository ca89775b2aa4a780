"""The card office in a real city: every step of a card's life, its money, and what is taken only once."""

# Over 400 lines because every promise of the office is tried in the same town of three cards.

from __future__ import annotations

import datetime as dt
from contextlib import suppress

import pytest

from citycard import registry
from citycard.city.atcard import CardDesk
from citycard.city.closing import pay_out, settle_due
from citycard.city.office import Office
from citycard.clock import FixedClock
from citycard.errors import (
    CardNotOwed,
    CardRefused,
    CardRemoved,
    LoadRefused,
    OfficeRefused,
    RegistryInvalid,
    StatusRefused,
)
from citycard.ids import new_id
from citycard.ledger import AccountCode, AccountSpec, Transfer, TransferCode
from citycard.registry import AesGcmSealer, CardStatus, ClosingState, Entitlement, Holder
from citycard.store import reading, writing
from citycard.terminal import InProcessReader, Terminal
from citycard.wallet import (
    INCOME_CARDS,
    LOSS_LATE_TAPS,
    TRUST_BANK,
    TopUpDesk,
    card_deposit,
    card_purse,
    card_refund,
)

pytestmark = pytest.mark.usefixtures("bazaar")

DAY = dt.date(2018, 9, 1)
OLD, NEW, THIRD = (f"0101990100000000000{digit}" for digit in "123")
GATE = "990100000700"
CITY = """\
[city]
name = "Card town"
code = "9901"
[cards]
clearing_days = 8
replacement_fee_fen = 500
[plugins]
allow = ["bazaar"]
enable = ["bazaar"]
[[plugins.bazaar.products]]
name = "standard"
title = "City card"
deposit_fen = 2000
price_fen = 300
"""


@pytest.fixture
def town(found_city, tmp_path):
    """A city with three cards in stock, their chips, and a clock that can be moved."""
    (tmp_path / "template.toml").write_text(CITY)
    clock = FixedClock(dt.datetime(2018, 9, 1, 4, 0, tzinfo=dt.UTC))
    city = found_city(tmp_path / "town", tmp_path / "template.toml", clock=clock)
    city.issuing.publish()
    with writing(city.engine) as conn:
        cards = [city.issuing.card(asn, "standard", DAY) for asn in (OLD, NEW, THIRD)]
        stock = [
            registry.Card(
                **{name: getattr(card, name) for name in registry.Card.__slots__ if name[0] != "_"}
                | {"status": CardStatus.STOCK}
            )
            for card in cards
        ]
        registry.add_cards(conn, stock)
    yield city
    city.close()


@pytest.fixture
def office(town):
    return Office(town, "anna")


def later(city, days):
    city.clock.moment += dt.timedelta(days=days)


def fen(city, address):
    from citycard.city.cardmoney import CardMoney

    with reading(city.engine) as conn:
        return CardMoney(city, conn).balance_fen(address)


def in_order(city):
    with reading(city.engine) as conn:
        assert city.ledger.audit(conn) == []


def closing(city, asn):
    with writing(city.engine) as conn:
        return registry.find_closing(conn, asn)


def loaded(city, asn, chip, amount_fen):
    at = city.now_local()
    Terminal(GATE, city.sam(GATE), host=city.desk).tap(InProcessReader(chip), at).load(amount_fen, at)


def spent(city, asn, amount_fen):
    """Post what clearing posts when a tap of the card arrives."""
    at = city.now_local()
    with writing(city.engine) as conn:
        city.ledger.open_accounts(
            conn,
            [
                AccountSpec(address=card_purse(asn), code=AccountCode.CARD_FLOAT, owner=asn),
                AccountSpec(address="partner/bus/payable", code=AccountCode.PAYABLE_TO_PARTNERS),
            ],
        )
        move = Transfer(
            id=new_id(),
            debit_address=card_purse(asn),
            credit_address="partner/bus/payable",
            amount_fen=amount_fen,
            code=TransferCode.SPEND,
            event_time=at,
            business_date=at.date(),
        )
        city.ledger.post_all(conn, [move])


def test_a_card_is_sold_with_its_deposit_once(town, office):
    for _ in range(2):
        assert office.issue(OLD).status is CardStatus.ISSUED

    assert fen(town, card_deposit(OLD)) == 2000
    assert fen(town, INCOME_CARDS) == 300
    assert fen(town, TRUST_BANK) == 2300
    with reading(town.engine) as conn:
        (step,) = registry.card_history(conn, OLD)
    assert (step.before, step.after, step.reason, step.actor) == ("stock", "issued", "sold", "anna")


def test_a_lost_card_is_on_a_published_blacklist_at_once_and_off_it_when_found(town, office):
    office.issue(OLD)
    office.lost(OLD)
    with reading(town.engine) as conn:
        assert registry.blacklist_at(conn, registry.blacklist_number(conn)) == {OLD}
    office.unblock(OLD, reason="found")
    with reading(town.engine) as conn:
        assert registry.blacklist_at(conn, registry.blacklist_number(conn)) == frozenset()


def test_no_money_goes_onto_a_lost_card_before_it_is_found(town, office):
    office.issue(OLD)
    chip = town.issuing.chip(OLD, "standard", DAY)
    loaded(town, OLD, chip, 1000)
    office.lost(OLD)
    with pytest.raises(LoadRefused, match=f"veto.*{OLD} is lost: only a card in use is loaded"):
        loaded(town, OLD, chip, 1000)
    assert fen(town, card_purse(OLD)) == 1000
    office.unblock(OLD, reason="found")
    loaded(town, OLD, chip, 500)
    assert fen(town, card_purse(OLD)) == 1500


def test_a_card_blocked_in_stock_goes_back_into_stock(office):
    office.block(OLD, reason="misprinted")
    assert office.unblock(OLD, reason="looked again").status is CardStatus.STOCK


def test_a_sold_card_serves_only_after_it_was_activated_at_a_reader(town, office):
    chip = town.issuing.chip(OLD, "standard", DAY)
    from citycard.card.files import EnableFlag

    fresh = town.issuing.blank("standard", 1).clone()
    keys = town.vault.card_keys(bytes.fromhex(OLD[4:]))
    town.issuing.personalise(
        fresh,
        OLD,
        town.issuing.product("standard"),
        keys,
        start=DAY,
        expiry=DAY.replace(year=2028),
        enabled=EnableFlag.NOT_ENABLED,
    )
    desk, gate = CardDesk(town, InProcessReader(fresh), "anna"), Terminal(GATE, town.sam(GATE))

    with pytest.raises(OfficeRefused, match="stock"):
        desk.activate()
    office.issue(OLD)
    with pytest.raises(CardRefused, match="not enabled"):
        gate.tap(InProcessReader(fresh), town.now_local())
    assert desk.activate() == desk.activate() == OLD
    assert gate.tap(InProcessReader(fresh), town.now_local()).view.asn == OLD
    with reading(town.engine) as conn:
        assert [event.what for event in registry.card_events(conn, OLD)] == ["activated"]
    assert chip is not fresh


def test_a_card_is_renewed_at_a_reader_and_in_the_registry(town, office):
    chip = town.issuing.chip(OLD, "standard", DAY)
    office.issue(OLD)
    CardDesk(town, InProcessReader(chip), "anna").renew(dt.date(2040, 1, 1))

    view = Terminal(GATE, town.sam(GATE)).tap(InProcessReader(chip), town.now_local()).view
    with reading(town.engine) as conn:
        assert registry.find_card(conn, OLD).expires_on == view.expiry == dt.date(2040, 1, 1)


def test_a_card_made_under_an_older_maintenance_key_is_renewed_too(town, office):
    chip = town.issuing.chip(OLD, "standard", DAY)
    office.issue(OLD)
    town.vault.roll("maintenance")
    CardDesk(town, InProcessReader(chip), "anna").renew(dt.date(2040, 1, 1))
    CardDesk(town, InProcessReader(chip), "anna").renew(dt.date(2041, 1, 1))

    view = Terminal(GATE, town.sam(GATE)).tap(InProcessReader(chip), town.now_local()).view
    assert view.expiry == dt.date(2041, 1, 1)


def replaced(town, office):
    """Lose a card with 50 yuan on it, and give out its successor; return both chips."""
    old, new = (town.issuing.chip(asn, "standard", DAY) for asn in (OLD, NEW))
    office.issue(OLD)
    loaded(town, OLD, old, 5000)
    office.lost(OLD)
    office.replace(OLD, NEW, reason="lost")
    return old, new


def test_a_lost_cards_money_comes_onto_the_new_card_when_its_last_taps_came_in(town, office):
    _, new = replaced(town, office)
    desk = CardDesk(town, InProcessReader(new), "anna")
    with pytest.raises(CardNotOwed, match="2018-09-09"):
        desk.transfer()
    spent(town, OLD, 380)  # a tap made offline before the loss was known
    later(town, 8)

    assert desk.transfer() == 4620
    assert desk.transfer() == 0
    assert Terminal(GATE, town.sam(GATE)).tap(InProcessReader(new), town.now_local()).view.balance_fen == 4620
    assert [fen(town, card_purse(asn)) for asn in (OLD, NEW)] == [0, 4620]
    assert fen(town, card_refund(OLD)) == 0
    assert [fen(town, card_deposit(asn)) for asn in (OLD, NEW)] == [0, 2000]
    assert fen(town, INCOME_CARDS) == 800
    assert closing(town, OLD).state is ClosingState.SETTLED
    in_order(town)


def test_a_replacement_is_one_step_however_often_it_is_asked_for(town, office):
    replaced(town, office)
    first = closing(town, OLD)
    assert office.replace(OLD, NEW, reason="lost") == first
    with pytest.raises(OfficeRefused, match="replaced"):
        office.replace(OLD, THIRD, reason="lost")
    with pytest.raises(StatusRefused):
        office.unblock(OLD, reason="found")
    assert fen(town, INCOME_CARDS) == 800


def test_holder_and_rights_of_the_card_pass_over(town, office):
    person = Holder(id=new_id(), name="王伟")
    right = Entitlement(name="student", source="school-7", starts_on=DAY, asn=OLD)
    with writing(town.engine) as conn:
        registry.add_holders(conn, [person], sealer=AesGcmSealer(bytes(32)))
        registry.add_entitlements(conn, [right])
    office.issue(OLD, holder=person.id)
    office.replace(OLD, NEW, reason="broken")
    with reading(town.engine) as conn:
        assert registry.find_card(conn, NEW).holder == person.id
        assert registry.entitlements_of(conn, NEW, on=DAY) == {"student"}


def test_a_tap_that_comes_after_the_closing_is_made_good_and_seen(town, office):
    _, new = replaced(town, office)
    later(town, 8)
    CardDesk(town, InProcessReader(new), "anna").transfer()
    spent(town, OLD, 380)

    assert settle_due(town, actor="anna").put_right == 1
    assert settle_due(town, actor="anna").put_right == 0
    assert (fen(town, card_purse(OLD)), fen(town, LOSS_LATE_TAPS)) == (0, 380)
    with reading(town.engine) as conn:
        assert registry.card_events(conn, OLD)[-1].detail == "380 fen"
    in_order(town)


def test_a_returned_cards_deposit_and_balance_are_paid_out_once(town, office):
    chip = town.issuing.chip(OLD, "standard", DAY)
    office.issue(OLD)
    loaded(town, OLD, chip, 5000)
    office.give_back(OLD)
    with pytest.raises(CardNotOwed):
        pay_out(town, OLD, actor="anna")
    CardDesk(town, InProcessReader(chip), "anna").stop()
    with pytest.raises(CardRefused, match="stopped"):
        Terminal(GATE, town.sam(GATE)).tap(InProcessReader(chip), town.now_local())
    later(town, 8)
    settle_due(town, actor="anna")

    assert [pay_out(town, OLD, actor="anna") for _ in range(2)] == [7000, 0]
    assert fen(town, TRUST_BANK) == 300
    assert {fen(town, f"card/{OLD}/{name}") for name in ("purse", "deposit", "refund")} == {0}
    in_order(town)


def test_a_returned_card_that_spent_too_much_pays_with_its_deposit(town, office):
    office.issue(OLD)
    office.give_back(OLD)
    spent(town, OLD, 2500)
    later(town, 8)
    settle_due(town, actor="anna")

    assert fen(town, LOSS_LATE_TAPS) == 500
    assert {fen(town, f"card/{OLD}/{name}") for name in ("purse", "deposit", "refund")} == {0}
    in_order(town)


def owed_more(town, amount_fen):
    """Let money turn up on the old card's account, as a load that is proven late does."""
    at = town.now_local()
    with writing(town.engine) as conn:
        late = Transfer(
            id=new_id(),
            debit_address=TRUST_BANK,
            credit_address=card_purse(OLD),
            amount_fen=amount_fen,
            code=TransferCode.LOAD,
            event_time=at,
            business_date=at.date(),
        )
        town.ledger.post_all(conn, [late])
    assert settle_due(town, actor="anna").put_right == 1


def test_a_transfer_torn_at_every_write_puts_the_money_on_the_card_once(town, office):
    _, new = replaced(town, office)
    later(town, 8)
    CardDesk(town, InProcessReader(new), "anna").transfer()
    on_card_fen, cuts, whole = 5000, 0, False
    while not whole:
        for torn in (False, True):
            owed_more(town, 100)
            later(town, 1)
            new.eeprom.cut_after(cuts, torn=torn)
            try:
                CardDesk(town, InProcessReader(new), "anna").transfer()
            except CardRemoved:
                CardDesk(town, InProcessReader(new), "anna").transfer()
            else:
                whole = True
            new.eeprom.cut_after(None)
            on_card_fen += 100
            view = Terminal(GATE, town.sam(GATE)).tap(InProcessReader(new), town.now_local()).view
            assert (view.balance_fen, fen(town, card_purse(NEW))) == (on_card_fen, on_card_fen)
            assert (fen(town, card_refund(OLD)), fen(town, card_purse(OLD))) == (0, 0)
        cuts += 1
    assert cuts > 3
    in_order(town)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", ["witness", "begin", "confirm"])
def test_two_desks_give_what_is_owed_once_wherever_one_comes_between_the_other(
    town, office, monkeypatch, step, after
):
    _, new = replaced(town, office)
    later(town, 8)
    settle_due(town, actor="anna")
    paid, taken = [], getattr(TopUpDesk, step)

    def pays():
        with suppress(CardNotOwed):
            paid.append(pay_out(town, OLD, actor="ben"))

    def between(*arguments, **named):
        if not after:
            pays()
        answer = taken(*arguments, **named)
        if after:
            pays()
        return answer

    monkeypatch.setattr(TopUpDesk, step, between)
    desk = CardDesk(town, InProcessReader(new), "anna")
    with suppress(LoadRefused):
        desk.transfer()
    assert desk.transfer() == 0

    view = Terminal(GATE, town.sam(GATE)).tap(InProcessReader(new), town.now_local()).view
    assert view.balance_fen == fen(town, card_purse(NEW))
    assert view.balance_fen + sum(paid) == 5000
    assert fen(town, LOSS_LATE_TAPS) == fen(town, card_refund(OLD)) == 0
    in_order(town)


@pytest.mark.parametrize("done", [False, True])
def test_what_may_be_on_a_card_that_is_lost_too_is_settled_when_its_taps_came_in(town, office, done):
    _, new = replaced(town, office)
    later(town, 8)
    # The first load dies before the card is written, or after: nobody sees the card again.
    new.eeprom.cut_after(30 if done else 0)
    with pytest.MonkeyPatch.context() as lost:
        if done:
            lost.setattr(TopUpDesk, "confirm", lambda *_: (_ for _ in ()).throw(ConnectionError))
        with pytest.raises((CardRemoved, ConnectionError)):
            CardDesk(town, InProcessReader(new), "anna").transfer()
    new.eeprom.cut_after(None)
    office.lost(NEW)
    office.replace(NEW, THIRD, reason="lost")
    with pytest.raises(CardNotOwed, match="see that card again"):
        pay_out(town, OLD, actor="anna")
    if done:
        spent(town, NEW, 1200)  # it pays with what the city does not know to be on it
    later(town, 8)
    settle_due(town, actor="anna")
    settle_due(town, actor="anna")

    paid = [pay_out(town, asn, actor="anna") for asn in (OLD, NEW)]
    assert paid == ([0, 3800] if done else [5000, 0])
    assert fen(town, LOSS_LATE_TAPS) == 0
    in_order(town)


def test_what_is_owed_is_not_loaded_onto_a_card_that_is_lost(town, office):
    _, new = replaced(town, office)
    later(town, 8)
    office.lost(NEW)
    with pytest.raises(LoadRefused, match="lost"):
        CardDesk(town, InProcessReader(new), "anna").transfer()
    assert (fen(town, card_refund(OLD)), fen(town, card_purse(NEW))) == (5000, 0)


def test_a_card_is_not_renewed_until_a_day_that_is_over(town, office):
    chip = town.issuing.chip(OLD, "standard", DAY)
    office.issue(OLD)
    with pytest.raises(OfficeRefused, match="2018-08-31 is over"):
        CardDesk(town, InProcessReader(chip), "anna").renew(dt.date(2018, 8, 31))
    with writing(town.engine) as conn, pytest.raises(RegistryInvalid):
        registry.renew_card(conn, OLD, dt.date(1999, 1, 1))


def test_a_card_loses_days_only_when_that_is_asked_for(town, office):
    desk = CardDesk(town, InProcessReader(town.issuing.chip(OLD, "standard", DAY)), "anna")
    office.issue(OLD)
    desk.renew(dt.date(2040, 1, 1))
    with pytest.raises(OfficeRefused, match="its last day is 2040-01-01, later than 2039-12-31: --force"):
        desk.renew(dt.date(2039, 12, 31))
    with reading(town.engine) as conn:
        assert registry.find_card(conn, OLD).expires_on == dt.date(2040, 1, 1)

    desk.renew(dt.date(2039, 12, 31), earlier=True)
    desk.renew(dt.date(2039, 12, 31))
    with reading(town.engine) as conn:
        assert registry.find_card(conn, OLD).expires_on == dt.date(2039, 12, 31)
    with pytest.raises(OfficeRefused, match="is over"):
        desk.renew(dt.date(2018, 8, 31), earlier=True)


def test_a_card_that_was_never_issued_is_not_replaced_or_taken_back(town, office):
    office.block(OLD, reason="scratched")
    for step in (lambda: office.replace(OLD, NEW, reason="x"), lambda: office.give_back(OLD)):
        with pytest.raises(OfficeRefused, match="never issued"):
            step()
    assert (fen(town, INCOME_CARDS), office.issue(NEW).status) == (0, CardStatus.ISSUED)


def test_a_fee_is_never_paid_out(town, office):
    office.issue(OLD)
    with pytest.raises(OfficeRefused, match="-1 fen"):
        office.replace(OLD, NEW, reason="x", fee_fen=-1)
