"""Refunds that are owed for a card in use are loaded onto it at a reader once, or paid out, never both."""

import datetime as dt

import pytest
from moneytown import balances, move

from citycard import registry
from citycard.bank import BankAccount
from citycard.bank.payments import payments
from citycard.city.atcard import CardDesk
from citycard.city.chargebacks import open_chargeback, take_step
from citycard.city.closing import pay_out
from citycard.clock import FixedClock
from citycard.errors import CardNotOwed
from citycard.ids import new_id
from citycard.store import reading, writing
from citycard.terminal import InProcessReader
from citycard.wallet.chargebacks import ChargebackState

pytestmark = pytest.mark.usefixtures("bazaar")

CARD, DAY = "01019901000000000001", dt.date(2018, 9, 1)
OWED = f"card/{CARD}/refund"


@pytest.fixture
def desk(found_city, card_town, tmp_path):
    """A city with one card in use that is owed 150 fen, and a desk whose reader has it."""
    clock = FixedClock(dt.datetime(2018, 9, 1, 4, 0, tzinfo=dt.UTC))
    city = found_city(tmp_path / "town", card_town, clock=clock)
    chip = city.issuing.chip(CARD, "standard", DAY)
    with writing(city.engine) as conn:
        registry.add_cards(conn, [city.issuing.card(CARD, "standard", DAY)])
    move(city, "partner/metro/payable", OWED, 150, 161)
    yield city, CardDesk(city, InProcessReader(chip), "anna")
    city.close()


def test_what_is_owed_is_on_the_card_once(desk):
    city, reader = desk
    assert [reader.collect(), reader.collect()] == [150, 0]
    assert balances(city) == {"partner/metro/payable": -150, f"card/{CARD}/purse": 150}
    with pytest.raises(CardNotOwed, match="no refund is owed"):
        pay_out(city, CARD, actor="anna")


def test_what_was_paid_out_is_not_loaded_any_more(desk):
    city, reader = desk
    assert pay_out(city, CARD, actor="anna") == 150
    assert reader.collect() == 0
    assert balances(city) == {"partner/metro/payable": -150, "trust/bank": -150}


def test_it_can_be_ordered_from_the_bank(desk):
    city, _ = desk
    to = BankAccount(name="李雷", account="6222000011112222")
    assert pay_out(city, CARD, actor="anna", creditor=to) == 150
    with reading(city.engine) as conn:
        (ordered,) = payments(conn)
    assert (ordered.amount_fen, ordered.creditor, ordered.source) == (150, to, OWED)


def test_what_the_holder_owes_is_taken_first(desk):
    city, _ = desk
    topup = move(city, "trust/bank", f"card/{CARD}/purse", 100, 10)
    case = open_chargeback(
        city, new_id(), topup.id, None, reason="stolen", deadline=dt.date(2018, 9, 9), actor="anna"
    )
    take_step(city, case.id, ChargebackState.ACCEPTED, evidence="", actor="anna")
    assert pay_out(city, CARD, actor="anna") == 50
    assert f"card/{CARD}/claim" not in balances(city)
    with reading(city.engine) as conn:
        told = [(one.what, one.detail) for one in registry.card_events(conn, CARD)]
    assert told[-2:] == [("claim-taken", "100 fen"), ("paid-out", "50 fen")]
