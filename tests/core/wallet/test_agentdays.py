"""A load agent's day is closed once, with everything that was proven and stood in no statement yet."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

import pytest

from citycard.errors import ActDiffers, AgentConflict, AgentUnknown, DayNotClosable
from citycard.ids import new_id
from citycard.store import reading, writing
from citycard.wallet import Load, LoadState, Proof
from citycard.wallet.agentdays import agent_days, close_agent_day
from citycard.wallet.agents import (
    Agent,
    agent_deposit,
    agents,
    find_agent,
    open_agent,
    set_credit,
    standing_of,
)
from citycard.wallet.loadbook import keep

MONDAY = date(2026, 11, 23)
ASN = "01042910000000000017"


@pytest.fixture
def kiosk(wallet):
    return opened(wallet, "kiosk-7")


def opened(wallet, name, *, commission_bp=50, credit_fen=100_000):
    terms = Agent(id=name, commission_bp=commission_bp, credit_fen=credit_fen, opened_at=wallet.clock.now())
    with writing(wallet.engine) as conn:
        return open_agent(conn, wallet.ledger, terms, at=wallet.now_local())


@pytest.fixture
def loaded(wallet, kiosk):
    """Return a function that begins a load at the agent on a day, and proves it unless told otherwise."""
    count = []

    def load(fen, day, *, proven=True):
        count.append(fen)
        one = Load(
            id=UUID(int=len(count)),
            asn=ASN,
            online_atc=len(count),
            key_version=1,
            amount_fen=fen,
            balance_before_fen=0,
            terminal="1" * 12,
            agent=kiosk.id,
            at=datetime.combine(day, datetime.min.time()) + timedelta(hours=9),
            mac1="01020304",
        )
        with writing(wallet.engine) as conn:
            (one,) = keep(conn, wallet.ledger, [one])
        if proven:
            prove(wallet, one)
        return one

    return load


def prove(wallet, one):
    with writing(wallet.engine) as conn:
        keep(conn, wallet.ledger, [one.settled(LoadState.PROVEN, Proof.COUNTER)])


def close(wallet, day, name="kiosk-7"):
    with writing(wallet.engine) as conn:
        return close_agent_day(conn, wallet.ledger, name, day, actor="anna", at=wallet.now_local())


def standing(wallet, name="kiosk-7"):
    with reading(wallet.engine) as conn:
        assert wallet.ledger.audit(conn) == []
        return standing_of(conn, wallet.ledger, name)


def test_a_day_says_what_was_loaded_earned_and_is_to_be_handed_over(wallet, loaded):
    for fen in (5000, 3000, 1999):
        loaded(fen, MONDAY)
    made = close(wallet, MONDAY)
    assert (made.loads, made.amount_fen, made.commission_fen, made.hand_over_fen) == (3, 9999, 49, 9950)
    now = standing(wallet)
    assert (now.owed_fen, now.unclosed_loads, now.quota_left_fen) == (9950, 0, 100_000 - 9999 + 49)


def test_a_day_is_closed_once(wallet, loaded):
    loaded(5000, MONDAY)
    first = close(wallet, MONDAY)
    assert close(wallet, MONDAY) == first
    assert standing(wallet).owed_fen == 4975
    with reading(wallet.engine) as conn:
        assert agent_days(conn, "kiosk-7") == [first]


def test_what_is_proven_late_stands_in_the_next_day_that_is_closed(wallet, loaded):
    late = loaded(5000, MONDAY, proven=False)
    loaded(1000, MONDAY)
    assert standing(wallet).open_fen == 5000
    assert close(wallet, MONDAY).amount_fen == 1000
    prove(wallet, late)
    loaded(2000, MONDAY + timedelta(days=1))
    made = close(wallet, MONDAY + timedelta(days=1))
    assert (made.loads, made.late, made.amount_fen) == (2, 1, 7000)


def test_a_day_that_broke_off_is_closed_whole_the_next_time(wallet, loaded):
    loaded(5000, MONDAY)
    conn = wallet.engine.connect()
    close_agent_day(conn, wallet.ledger, "kiosk-7", MONDAY, actor="anna", at=wallet.now_local())
    conn.close()  # the process ends before the commit
    assert standing(wallet).owed_fen == 5000
    assert close(wallet, MONDAY).hand_over_fen == 4975


def test_neither_a_day_to_come_nor_one_before_a_closed_one_is_closed(wallet, loaded):
    loaded(5000, MONDAY)
    with pytest.raises(DayNotClosable, match="it is still 2026-11-28"):
        close(wallet, date(2026, 11, 29))
    close(wallet, MONDAY)
    with pytest.raises(DayNotClosable, match="2026-11-23 is closed"):
        close(wallet, MONDAY - timedelta(days=1))


def test_an_agent_that_pays_ahead_loads_what_it_paid(wallet):
    opened(wallet, "prepaid", credit_fen=0)
    assert standing(wallet, "prepaid").quota_left_fen == 0
    paid = new_id()
    for expected in (True, False):
        with writing(wallet.engine) as conn:
            new = agent_deposit(
                conn, wallet.ledger, "prepaid", 7000, ref="bank/1/1", id=paid, at=wallet.now_local()
            )
        assert new is expected
    now = standing(wallet, "prepaid")
    assert (now.quota_left_fen, now.owed_fen) == (7000, -7000)
    with reading(wallet.engine) as conn:
        assert wallet.ledger.find(conn, [paid]) == {}, "a client's id is none of the ledger's"


def test_another_credit_line_is_given_once_under_its_id(wallet, kiosk):
    given = new_id()
    for _ in range(2):
        with writing(wallet.engine) as conn:
            set_credit(conn, wallet.ledger, kiosk.id, 40_000, id=given, at=wallet.now_local())
    now = standing(wallet)
    assert (now.quota_left_fen, now.agent.credit_fen) == (40_000, 40_000)


def test_a_credit_line_that_is_sent_again_late_undoes_no_later_one(wallet, kiosk):
    def give(fen, identity):
        with writing(wallet.engine) as conn:
            return set_credit(conn, wallet.ledger, kiosk.id, fen, id=identity, at=wallet.now_local())

    first, second = new_id(), new_id()
    give(100_000, first)  # as it is already
    give(50_000, second)
    assert give(100_000, first).credit_fen == 50_000
    for fen, identity in ((70_000, first), (60_000, second)):
        with pytest.raises(ActDiffers, match="another agent credit"):
            give(fen, identity)
    now = standing(wallet)
    assert (now.quota_left_fen, now.agent.credit_fen) == (50_000, 50_000)


def test_an_agent_is_opened_once_and_not_with_other_terms(wallet, kiosk):
    assert opened(wallet, kiosk.id) == kiosk
    with pytest.raises(AgentConflict, match="commission_bp is 50, not 60"):
        opened(wallet, kiosk.id, commission_bp=60)
    with reading(wallet.engine) as conn:
        assert [one.id for one in agents(conn)] == ["kiosk-7"]
        with pytest.raises(AgentUnknown, match="citycard agent open"):
            find_agent(conn, "nobody")
