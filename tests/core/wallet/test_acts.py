"""One id, one answer: done once, refused once, and nothing half-done wherever the power fails."""

from contextlib import contextmanager, suppress
from itertools import count
from threading import Thread

import pytest
from sqlalchemy import event, func, select

from citycard.errors import AccountNotOpen, ActDiffers, ActGivenUp, FundsMissing
from citycard.ids import new_id
from citycard.store import reading, writing
from citycard.wallet import Accounts, Payee, Payments, account_subsidy, online_account, partner_payable
from citycard.wallet.acts import Act, give_up, once
from citycard.wallet.tables import payment, wallet_act

SHOP = Payee(partner="shop", kind="food")


class PowerCutError(Exception):
    pass


@contextmanager
def power_cut(engine, after):
    """Fail the statement number ``after``, and say how many there were when none failed."""
    counted = []

    def count_one(*_):
        counted.append(1)
        if len(counted) == after:
            raise PowerCutError

    event.listen(engine, "before_cursor_execute", count_one)
    try:
        yield counted
    finally:
        event.remove(engine, "before_cursor_execute", count_one)


def rows(engine, table):
    with reading(engine) as conn:
        return conn.scalar(select(func.count()).select_from(table))


def test_what_was_done_is_not_done_again(wallet, opened):
    number, identity = opened(1, 10_000), new_id()
    first, again = (Payments(wallet).pay(identity, number, SHOP, 4000) for _ in range(2))
    assert first == again
    with reading(wallet.engine) as conn:
        assert wallet.ledger.balance_fen(conn, online_account(number)) == 6000


def test_a_refusal_stays_though_the_money_is_there_later(wallet, opened, put_in):
    number, identity = opened(1, 100), new_id()
    for _ in range(2):
        with pytest.raises(FundsMissing, match="has 100 fen for this: 4000 fen are wanted"):
            Payments(wallet).pay(identity, number, SHOP, 4000)
        put_in(number, 10_000)
    assert Payments(wallet).pay(new_id(), number, SHOP, 4000).amount_fen == 4000


def test_a_refusal_that_stays_remembers_the_words_it_was_made_of(wallet, opened):
    number, identity = opened(1, 100), new_id()
    Accounts(wallet).freeze(new_id(), number)
    said = []
    for _ in range(2):
        with pytest.raises(AccountNotOpen) as refused:
            Payments(wallet).pay(identity, number, SHOP, 40)
        said.append(refused.value.phrase.parts["reason"])
    assert said[0] == said[1] == "is frozen: nothing is paid from it"
    assert said[0].parts == said[1].parts == {"status": "frozen"}


@pytest.mark.parametrize("change", [{"amount_fen": 1}, {"payee": Payee(partner="bus")}, {"note": "tea"}])
def test_an_id_stands_for_one_thing(wallet, opened, change):
    number, identity = opened(1, 10_000), new_id()
    asked = {"payee": SHOP, "amount_fen": 4000}
    Payments(wallet).pay(identity, number, **asked)
    with pytest.raises(ActDiffers, match=f"id {identity} stands for another pay already"):
        Payments(wallet).pay(identity, number, **asked | change)


def test_a_payment_that_is_cut_off_anywhere_is_simply_made_again(wallet, opened, clock, give_meals):
    number = opened(1, 10_000)
    give_meals(number, 1500)
    Payments(wallet).pay(new_id(), number, SHOP, 1000)
    done = False
    for after in count(1):
        identity = new_id()
        before = money(wallet, number)
        with suppress(PowerCutError), power_cut(wallet.engine, after):
            Payments(wallet).pay(identity, number, SHOP, 100)
            done = True
        # A statement after the commit only reads what was paid.
        assert money(wallet, number) in (before, moved(before, 100))
        assert Payments(wallet).pay(identity, number, SHOP, 100).amount_fen == 100
        assert money(wallet, number) == moved(before, 100)
        if done:
            break
    assert after > 8
    with reading(wallet.engine) as conn:
        assert wallet.ledger.audit(conn) == []


def moved(before, amount_fen):
    meals, own, paid = before
    from_meals = min(meals, amount_fen)
    return meals - from_meals, own - amount_fen + from_meals, paid + amount_fen


def money(wallet, number):
    with reading(wallet.engine) as conn:
        return tuple(
            wallet.ledger.balance_fen(conn, address)
            for address in (account_subsidy(number, "meals"), online_account(number), partner_payable("shop"))
        )


@pytest.mark.postgresql
def test_the_same_request_sent_many_times_at_once_is_done_once(wallet, opened):
    number, identity = opened(1, 10_000), new_id()
    threads = [Thread(target=Payments(wallet).pay, args=(identity, number, SHOP, 3000)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rows(wallet.engine, payment) == 1
    with reading(wallet.engine) as conn:
        assert wallet.ledger.balance_fen(conn, online_account(number)) == 7000


def test_what_was_given_up_never_happens_whatever_is_asked_for_under_its_id(wallet, opened):
    number, identity = opened(1, 10_000), new_id()
    for _ in range(2):
        with writing(wallet.engine) as conn:
            assert give_up(conn, identity, wallet.clock.now(), number=number, actor="job")
    for amount_fen in (4000, 1):
        with pytest.raises(ActGivenUp, match=f"id {identity} was given up"):
            Payments(wallet).pay(identity, number, SHOP, amount_fen)


def test_what_was_answered_is_not_given_up(wallet, opened):
    number, paid, refused = opened(1, 10_000), new_id(), new_id()
    Payments(wallet).pay(paid, number, SHOP, 4000)
    with pytest.raises(FundsMissing):
        Payments(wallet).pay(refused, number, SHOP, 40_000)
    with writing(wallet.engine) as conn:
        gone = [give_up(conn, identity, wallet.clock.now()) for identity in (paid, refused)]
    assert gone == [False, True]
    assert Payments(wallet).pay(paid, number, SHOP, 4000).amount_fen == 4000
    with pytest.raises(FundsMissing):
        Payments(wallet).pay(refused, number, SHOP, 40_000)


@pytest.mark.postgresql
def test_of_a_payment_and_giving_it_up_at_once_one_is_the_answer(wallet, opened):
    number = opened(1, 10_000)
    for _ in range(8):
        identity, gone = new_id(), []

        def pay(identity=identity):
            with suppress(ActGivenUp):
                Payments(wallet).pay(identity, number, SHOP, 1)

        def stop(identity=identity, gone=gone):
            with writing(wallet.engine) as conn:
                gone.append(give_up(conn, identity, wallet.clock.now()))

        threads = [Thread(target=pay), Thread(target=stop)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with reading(wallet.engine) as conn:
            paid = conn.scalar(select(func.count()).where(payment.c.id == identity))
        assert gone == [not paid]


def test_what_is_done_is_written_down_with_who_asked(wallet):
    act = Act(id=new_id(), kind="test", number="1", actor="clerk 7")
    assert [once(wallet, act, lambda _: None) for _ in range(2)] == [True, False]
    with writing(wallet.engine) as conn:
        (row,) = conn.execute(select(wallet_act)).all()
    assert (row.kind, row.number, row.actor, row.refusal, row.at) == ("test", "1", "clerk 7", None, row.at)
