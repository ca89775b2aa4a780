"""Whose money a load is, before, while and after nobody knows whether the card took it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from citycard.errors import LoadRefused
from citycard.ids import new_id
from citycard.ledger import Ledger, Limit
from citycard.store import open_store, reading, writing
from citycard.wallet import (
    Accounts,
    Programme,
    TopUpDesk,
    add_programme,
    card_purse,
    fund_programme,
    loads_of,
    online_account,
)
from citycard.wallet.addresses import LOSS_UNPAID_LOADS, subsidy_fund
from citycard.wallet.agents import Agent, agent_deposit, open_agent, standing_of
from citycard.wallet.expiry import expire_loads
from citycard.wallet.load import LoadMoney, LoadState
from citycard.wallet.loadbook import held_loads, lost_loads


@pytest.fixture
def desk(vault, wallet):
    return TopUpDesk(vault, wallet.ledger)


@pytest.fixture
def account(wallet, card, put_in):
    """The card's own online account, with 80 yuan."""
    Accounts(wallet).open(new_id(), card.asn)
    put_in(card.asn, 8000)
    return f"account/{card.asn}"


@pytest.fixture
def fen(wallet):
    def fen(address):
        with reading(wallet.engine) as conn:
            assert wallet.ledger.audit(conn) == []
            found = wallet.ledger.balance(conn, address)
            return found.balance_fen, found.available_fen

    return fen


@pytest.fixture
def states(wallet, card):
    def states():
        with reading(wallet.engine) as conn:
            return [(one.amount_fen, str(one.state), str(one.money)) for one in loads_of(conn, card.asn)]

    return states


@pytest.fixture
def pupils(wallet):
    """A programme with a budget of 50 yuan."""
    made = Programme(
        id="pupils",
        title="Pupils",
        funder="Office",
        partner_kinds=("food",),
        starts_on=date(2026, 1, 1),
        ends_on=date(2026, 12, 31),
    )
    with writing(wallet.engine) as conn:
        add_programme(conn, wallet.ledger, made)
    fund_programme(wallet, new_id(), made.id, 5000)
    return made.id


def expired(wallet, card, days=8):
    at = card.init(1)["at"] + timedelta(days=days)
    return expire_loads(wallet.ledger, before=at - timedelta(days=7), at=at)


def test_an_accounts_money_is_held_before_the_mac2_and_taken_with_the_proof(desk, card, account, fen, states):
    pays = desk.for_agent(account)
    asked = card.init(5000)
    mac2 = pays.begin(**asked)
    assert (fen(online_account(card.asn)), states()) == ((8000, 3000), [(5000, "pending", "held")])
    pays.confirm(card.asn, 0, card.credit(asked, mac2))
    assert (fen(online_account(card.asn)), states()) == ((3000, 3000), [(5000, "proven", "taken")])
    assert fen(card_purse(card.asn)) == (5000, 5000)


def test_an_account_without_the_money_gets_no_mac2_and_nothing_is_written(desk, card, account, fen, states):
    with pytest.raises(LoadRefused, match=r"funds.*does not have 8001 fen"):
        desk.for_agent(account).begin(**card.init(8001))
    assert (fen(online_account(card.asn)), states()) == ((8000, 8000), [])


def test_two_loads_cannot_be_promised_the_same_money(desk, card, account, fen):
    pays = desk.for_agent(account)
    pays.begin(**card.init(5000))
    with pytest.raises(LoadRefused, match="funds"):
        pays.begin(**card.init(4000))
    assert fen(online_account(card.asn)) == (8000, 3000)


def test_attempts_in_the_same_words_under_one_counter_stand_on_one_hold(desk, card, account, fen, states):
    pays = desk.for_agent(account)
    for _ in range(3):
        asked = card.init(5000)
        mac2 = pays.begin(**asked)
    assert fen(online_account(card.asn)) == (8000, 3000)
    pays.confirm(card.asn, 0, card.credit(asked, mac2))
    assert fen(online_account(card.asn)) == (3000, 3000)
    assert sorted(state for _, state, _ in states()) == ["proven", "reversed", "reversed"]


def test_a_load_that_another_took_the_place_of_gives_its_money_back(desk, card, account, fen, states):
    desk.for_agent(account).begin(**card.init(5000))
    asked = card.init(1000)
    desk.confirm(card.asn, 0, card.credit(asked, desk.begin(**asked)))
    assert sorted(states()) == [(1000, "proven", "taken"), (5000, "reversed", "returned")]
    assert fen(online_account(card.asn)) == (8000, 8000)


def test_what_the_terminal_reverses_stays_held_until_its_time_is_over(desk, wallet, card, account, fen):
    pays = desk.for_agent(account)
    pays.begin(**card.init(5000))
    pays.reverse(card.asn, 0)
    assert fen(online_account(card.asn)) == (8000, 3000)
    with reading(wallet.engine) as conn:
        assert [one.amount_fen for one in held_loads(conn)] == [5000]
    assert expired(wallet, card, days=6) == []
    (one,) = expired(wallet, card)
    assert (one.state, one.money) == (LoadState.REVERSED, LoadMoney.RETURNED)
    assert expired(wallet, card) == []
    assert fen(online_account(card.asn)) == (8000, 8000)


def test_a_card_that_shows_it_later_is_right_and_the_money_is_taken_again(desk, wallet, card, account, fen):
    pays = desk.for_agent(account)
    asked = card.init(5000)
    tac = card.credit(asked, pays.begin(**asked))
    expired(wallet, card)
    assert fen(online_account(card.asn)) == (8000, 8000)
    desk.confirm(card.asn, 0, tac)
    assert fen(online_account(card.asn)) == (3000, 3000)
    assert fen(card_purse(card.asn)) == (5000, 5000)


