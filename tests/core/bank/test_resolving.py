from __future__ import annotations

import datetime as dt

import pytest
from camtwriter import Bank, Booked

from citycard.bank import How, Resolution, instruct, receive, reconcile, resolve, take
from citycard.bank.cases import find_cases, history
from citycard.bank.codes import BankCode, CaseState
from citycard.bank.payments import find_payment, payments
from citycard.errors import (
    BankPaymentUnknown,
    CaseClosed,
    CaseStepConflict,
    CaseTaken,
    CaseUnknown,
    ResolutionRefused,
)
from citycard.ids import new_id
from citycard.store import reading, writing
from citycard.wallet.agents import Agent, open_agent

DAY = dt.date(2026, 11, 24)
METRO, SHOP, UNMATCHED = "partner/metro/payable", "partner/shop/payable", "bank/unmatched"


@pytest.fixture
def hear(treasury):
    """Take in a day of the bank, and give the exceptions that it opens, the largest amount last."""
    bank = Bank("6222000011112222", 150_000)

    def heard(*booked, day=DAY):
        receive(treasury, bank.day(day, *booked))
        with reading(treasury.engine) as conn:
            return sorted(find_cases(conn), key=lambda one: one.amount_fen)

    return heard


def done(treasury, case, how, step=None, actor="li", **facts):
    wish = Resolution(how=how, **{"reason": "asked the bank"} | facts)
    found = resolve(treasury, case.id, wish, actor=actor, step=step or new_id())
    assert treasury.audit() == []
    assert reconcile(treasury).unexplained_fen == 0
    return found


def state_of(treasury, payment):
    with reading(treasury.engine) as conn:
        return find_payment(conn, payment.id).state.value


def test_money_that_is_somebodys_is_posted_to_its_account(treasury, hear):
    (case,) = hear(Booked(signed=700, day=DAY, text="for the shop"))
    assert done(treasury, case, How.POSTED, account=SHOP).how == "posted"
    assert (treasury.balance(SHOP), treasury.balance(UNMATCHED)) == (50_700, 0)


def test_money_that_left_for_no_reason_is_posted_to_who_bears_it(treasury, hear):
    (case,) = hear(Booked(signed=-700, day=DAY))
    done(treasury, case, How.POSTED, account="expense/bank-charges")
    assert (treasury.balance("expense/bank-charges"), treasury.balance(UNMATCHED)) == (700, 0)


def test_a_deposit_that_the_bank_takes_back_is_taken_from_the_agents_quota_once(treasury, hear):
    now = treasury.clock.now()
    with writing(treasury.engine) as conn:
        open_agent(conn, treasury.ledger, Agent(id="kiosk", opened_at=now), at=now.replace(tzinfo=None))
    (paid,) = hear(Booked(signed=700, day=DAY))
    done(treasury, paid, How.POSTED, account="agent/kiosk/receivable")
    assert treasury.balance("agent/kiosk/quota") == 700
    (reversed_,) = hear(Booked(signed=-900, day=DAY), day=DAY + dt.timedelta(days=1))
    step = new_id()
    for _ in range(2):
        done(treasury, reversed_, How.POSTED, step=step, account="agent/kiosk/receivable")
    assert (treasury.balance("agent/kiosk/receivable"), treasury.balance("agent/kiosk/quota")) == (200, -200)


def test_a_line_without_its_reference_is_matched_by_hand(treasury, hear):
    payment = treasury.order(1, 30_000)
    instruct(treasury)
    (case,) = hear(Booked(signed=-30_000, day=DAY, text="transfer"))
    done(treasury, case, How.MATCHED, payment=payment.end_to_end)
    assert (state_of(treasury, payment), treasury.balance("transit/settlement")) == ("settled", 0)
    (back,) = hear(Booked(signed=30_000, day=DAY, text="back"), day=DAY + dt.timedelta(days=1))
    done(treasury, back, How.MATCHED, payment=str(payment.id))
    assert (state_of(treasury, payment), treasury.balance(METRO)) == ("returned", 100_000)


@pytest.mark.parametrize("booked_fen", [30_020, 29_990])
def test_a_difference_goes_to_the_account_that_is_named(treasury, hear, booked_fen):
    payment = treasury.order(1, 30_000)
    instruct(treasury)
    (case,) = hear(Booked(signed=-booked_fen, day=DAY, end_to_end=payment.end_to_end))
    with pytest.raises(ResolutionRefused, match="the amounts differ"):
        done(treasury, case, How.MATCHED, payment=payment.end_to_end)
    done(treasury, case, How.MATCHED, payment=payment.end_to_end, account="expense/bank-charges")
    assert treasury.balance("expense/bank-charges") == booked_fen - 30_000
    assert (treasury.balance(UNMATCHED), treasury.balance("transit/settlement")) == (0, 0)


def test_a_strangers_money_is_paid_back_and_may_come_back_again(treasury, hear):
    (case,) = hear(Booked(signed=700, day=DAY, name="Stranger", account="12345"))
    done(treasury, case, How.PAID_BACK)
    instruct(treasury)
    with reading(treasury.engine) as conn:
        (payment,) = payments(conn)
    assert (payment.kind, payment.creditor.account, payment.amount_fen) == ("repayment", "12345", 700)
    tuesday = DAY + dt.timedelta(days=1)
    (again,) = hear(
        Booked(signed=-700, day=DAY, end_to_end=payment.end_to_end),
        Booked(signed=700, day=DAY, end_to_end=payment.end_to_end, why="AC04"),
        day=tuesday,
    )
    assert (again.code, treasury.balance(UNMATCHED)) == (BankCode.M06.name, 700)
    done(treasury, again, How.POSTED, account=SHOP)
    assert (treasury.balance(UNMATCHED), treasury.balance("transit/settlement")) == (0, 0)


