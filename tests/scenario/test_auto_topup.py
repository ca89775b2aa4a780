"""A card that is seen with little in its purse is loaded by itself: once a sight, within a day's limit."""

from __future__ import annotations

import pytest

from citycard.city.delivering import deliver
from citycard.city.orders import order_top_up
from citycard.errors import CardRemoved
from citycard.ids import new_id
from citycard.store import reading, writing
from citycard.terminal import Terminal
from citycard.wallet.accounts import Accounts
from citycard.wallet.addresses import online_account
from citycard.wallet.autotopup import AutoTopUp, set_rule
from citycard.wallet.order import OrderState

ASN = "01019901000000000001"


def rule(story, source, **more):
    wanted = AutoTopUp(
        asn=ASN,
        source=source,
        set_at=story.town.clock.now(),
        **{"threshold_fen": 1000, "amount_fen": 2000, "daily_limit_fen": 4000} | more,
    )
    with writing(story.town.engine) as conn:
        set_rule(conn, wanted)


def spend(story, fen):
    gate, at = "990100000066", story.town.now_local()
    Terminal(gate, story.town.sam(gate)).tap(story.reader, at).purchase(fen, at)


def account_fen(story):
    with reading(story.town.engine) as conn:
        assert story.town.ledger.audit(conn) == []
        return story.town.ledger.balance(conn, online_account(ASN)).available_fen


@pytest.fixture
def account(story):
    """The card's own online account with 70 yuan on it, which came online."""
    Accounts(story.town.wallet).open(new_id(), ASN)
    order = order_top_up(story.town, new_id(), ASN, 7000, account=ASN)
    story.pay(order)
    story.found_out(order, OrderState.DELIVERED)
    assert account_fen(story) == 7000
    return ASN


def test_an_account_tops_its_card_up_once_a_sight_and_within_the_limit_of_a_day(story, account):
    rule(story, f"account/{account}")
    assert deliver(story.town, story.reader).topped_up_fen == 2000
    assert deliver(story.town, story.reader).topped_up_fen == 0
    spend(story, 1500)
    assert deliver(story.town, story.reader).topped_up_fen == 2000
    spend(story, 2000)
    third = deliver(story.town, story.reader)
    assert (third.topped_up_fen, account_fen(story)) == (0, 3000)
    assert "limit" in third.refused[0]
    story.later(days=1)
    assert deliver(story.town, story.reader).topped_up_fen == 2000
    spend(story, 2000)
    last = deliver(story.town, story.reader)
    assert (last.topped_up_fen, account_fen(story)) == (0, 1000)
    assert "does not have 2000 fen" in last.refused[0]


def test_a_card_that_was_just_loaded_by_hand_is_still_topped_up(story, account):
    rule(story, f"account/{account}")
    story.load_with_cash(100)
    assert deliver(story.town, story.reader).topped_up_fen == 2000
    assert deliver(story.town, story.reader).topped_up_fen == 0


def test_a_card_is_not_loaded_twice_when_it_is_taken_away_at_its_sight(story, account):
    rule(story, f"account/{account}")
    with pytest.raises(CardRemoved):
        deliver(story.town, story.torn_reader(after=True))
    assert account_fen(story) == 5000
    again = deliver(story.town, story.reader)
    assert (again.recovered_fen, again.topped_up_fen, again.balance_after_fen) == (2000, 0, 2000)
    assert deliver(story.town, story.reader).topped_up_fen == 0
    assert account_fen(story) == 5000


def test_a_frozen_account_tops_nothing_up(story, account):
    rule(story, f"account/{account}")
    Accounts(story.town.wallet).freeze(new_id(), account)
    seen = deliver(story.town, story.reader)
    assert (seen.topped_up_fen, account_fen(story)) == (0, 7000)
    assert "frozen" in seen.refused[0]


def test_an_agreement_pays_at_the_sight_of_the_card(story):
    story.box.agree("wong-7")
    rule(story, "agreement/wong-7", daily_limit_fen=2000)
    assert deliver(story.town, story.reader).topped_up_fen == 2000
    spend(story, 1800)
    seen = deliver(story.town, story.reader)
    assert (seen.topped_up_fen, seen.balance_after_fen) == (0, 200)
    assert "its limit of 2000 fen a day" in seen.refused[0]
    assert (story.books()["paid"], story.books()["paid_fen"]) == (1, 2000)


def test_an_agreement_whose_answer_was_lost_pays_once_and_the_next_sight_delivers(story):
    story.box.agree("wong-8")
    rule(story, "agreement/wong-8")
    story.load_with_cash(100)
    spend(story, 50)
    story.box.fail("create", "lose-answer", times=2)
    assert deliver(story.town, story.reader).topped_up_fen == 0
    for _ in range(2):
        assert deliver(story.town, story.reader).balance_after_fen == 2050
    assert story.books()["paid_fen"] == 2000


def test_an_agreement_is_not_charged_again_while_nobody_knows_of_the_first_time(story):
    story.box.agree("wong-9")
    rule(story, "agreement/wong-9")
    # All cities of these tests have one provider: what is on the card makes this order another one.
    story.load_with_cash(90)
    story.box.fail("create", "lose-answer", times=2)
    assert deliver(story.town, story.reader).topped_up_fen == 0
    story.later(days=1)
    story.box.fail("query", "lose-answer", times=2)
    assert "ask again" in deliver(story.town, story.reader).refused[0]
    assert story.books()["paid_fen"] == 2000
    assert deliver(story.town, story.reader).topped_up_fen == 2000
    assert story.books()["paid_fen"] == 2000


def test_an_agreement_is_not_charged_again_while_the_card_takes_nothing(story):
    story.box.agree("wong-10")
    most = story.town.issuing.purse_limit_fen(ASN)
    rule(story, "agreement/wong-10", amount_fen=most, daily_limit_fen=2 * most)
    story.load_with_cash(80)
    for _ in range(3):
        seen = deliver(story.town, story.reader)
        assert (seen.topped_up_fen, len(seen.refused)) == (0, 1)
        story.later(days=1)
    assert (story.books()["paid"], story.books()["paid_fen"]) == (1, most)
