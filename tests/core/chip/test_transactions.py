"""Any sequence of transactions on both purses: money in is money out, and no step is half done."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from citycard.chip import Chip, PowerLoss

sys.path.insert(0, str(Path(__file__).parent))
from pursedesk import ED, EP, OK, PurseDesk


def counting():
    """Return a random source that counts."""
    numbers = iter(range(1, 1 << 30))
    return lambda size: next(numbers).to_bytes(size, "big")


CARD = PurseDesk.issue(counting())
KINDS = ("load", "purchase", "capp", "withdraw", "unload", "limit", "fuel", "online fuel", "wrong", "image")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(KINDS),
        st.sampled_from((ED, EP)),
        st.integers(0, 3_000),
        st.none() | st.tuples(st.integers(0, 14), st.booleans()),
    ),
    max_size=12,
)


class Books:
    """What the money of a card has come to, told without a card."""

    def __init__(self):
        self.money, self.limit = {ED: 0, EP: 0}, 0
        self.got, self.gave = 0, 0

    def may_spend(self, which):
        return self.money[which] + (self.limit if which == ED else 0)

    def book(self, kind, which, amount):
        if kind == "load":
            self.money[which] += amount
            self.got += amount
        elif kind == "limit":
            self.limit = amount
        else:
            self.money[which] -= amount
            self.gave += amount


def possible(books, kind, which, amount):
    if kind == "load":
        return True
    if kind == "limit":
        return books.money[ED] + amount >= 0
    return amount <= books.may_spend(which)


def fuel(desk, which, amount):
    session, _ = desk.grey_lock(which)
    return desk.debit_for_unlock(which, session, amount, int.from_bytes(desk.lock_proof()[7:9], "big"))


def fuel_online(desk, which, amount):
    desk.grey_lock(which)
    return desk.online_unlock(which, amount)


def compose(desk, amount):
    return desk.pay(3, EP, amount, 9, "80DC00F008" + amount.to_bytes(8, "big").hex())


PLAYS = {
    "load": PurseDesk.load,
    "purchase": PurseDesk.purchase,
    "capp": lambda desk, _, amount: compose(desk, amount),
    "withdraw": lambda desk, _, amount: desk.withdraw(amount),
    "unload": lambda desk, _, amount: desk.unload(amount),
    "limit": lambda desk, _, amount: desk.set_limit(amount),
    "fuel": fuel,
    "online fuel": fuel_online,
}
ONLY = {"capp": EP, "withdraw": ED, "unload": ED, "limit": ED}


def open_again(desk):
    """Free a card whose lock a power cut left behind, as the issuer does."""
    desk.chip.eeprom.cut_after(None)
    desk.select()
    for which in (ED, EP):
        if desk.lock_proof()[0] == 1:
            desk.online_unlock(which, 0)


def seen(desk):
    return desk.balance(ED), desk.balance(EP), desk.balance(ED, 1)


@given(STEPS)
@settings(max_examples=80, deadline=None)
def test_money_in_is_money_out(steps):
    desk, books = CARD.clone(), Books()
    for kind, chosen, amount, cut in steps:
        which = ONLY.get(kind, chosen)
        if kind == "wrong":
            desk.init(1, which, 0)
            assert desk.status("805401000F" + "00" * 15 + "08") == "9302"
            continue
        if kind == "image":
            desk = PurseDesk(Chip.from_image(desk.chip.image(), desk.chip.profile)).select()
            continue
        before = seen(desk)
        if cut is not None:
            desk.chip.eeprom.cut_after(cut[0], torn=cut[1])
        try:
            answer = PLAYS[kind](desk, which, amount)
        except PowerLoss:
            open_again(desk)
            done = seen(desk) != before
        else:
            done = answer[-2:] == OK
            assert done == possible(books, kind, which, amount), (kind, amount, answer.hex())
            assert done or answer.hex() == "9401"
        open_again(desk)
        if done:
            books.book(kind, which, amount)
        assert seen(desk) == (books.may_spend(ED), books.may_spend(EP), books.limit)
    assert books.got - books.gave == sum(books.money.values())
    assert desk.balance(ED) - desk.balance(ED, 1) + desk.balance(EP) == books.got - books.gave


@given(
    st.sampled_from(
        (
            b"\x80\x50",
            b"\x80\x52",
            b"\x80\x54",
            b"\x80\x58",
            b"\x80\xdc",
            b"\xe0\x7a",
            b"\xe0\x7c",
            b"\xe0\x7e",
            b"\xe0\xca",
        )
    ),
    st.binary(max_size=40),
)
@settings(max_examples=200)
def test_any_bytes_get_an_answer_and_no_money(head, rest):
    desk = CARD.clone()
    before = desk.state()
    answer = desk.send(head + rest)
    assert len(answer) >= 2
    assert desk.select().state() == before


def test_the_counters_say_how_many_transactions_there_were():
    desk = CARD.clone()
    desk.load(ED, 1_000)
    for _ in range(3):
        desk.purchase(ED, 1)
    session, _ = desk.grey_lock(ED)
    desk.debit_for_unlock(ED, session, 1, 3)
    desk.unload(1)
    desk.set_limit(1)
    assert desk.counters(ED) == (3, 4)
    assert desk.counters(EP) == (0, 0)
