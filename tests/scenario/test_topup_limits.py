"""A limit of top-ups refuses the order of one, before anybody has paid for it."""

from __future__ import annotations

import pytest

from citycard.city.orders import order_top_up
from citycard.errors import LimitExceeded, OrderInvalid
from citycard.ids import new_id
from citycard.store import reading
from citycard.wallet import ActKind, LimitRule
from citycard.wallet.accounts import Accounts
from citycard.wallet.order import OrderState
from citycard.wallet.orderbook import orders

ASN = "01019901000000000001"


@pytest.fixture
def order(story):
    """Return a function that orders a top-up of the card's own account, which may have little."""
    accounts = Accounts(story.town.wallet)
    accounts.open(new_id(), ASN)
    rule = LimitRule(single_fen=5000, month_fen=9000, month_count=3)
    accounts.limit(new_id(), ASN, ActKind.TOP_UP, rule)

    def order(fen, identity=None):
        return order_top_up(story.town, identity or new_id(), ASN, fen, account=ASN)

    return order


def test_an_order_for_a_purse_is_never_more_than_the_purse_may_hold(story):
    with pytest.raises(OrderInvalid, match="expected 100000 fen or less, the most that the purse"):
        story.order(100_001)
    with reading(story.town.engine) as conn:
        assert orders(conn, asn=ASN) == []
    made = story.order(100_000)
    assert (made.state, story.order(100_000, made.id).id) == (OrderState.CREATED, made.id)


def test_an_order_over_the_limit_of_one_or_of_a_month_is_not_made(story, order):
    with pytest.raises(LimitExceeded, match="top-up at once, in fen is limited to 5000"):
        order(5001)
    first, again = new_id(), None
    for _ in range(2):
        again = order(5000, first)
    with pytest.raises(LimitExceeded, match="per month, in fen is limited to 9000, 5000 are used until"):
        order(4001)
    order(1000)
    order(1000)
    with pytest.raises(LimitExceeded, match="per month, in times is limited to 3, 3 are used"):
        order(1)
    assert order(5000, first) == again
    with reading(story.town.engine) as conn:
        assert len(orders(conn, asn=ASN)) == 3
    assert story.order(6000).state is OrderState.CREATED  # for the purse


def test_an_order_that_came_to_nothing_counts_no_more(story, order):
    closed = order(5000)
    story.found_out(closed, OrderState.CLOSED, minutes=20)
    order(5000)
    story.later(days=32)
    order(5000)
