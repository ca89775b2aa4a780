"""Whoever asks why an account did not pay learns what was asked, who said no, and why."""

import pytest

from citycard.errors import ActUnknown, FundsMissing
from citycard.ids import new_id
from citycard.store import reading, writing
from citycard.wallet import Payee, Payments
from citycard.wallet.actbook import find_act, refused_acts
from citycard.wallet.acts import Act, give_up, once

SHOP = Payee(partner="shop", kind="food")


def test_an_act_is_told_with_what_was_asked_and_what_was_answered(wallet, opened):
    number, paid, refused = opened(1, 500), new_id(), new_id()
    Payments(wallet).pay(paid, number, SHOP, 400, service="lunch", actor="till 7")
    with pytest.raises(FundsMissing):
        Payments(wallet).pay(refused, number, SHOP, 900)
    with reading(wallet.engine) as conn:
        done, not_done = find_act(conn, paid), find_act(conn, refused)
        with pytest.raises(ActUnknown):
            find_act(conn, new_id())
    assert (done.kind, done.number, done.actor, done.refusal, done.why) == ("pay", number, "till 7", "", {})
    assert done.asked == {"partner": "shop", "service": "lunch", "amount_fen": 400}
    assert not_done.refusal == f"account {number} has 100 fen for this: 900 fen are wanted"
    assert not_done.why == {"owner": f"account {number}", "available_fen": 100, "wanted_fen": 900}


def test_the_refusals_of_an_account_are_listed_newest_first(wallet, opened, clock):
    number, refused = opened(1, 500), [new_id(), new_id()]
    Payments(wallet).pay(new_id(), number, SHOP, 100)
    once(wallet, Act(id=new_id(), kind="test", number=number), lambda _: None)
    for identity in refused:
        clock.moment += clock.moment.resolution * 10**6
        with pytest.raises(FundsMissing):
            Payments(wallet).pay(identity, number, SHOP, 900)
    clock.moment += clock.moment.resolution * 10**6
    with writing(wallet.engine) as conn:
        given_up = new_id()
        give_up(conn, given_up, clock.now(), number=number, actor="job")
        assert [one.id for one in refused_acts(conn, number)] == [given_up, *refused[::-1]]
        assert [one.kind for one in refused_acts(conn, number, limit=2)] == ["given-up", "pay"]
        assert refused_acts(conn, "1") == []
