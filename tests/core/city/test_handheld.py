"""The operator's own terminal: a torn purchase is finished, and is the answer to itself alone."""

import pytest

from citycard.city.handheld import Handheld
from citycard.errors import CardRemoved
from citycard.terminal import RecordPlan, read_batch
from citycard.testing.readers import TakenAway


@pytest.fixture
def town(market_town):
    made = market_town()
    made.partner("melons")
    return made


def test_a_torn_purchase_is_taken_for_the_same_one_and_for_no_other(town):
    card, number, plan = town.card(), town.terminal("melons"), RecordPlan(service=811, list_price_fen=300)
    town.load(card, 5000)
    for _ in range(2):
        with Handheld(town.city, number) as handheld, pytest.raises(CardRemoved):
            handheld.pay(TakenAway(card.reader), 300, plan)
        with Handheld(town.city, number) as handheld:
            again = handheld.pay(card.reader, 300, plan)
        assert (again.debit.recovered, again.debit.amount_fen, again.finished) == (True, 300, None)
    with Handheld(town.city, number) as handheld, pytest.raises(CardRemoved):
        handheld.pay(TakenAway(card.reader), 300, plan)
    with Handheld(town.city, number) as handheld:
        other = handheld.pay(card.reader, 400, RecordPlan(service=811, list_price_fen=400))
    assert (other.debit.recovered, other.debit.amount_fen, other.finished.amount_fen) == (False, 400, 300)
    assert len(read_batch(other.batch.read_bytes()).records) == 2
    assert town.balance_fen(card) == 5000 - 3 * 300 - 400
