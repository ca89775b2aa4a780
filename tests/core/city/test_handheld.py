"""The operator's own terminal: a torn purchase is finished, and is the answer to itself alone."""

import pytest

from citycard.city.handheld import Handheld
from citycard.clearing.intake import receive
from citycard.errors import CardRefused, CardRemoved, ServiceOff
from citycard.terminal import RecordPlan, read_batch, read_record
from citycard.testing.readers import TakenAway


@pytest.fixture
def town(market_town):
    made = market_town()
    made.partner("melons")
    return made


def plan_of(fen):
    """Return what a record says of the stall's pieces, which cost 300 fen each."""
    return RecordPlan(service=811, facts=(fen // 300).to_bytes(4), list_price_fen=fen)


@pytest.fixture
def card(town):
    made = town.card()
    town.load(made, 5000)
    return made


@pytest.fixture
def pay(town):
    """Return what pays at a terminal that was switched on for it, torn behind the debit or not."""
    number = town.terminal("melons")

    def pay(card, fen, *, torn=False):
        with Handheld(town.city, number) as handheld:
            if not torn:
                return handheld.pay(card.reader, fen, plan_of(fen))
            with pytest.raises(CardRemoved):
                handheld.pay(TakenAway(card.reader), fen, plan_of(fen))
            return handheld

    pay.number = number
    return pay


def batches(town, pay):
    return sorted((town.city.folder / "terminals" / pay.number).glob("*.ccb"))


def recorded_fen(town, pay):
    """Return the amounts of all records of the terminal's batch files, in their order."""
    found = [read_batch(path.read_bytes()).records for path in batches(town, pay)]
    return [read_record(record).amount_fen for records in found for record in records]


def cleared(town, pay):
    """Hand in every batch file, and return how many records got which code."""
    receive(town.city, batches(town, pay))
    return {one.code: one.records for one in town.clear().totals}


def test_a_service_that_is_off_for_the_terminals_partner_is_not_sold(town, card, pay):
    town.city.plugins.disable("market", partner="melons", by="council")
    with pytest.raises(ServiceOff, match="melons"):
        pay(card, 300)
    assert (town.balance_fen(card), batches(town, pay)) == (5000, [])
    town.city.plugins.enable("market", partner="melons", by="council")
    assert pay(card, 300).debit.amount_fen == 300


def test_a_torn_purchase_is_taken_for_the_same_one_and_for_no_other(town, card, pay):
    for _ in range(2):
        pay(card, 300, torn=True)
        again = pay(card, 300)
        assert (again.debit.recovered, again.debit.amount_fen, again.earlier) == (True, 300, None)
    pay(card, 300, torn=True)
    other = pay(card, 600)
    assert (other.debit.recovered, other.debit.amount_fen, other.earlier.debit.amount_fen) == (
        False,
        600,
        300,
    )
    assert batches(town, pay)[-2:] == [other.earlier.batch, other.batch]
    assert recorded_fen(town, pay) == [300, 300, 300, 600]
    assert town.balance_fen(card) == 5000 - 3 * 300 - 600


def test_a_torn_purchase_keeps_its_record_when_the_next_one_is_torn_too(town, card, pay):
    pay(card, 300, torn=True)
    assert pay(card, 600, torn=True).earlier.debit.amount_fen == 300
    assert pay(card, 600).debit.recovered
    assert (recorded_fen(town, pay), town.balance_fen(card)) == ([300, 600], 5000 - 300 - 600)
    assert cleared(town, pay) == {"OK": 2}
    town.check_books()


def test_a_torn_purchase_is_still_known_again_when_another_was_refused_in_between(town, card, pay):
    """Its record was handed in with the refusal: the second one is told as a duplicate, and paid once."""
    pay(card, 300, torn=True)
    with Handheld(town.city, pay.number) as handheld:
        with pytest.raises(CardRefused, match="balance is too small"):
            handheld.pay(card.reader, 5400, plan_of(5400))
        assert handheld.earlier.debit.amount_fen == 300
    assert pay(card, 300).debit.recovered
    assert town.balance_fen(card) == 5000 - 300
    assert cleared(town, pay) == {"OK": 1, "D01": 1}
    town.check_books()
