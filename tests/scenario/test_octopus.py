"""Money and card never part: what was paid is on the card or goes back, and nobody is asked.

In 2007 an operator paid for 15,270 loads that banks had debited and cards never saw. Here real software cards
are loaded with money that a payment provider took, which runs as its own process, as does the city's server.
Every story ends with the provider's own books, the ledger and the card saying the same.
"""

from __future__ import annotations

import pytest

from citycard.city.delivering import deliver
from citycard.city.expiring import expire
from citycard.errors import CardRemoved
from citycard.store import reading
from citycard.wallet.load import LoadMoney
from citycard.wallet.loadbook import loads_of, lost_loads
from citycard.wallet.order import OrderState

ASN = "01019901000000000001"


def test_a_paid_order_is_loaded_at_the_next_sight_and_only_there(story):
    order = story.paid_order()
    seen = deliver(story.town, story.reader)
    again = deliver(story.town, story.reader)

    assert (seen.delivered, seen.balance_after_fen) == ((order.id,), 5000)
    assert (again.delivered, again.balance_after_fen) == ((), 5000)
    story.adds_up(on_card_fen=5000)


def test_a_card_torn_before_the_write_is_loaded_when_it_comes_back(story):
    order = story.paid_order()
    with pytest.raises(CardRemoved):
        deliver(story.town, story.torn_reader(after=False))
    assert story.now(order).load is not None

    seen = deliver(story.town, story.reader)

    assert (seen.recovered_fen, seen.delivered) == (0, (order.id,))
    story.adds_up(on_card_fen=5000)


def test_a_card_torn_before_the_write_that_never_comes_back_is_refunded(story):
    order = story.paid_order()
    with pytest.raises(CardRemoved):
        deliver(story.town, story.torn_reader(after=False))
    story.later(days=6)
    assert expire(story.town).loads == ()
    story.later(days=2)
    (one,) = expire(story.town).loads

    assert (one.payer.name, one.money) == (str(order.id), LoadMoney.RETURNED)
    assert story.now(order).state is OrderState.REFUNDED
    story.adds_up(on_card_fen=0, refunded_fen=5000)
    # The card comes after all, and gets nothing twice.
    assert deliver(story.town, story.reader).delivered == ()
    story.adds_up(on_card_fen=0, refunded_fen=5000)


@pytest.mark.parametrize("elsewhere", [False, True], ids=["same desk", "another desk"])
def test_a_loaded_card_whose_answer_was_lost_is_recognised_at_the_next_sight(story, elsewhere):
    order = story.paid_order()
    with pytest.raises(CardRemoved):
        deliver(story.town, story.torn_reader(after=True))
    assert story.now(order).state is OrderState.PAID

    terminal = "990100000055" if elsewhere else None
    seen = deliver(story.town, story.reader, terminal)

    assert (seen.recovered_fen, seen.delivered, seen.balance_after_fen) == (5000, (), 5000)
    assert story.now(order).state is OrderState.DELIVERED
    story.adds_up(on_card_fen=5000)


def test_a_loaded_card_is_recognised_by_its_counter_alone(story):
    """The TAC is lost for good, because the card was loaded with cash meanwhile; its counter went on."""
    order = story.paid_order()
    with pytest.raises(CardRemoved):
        deliver(story.town, story.torn_reader(after=True))
    story.load_with_cash(100)

    with reading(story.town.engine) as conn:
        first, second = loads_of(conn, ASN)
    assert (first.agent, first.proof, first.money) == (f"order/{order.id}", "counter", "taken")
    assert (second.amount_fen, second.proof) == (100, "tac")
    assert story.now(order).state is OrderState.DELIVERED
    story.adds_up(on_card_fen=5100, cash_fen=100)


def test_a_card_that_shows_the_load_after_the_refund_is_right_and_the_city_bears_it(story):
    order = story.paid_order()
    with pytest.raises(CardRemoved):
        deliver(story.town, story.torn_reader(after=True))
    story.later(days=8)
    expire(story.town)
    assert story.now(order).state is OrderState.REFUNDED

    deliver(story.town, story.reader)
    story.load_with_cash(100)
    with reading(story.town.engine) as conn:
        (lost,) = lost_loads(conn)
    assert (lost.asn, lost.amount_fen) == (ASN, 5000)
    assert "the city bore 5000 fen" in story.now(order).trouble
    story.adds_up(on_card_fen=5100, refunded_fen=5000, cash_fen=100, lost_fen=5000)
