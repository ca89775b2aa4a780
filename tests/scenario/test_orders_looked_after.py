"""Orders are looked after one by one: what is wrong with one of them holds up none of the others."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import attrs
import pytest
from sqlalchemy import text

from citycard.city.orders import look_after, look_after_due, notified, send_back
from citycard.errors import OrderElsewhere
from citycard.provider.signing import Signer, new_nonce, read_private_key
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


def test_an_order_of_another_provider_waits_until_its_section_is_back(story):
    town, waiting, paid = story.town, story.order(), story.paid_order(3000)
    first = town.provider
    town.provider = attrs.evolve(first, name="other")
    for step in (lambda: look_after(town, waiting.id), lambda: send_back(town, paid.id, "asked for")):
        with pytest.raises(OrderElsewhere, match=r"at payment provider pay, .* names other: put"):
            step()
    story.later(days=1)
    assert look_after_due(town) == 1
    put_off = story.now(waiting)
    assert (put_off.state, story.now(paid).state) == (OrderState.CREATED, OrderState.PAID)
    assert "put the section of pay back" in put_off.trouble
    town.provider = first
    assert send_back(town, paid.id, "asked for").state is OrderState.REFUNDED
    story.found_out(waiting, OrderState.CLOSED, minutes=20)


def test_a_provider_tells_nothing_of_an_order_of_another_one(story, box):
    town, order = story.town, story.order()
    town.provider = attrs.evolve(town.provider, name="other")
    key = Path(box.settings["provider_key_file"]).with_name("provider.pem")
    signer = Signer(box.settings["provider_key_name"], read_private_key(key))
    told = {"number": order.number, "state": "paid", "amount_fen": 5000, "transaction": "t"}
    path, body = "/api/providers/other/notifications", json.dumps(told).encode()
    seal = signer.seal("POST", path, body, nonce=new_nonce(), now=dt.datetime.now(dt.UTC))
    with pytest.raises(OrderElsewhere, match=str(order.id)):
        notified(town, "other", path, seal.headers, body)
    assert story.now(order).state is OrderState.CREATED