def test_money_that_is_gone_by_then_is_the_citys_loss_and_is_listed(desk, wallet, card, account, fen):
    pays = desk.for_agent(account)
    asked = card.init(5000)
    tac = card.credit(asked, pays.begin(**asked))
    expired(wallet, card)
    Accounts(wallet).close(new_id(), card.asn)
    for _ in range(2):
        desk.confirm(card.asn, 0, tac)
    assert (fen(card_purse(card.asn)), fen(LOSS_UNPAID_LOADS)) == ((5000, 5000), (5000, 5000))
    with reading(wallet.engine) as conn:
        assert [(one.amount_fen, one.agent) for one in lost_loads(conn)] == [(5000, account)]


def test_a_load_that_was_given_back_is_begun_anew_and_not_in_the_old_words(desk, wallet, card, account):
    pays = desk.for_agent(account)
    asked = card.init(5000)
    pays.begin(**asked)
    expired(wallet, card)
    said = r"^load refused \(given-back\): this load of card \d+ was begun .* given back: begin a new one$"
    with pytest.raises(LoadRefused, match=said):
        pays.begin(**asked)
    assert len(pays.begin(**card.init(5000))) == 4


def test_limits_are_counted_with_what_is_held(desk, card, account):
    day = Limit(key="card/x/auto/2018-09-01", max_fen=6000)
    pays = desk.for_agent(account, limits=(day,))
    asked = card.init(4000)
    pays.confirm(card.asn, 0, card.credit(asked, pays.begin(**asked)))
    with pytest.raises(LoadRefused, match="limit"):
        pays.begin(**card.init(3000))


def test_a_subsidy_programme_pays_out_of_its_budget_and_not_more(desk, card, fen, pupils):
    before, _ = fen(subsidy_fund(pupils))
    pays = desk.for_agent(f"subsidy/{pupils}")
    with pytest.raises(LoadRefused, match="funds"):
        pays.begin(**card.init(before + 1))
    asked = card.init(1000)
    pays.confirm(card.asn, 0, card.credit(asked, pays.begin(**asked)))
    assert (fen(subsidy_fund(pupils))[0], fen(card_purse(card.asn))[0]) == (before - 1000, 1000)


def test_a_refusal_for_want_of_money_keeps_what_the_counter_showed(desk, card, account, states):
    asked = card.init(3000)
    card.credit(asked, desk.begin(**asked))
    with pytest.raises(LoadRefused, match="funds"):
        desk.for_agent(account).begin(**card.init(9000))
    assert states() == [(3000, "proven", "taken")]


def test_another_process_goes_on_where_the_first_ended(desk, vault, wallet, card, account, fen):
    """Each step is taken by another engine, as another worker would."""
    asked = card.init(5000)
    mac2 = desk.for_agent(account).begin(**asked)
    url = wallet.engine.url.render_as_string(hide_password=False)
    for step in ("reverse", "confirm"):
        engine = open_store(url)
        other = TopUpDesk(vault, Ledger(engine, wallet.clock))
        if step == "reverse":
            other.reverse(card.asn, 0)
        else:
            other.confirm(card.asn, 0, card.credit(asked, mac2))
        engine.dispose()
    assert (fen(online_account(card.asn)), fen(card_purse(card.asn))) == ((3000, 3000), (5000, 5000))


# ── agents ───────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def kiosk(wallet):
    terms = Agent(id="kiosk-7", commission_bp=50, credit_fen=6000, opened_at=wallet.clock.now())
    with writing(wallet.engine) as conn:
        return open_agent(conn, wallet.ledger, terms, at=wallet.now_local())


def left_fen(wallet):
    with reading(wallet.engine) as conn:
        return standing_of(conn, wallet.ledger, "kiosk-7").quota_left_fen


def test_an_agents_quota_is_reserved_used_and_restored_by_its_deposit(desk, wallet, card, kiosk, fen):
    pays = desk.for_agent(kiosk.id)
    asked = card.init(5000)
    mac2 = pays.begin(**asked)
    assert left_fen(wallet) == 1000
    pays.confirm(card.asn, 0, card.credit(asked, mac2))
    assert (left_fen(wallet), fen("agent/kiosk-7/receivable")[0]) == (1000, 5000)
    with pytest.raises(LoadRefused, match=r"quota.*may load 1000 fen more, not 2000"):
        pays.begin(**card.init(2000))
    receipt = new_id()
    for _ in range(2):
        with writing(wallet.engine) as conn:
            agent_deposit(
                conn, wallet.ledger, kiosk.id, 5000, ref="bank/1/1", id=receipt, at=wallet.now_local()
            )
    assert (left_fen(wallet), fen("agent/kiosk-7/receivable")[0]) == (6000, 0)


def test_an_agents_quota_comes_back_with_a_load_that_was_not_done(desk, wallet, card, kiosk, fen):
    desk.for_agent(kiosk.id).begin(**card.init(5000))
    expired(wallet, card)
    assert left_fen(wallet) == 6000
    with reading(wallet.engine) as conn:
        assert wallet.ledger.balance_fen(conn, "agent/kiosk-7/receivable") == 0


def test_an_agent_owes_a_load_that_the_card_shows_after_its_quota_came_back(desk, wallet, card, kiosk, fen):
    pays = desk.for_agent(kiosk.id)
    asked = card.init(5000)
    tac = card.credit(asked, pays.begin(**asked))
    expired(wallet, card)
    pays.confirm(card.asn, 0, tac)
    assert (left_fen(wallet), fen("agent/kiosk-7/receivable")[0]) == (1000, 5000)