def test_the_desks_cash_that_came_without_its_reference_is_not_counted_twice(treasury, hear):
    (case,) = hear(Booked(signed=700, day=DAY))
    desk_fen = reconcile(treasury).desk_fen
    done(treasury, case, How.POSTED, account="trust/bank")
    assert (treasury.balance("trust/bank"), reconcile(treasury).desk_fen) == (150_000, desk_fen - 700)


def test_a_payment_that_the_bank_never_executed_is_owed_again(treasury, hear):
    payment = treasury.order(1, 30_000)
    instruct(treasury)
    (case,) = hear(day=dt.date(2026, 11, 30))
    with pytest.raises(ResolutionRefused, match="nothing else fits it"):
        done(treasury, case, How.POSTED, account=SHOP)
    done(treasury, case, How.NOT_PAID)
    assert (state_of(treasury, payment), treasury.balance(METRO)) == ("returned", 100_000)
    assert treasury.balance("transit/settlement") == 0


@pytest.mark.parametrize(
    ("how", "facts", "words"),
    [
        (How.POSTED, {}, "name the ledger account"),
        (How.POSTED, {"account": "nobody"}, "no account nobody"),
        (How.POSTED, {"account": UNMATCHED}, "not one that money belongs to"),
        (How.POSTED, {"account": SHOP, "reason": " "}, "say why"),
        (How.MATCHED, {}, "name the payment"),
        (How.PAID_BACK, {}, "name whom to pay"),
        (How.NOT_PAID, {}, "only a payment that is missing"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(treasury, hear, how, facts, words):
    (case,) = hear(Booked(signed=700, day=DAY))
    with pytest.raises(ResolutionRefused, match=words):
        done(treasury, case, how, **facts)
    with reading(treasury.engine) as conn:
        assert [one.state for one in find_cases(conn)] == [CaseState.OPEN]
    assert treasury.balance(UNMATCHED) == 700


def test_a_payment_that_is_none_or_booked_already_is_refused(treasury, hear):
    payment = treasury.order(1, 30_000)
    instruct(treasury)
    hear(Booked(signed=-30_000, day=DAY, end_to_end=payment.end_to_end))
    (case,) = hear(Booked(signed=-30_000, day=DAY), day=DAY + dt.timedelta(days=1))
    with pytest.raises(ResolutionRefused, match="is settled already"):
        done(treasury, case, How.MATCHED, payment=payment.end_to_end)
    with pytest.raises(BankPaymentUnknown):
        done(treasury, case, How.MATCHED, payment="nothing")


def test_every_step_is_kept_and_done_once(treasury, hear):
    (case,) = hear(Booked(signed=700, day=DAY))
    first, second, last = new_id(), new_id(), new_id()
    for _ in range(2):
        take(treasury, case.id, actor="wang", step=first)
    with pytest.raises(CaseTaken, match="wang"):
        done(treasury, case, How.POSTED, account=SHOP)
    with pytest.raises(CaseTaken, match=r"has been with wang since [-0-9]{10} [:0-9]{5}: .*--from-other"):
        take(treasury, case.id, actor="li", step=second)
    take(treasury, case.id, actor="li", step=second, from_other=True)
    for _ in range(2):
        done(treasury, case, How.POSTED, step=last, account=SHOP)
    with pytest.raises(CaseClosed, match="posted"):
        done(treasury, case, How.POSTED, account=SHOP)
    with pytest.raises(CaseClosed):
        take(treasury, case.id, actor="wang", step=new_id())
    with reading(treasury.engine) as conn:
        steps = [(one.what, one.actor, one.detail) for one in history(conn, case.id)]
        assert find_cases(conn) == []
        assert [one.id for one in find_cases(conn, resolved_too=True)] == [case.id]
    assert [step[:2] for step in steps] == [
        ("opened", "citycard"),
        ("taken", "wang"),
        ("taken", "li"),
        ("resolved", "li"),
    ]
    assert steps[2][2] == "from wang"
    assert treasury.balance(SHOP) == 50_700


def test_an_id_that_stands_for_another_step_is_refused_and_posts_nothing(treasury, hear):
    small, large = hear(Booked(signed=700, day=DAY), Booked(signed=900, day=DAY))
    taken, resolved = new_id(), new_id()
    take(treasury, small.id, actor="li", step=taken)
    with pytest.raises(CaseStepConflict, match="another deed"):
        done(treasury, small, How.POSTED, step=taken, account=SHOP)
    with pytest.raises(CaseStepConflict, match="another actor"):
        take(treasury, small.id, actor="wang", step=taken)
    done(treasury, small, How.POSTED, step=resolved, account=SHOP)
    with pytest.raises(CaseStepConflict, match="another content"):
        done(treasury, small, How.POSTED, step=resolved, account=METRO)
    with pytest.raises(CaseStepConflict, match="another case"):
        done(treasury, large, How.POSTED, step=resolved, account=SHOP)
    with reading(treasury.engine) as conn:
        assert [(one.id, one.state) for one in find_cases(conn)] == [(large.id, CaseState.OPEN)]
    assert (treasury.balance(SHOP), treasury.balance(UNMATCHED)) == (50_700, 900)


def test_an_exception_that_is_none_is_said(treasury):
    with pytest.raises(CaseUnknown):
        take(treasury, new_id(), actor="li", step=new_id())


def test_an_exception_ages_in_business_days(treasury, hear):
    (case,) = hear(Booked(signed=700, day=DAY), day=dt.date(2026, 11, 27))
    calendar = treasury.bank_terms.calendar
    days = [dt.date(2026, 11, 27), dt.date(2026, 11, 29), dt.date(2026, 11, 30)]
    assert [case.age(calendar, day) for day in days] == [0, 0, 1]
