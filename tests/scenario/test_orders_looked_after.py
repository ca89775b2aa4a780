"""Orders are looked after one by one: what is wrong with one of them holds up none of the others."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import text

from citycard.city.orders import look_after_due
from citycard.wallet.order import OrderState


def test_an_order_that_the_store_refuses_is_put_off_and_the_others_go_on(story):
    refused, other = story.order(), story.order(3000)
    trigger = f"""
        CREATE TRIGGER refuses BEFORE UPDATE OF state ON payment_order WHEN OLD.id = '{refused.id.hex}'
        BEGIN SELECT RAISE(ABORT, 'too long'); END
    """
    with story.town.engine.begin() as conn:
        conn.execute(text(trigger))
    story.pay(refused)
    story.pay(other)
    story.later(minutes=1)
    assert look_after_due(story.town) == 2
    waiting = story.now(refused)
    assert (waiting.state, waiting.looks) == (OrderState.CREATED, refused.looks + 1)
    assert "the store did not take its step" in waiting.trouble
    assert waiting.look_at > story.town.clock.now() + dt.timedelta(seconds=5)
    assert story.now(other).state is OrderState.PAID
    with story.town.engine.begin() as conn:
        conn.execute(text("DROP TRIGGER refuses"))
    story.found_out(refused, OrderState.PAID)
