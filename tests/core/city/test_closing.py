"""A card's life against a tiny model of its own: states legal, money conserved, each step taken once.

The model keeps what a clerk would write on paper: where each card is, what is on it, what was taken and paid.
It knows nothing of accounts. Every step of the office is also broken off at every statement of its
transaction, and taken again.
"""

# Over 400 lines because the paper and every way that money takes are one model.

from __future__ import annotations

import datetime as dt
import random
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache, partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import event

from citycard import registry
from citycard.city import City
from citycard.city.cardmoney import CardMoney
from citycard.city.closing import pay_out, settle_due
from citycard.city.office import Office
from citycard.clock import FixedClock
from citycard.errors import CardNotOwed, OfficeRefused, StatusRefused
from citycard.ids import new_id
from citycard.ledger import AccountCode, AccountSpec, Transfer, TransferCode
from citycard.registry import CardStatus
from citycard.store import reading, writing
from citycard.wallet import INCOME_CARDS, LOSS_LATE_TAPS, TRUST_BANK, card_deposit, card_purse, card_refund

pytestmark = pytest.mark.usefixtures("bazaar")

DAY = dt.date(2018, 9, 1)
CARDS = [f"010199010000000000{number:02d}" for number in range(1, 4)]
DEPOSIT, PRICE, FEE, DAYS = 2000, 300, 500, 3
SHOP = "partner/shop/payable"
CITY = f"""\
[city]
name = "Card town"
code = "9901"
[cards]
clearing_days = {DAYS}
replacement_fee_fen = {FEE}
[plugins]
allow = ["bazaar"]
enable = ["bazaar"]
[[plugins.bazaar.products]]
name = "standard"
title = "City card"
deposit_fen = {DEPOSIT}
price_fen = {PRICE}
"""


MORNING = dt.datetime(2018, 9, 1, 4, 0, tzinfo=dt.UTC)


def made_city(folder, store_url=None):
    store = f'[store]\nurl = "{store_url}"\n' if store_url else ""
    (folder / "template.toml").write_text(CITY + store)
    city = City.create(folder / "town", folder / "template.toml", clock=FixedClock(MORNING))
    city.issuing.publish()
    stock = [
        registry.Card(
            asn=asn,
            issuer=city.config.city.issuer,
            product="standard",
            kind=1,
            issued_on=DAY,
            expires_on=DAY.replace(year=2028),
            status=CardStatus.STOCK,
        )
        for asn in CARDS
    ]
    with writing(city.engine) as conn:
        registry.add_cards(conn, stock)
    return city


@cache
def stocked():
    """A folder with a city and its stock, to be copied; it goes when the process does."""
    folder = tempfile.TemporaryDirectory()
    made_city(Path(folder.name)).close()
    return folder


def copied_city(folder):
    shutil.copytree(Path(stocked().name) / "town", folder / "town")
    return City.open(folder / "town", clock=FixedClock(MORNING))


def moved(city, debit, credit, fen, code):
    """Post what the top-up desk and clearing post."""
    at, codes = city.now_local(), {TRUST_BANK: AccountCode.TRUST_BANK, SHOP: AccountCode.PAYABLE_TO_PARTNERS}
    with writing(city.engine) as conn:
        specs = [
            AccountSpec(address=one, code=codes.get(one, AccountCode.CARD_FLOAT)) for one in (debit, credit)
        ]
        city.ledger.open_accounts(conn, specs)
        move = Transfer(
            id=new_id(),
            debit_address=debit,
            credit_address=credit,
            amount_fen=fen,
            code=code,
            event_time=at,
            business_date=at.date(),
        )
        city.ledger.post_all(conn, [move])


def balances(city, *addresses):
    with reading(city.engine) as conn:
        return tuple(CardMoney(city, conn).balance_fen(address) for address in addresses)


class CardLife(RuleBasedStateMachine):
    """Clerks, citizens and shops, in any order; the paper on the left, the city on the right."""

    cards = st.sampled_from(CARDS)

    @initialize()
    def open(self):
        self.folder = tempfile.TemporaryDirectory()
        self.city = copied_city(Path(self.folder.name))
        self.office = Office(self.city, "anna")
        self.status = dict.fromkeys(CARDS, "stock")
        self.was_out = dict.fromkeys(CARDS, False)
        self.on_card = dict.fromkeys(CARDS, 0)
        self.deposit = dict.fromkeys(CARDS, 0)
        self.owed = dict.fromkeys(CARDS, 0)
        self.due = {}
        self.successor = {}
        self.day = self.cash = self.income = self.loss = self.shop = 0

    def teardown(self):
        if hasattr(self, "city"):
            self.city.close()
            self.folder.cleanup()

    def says(self, allowed, step, *refusals):
        """Take a step twice: it is done once, or refused as the paper says."""
        for _ in range(2):
            if allowed:
                step()
            else:
                with pytest.raises(refusals):
                    step()

    @rule(asn=cards)
    def issue(self, asn):
        before = self.status[asn]
        self.says(before in {"stock", "issued"}, lambda: self.office.issue(asn), OfficeRefused)
        if before == "stock":
            self.status[asn], self.was_out[asn] = "issued", True
            self.deposit[asn] = DEPOSIT
            self.cash += DEPOSIT + PRICE
            self.income += PRICE

    @rule(asn=cards)
    def lose(self, asn):
        allowed = self.status[asn] in {"issued", "lost"}
        self.says(allowed, lambda: self.office.lost(asn), StatusRefused)
        if allowed:
            self.status[asn] = "lost"

    @rule(asn=cards)
    def block(self, asn):
        allowed = self.status[asn] in {"stock", "issued", "lost", "blocked"}
        self.says(allowed, lambda: self.office.block(asn, reason="test"), StatusRefused)
        if allowed:
            self.status[asn] = "blocked"

    @rule(asn=cards)
    def unblock(self, asn):
        allowed = self.status[asn] not in {"replaced", "returned"}
        self.says(allowed, lambda: self.office.unblock(asn, reason="test"), StatusRefused)
        if allowed and self.status[asn] in {"lost", "blocked"}:
            self.status[asn] = "issued" if self.was_out[asn] else "stock"

    @rule(old=cards, new=cards)
    def replace(self, old, new):
        if old == new:
            return
        out = self.was_out[old] and self.status[old] in {"issued", "lost", "blocked"}
        allowed = (out and self.status[new] == "stock") or self.successor.get(old) == new
        self.says(allowed, lambda: self.office.replace(old, new, reason="test"), OfficeRefused)
        if allowed and old not in self.due:
            self.status |= {old: "replaced", new: "issued"}
            self.was_out[new] = True
            self.successor[old], self.due[old] = new, self.day + DAYS
            self.deposit |= {old: 0, new: self.deposit[old]}
            self.cash += FEE
            self.income += FEE

    @rule(asn=cards)
    def give_back(self, asn):
        out = self.was_out[asn] and self.status[asn] in {"issued", "lost", "blocked", "returned"}
        self.says(out, lambda: self.office.give_back(asn), OfficeRefused)
        if out and asn not in self.due:
            self.status[asn], self.due[asn] = "returned", self.day + DAYS

    @rule(asn=cards, fen=st.integers(1, 9000))
    def load(self, asn, fen):
        if self.status[asn] == "issued":
            moved(self.city, TRUST_BANK, card_purse(asn), fen, TransferCode.LOAD)
            self.on_card[asn] += fen
            self.cash += fen

    @rule(asn=cards, fen=st.integers(1, 9000))
    def tap(self, asn, fen):
        """A tap arrives, from whenever: also of a card that was given up long ago."""
        if self.was_out[asn]:
            moved(self.city, card_purse(asn), SHOP, fen, TransferCode.SPEND)
            self.on_card[asn] -= fen
            self.shop += fen

    @rule(days=st.integers(1, 4))
    def wait(self, days):
        self.day += days
        self.city.clock.moment += dt.timedelta(days=days)

    @rule()
    def settle(self):
        for _ in range(2):
            settle_due(self.city, actor="anna")
        for asn, due in self.due.items():
            if due > self.day:
                continue
            with_deposit = self.status[asn] == "returned"
            if with_deposit:
                self.on_card[asn] += self.deposit[asn]
                self.deposit[asn] = 0
            if self.on_card[asn] < 0:
                self.loss -= self.on_card[asn]
            else:
                self.owed[asn] += self.on_card[asn]
            self.on_card[asn] = 0

    @rule(asn=cards)
    def pay(self, asn):
        self.settle()
        allowed = asn in self.due and self.due[asn] <= self.day
        self.says(allowed, lambda: pay_out(self.city, asn, actor="anna"), CardNotOwed)
        if allowed:
            self.cash -= self.owed[asn]
            self.owed[asn] = 0

    @invariant()
    def the_city_says_what_the_paper_says(self):
        if not hasattr(self, "city"):
            return
        with reading(self.city.engine) as conn:
            found = registry.cards_by_asn(conn, CARDS)
            listed = registry.blacklist_at(conn, registry.blacklist_number(conn))
            assert self.city.ledger.audit(conn) == []
        assert {asn: str(found[asn].status) for asn in CARDS} == self.status
        assert listed == {asn for asn in CARDS if self.status[asn] not in {"stock", "issued"}}
        for asn in CARDS:
            told = balances(self.city, card_purse(asn), card_deposit(asn), card_refund(asn))
            assert told == (self.on_card[asn], self.deposit[asn], self.owed[asn])
        told = balances(self.city, TRUST_BANK, INCOME_CARDS, LOSS_LATE_TAPS, SHOP)
        assert told == (self.cash, self.income, self.loss, self.shop)


CardLife.TestCase.settings = settings(
    max_examples=15, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestCardLife = CardLife.TestCase

#: One walk through every way that money takes; chance above finds the rest, and may miss one of these.
WALKS = {
    "lost, replaced and transferred": (
        "issue A, load A 5000, tap A 380, lose A, replace A B, wait 2, settle, tap A 20, wait 2, "
        "settle, pay A, tap A 100, settle, load B 700, tap B 50, pay A"
    ),
    "returned": (
        "issue A, load A 900, give_back A, tap A 100, wait 4, settle, pay A, tap A 10, settle, pay A"
    ),
    "late taps before and after the paying": (
        "issue A, load A 900, give_back A, wait 4, settle, tap A 30, pay A"
    ),
    "a deposit that covers what was spent": (
        "issue A, load A 100, tap A 800, give_back A, wait 4, settle, pay A"
    ),
    "a deposit that does not": "issue A, tap A 2500, give_back A, wait 4, settle, pay A",
    "a replaced card that spent too much": "issue A, tap A 700, replace A B, wait 4, settle, pay A",
    "a deposit that goes from card to card": (
        "issue A, load A 40, block A, replace A B, load B 60, lose B, replace B C, give_back C, "
        "wait 4, settle, pay A, pay B, pay C"
    ),
    "lost and found": (
        "issue A, load A 300, lose A, unblock A, tap A 100, block A, unblock A, lose A, give_back "
        "A, wait 4, settle, pay A"
    ),
    "two at a time": (
        "issue A, issue B, load A 11, load B 22, give_back A, replace B C, wait 4, settle, pay B, pay A"
    ),
    "blocked in the stock": (
        "block A, replace A B, give_back A, unblock A, issue A, give_back A, wait 4, pay A"
    ),
}


@pytest.mark.parametrize("walk", WALKS.values(), ids=list(WALKS))
def test_the_paper_and_the_city_agree_on_every_way_that_money_takes(walk):
    cards = dict(zip("ABC", CARDS, strict=True))
    life = CardLife()
    life.open()
    try:
        for step in walk.split(", "):
            name, *words = step.split()
            getattr(life, name)(*(cards.get(word) or int(word) for word in words))
            life.the_city_says_what_the_paper_says()
    finally:
        life.teardown()


class PowerCutError(Exception):
    """The process dies at a statement."""


def everything(city):
    """Give all that a step can change, without times."""
    with reading(city.engine) as conn:
        cards = registry.cards_by_asn(conn, CARDS)
        closings = [(one.asn, one.successor, str(one.state), one.owed_fen) for one in registry.closings(conn)]
        steps = {asn: len(registry.card_history(conn, asn)) for asn in CARDS}
        listed = registry.blacklist_at(conn, registry.blacklist_number(conn))
        assert city.ledger.audit(conn) == []
    money = balances(city, TRUST_BANK, INCOME_CARDS, *(place(asn) for asn in CARDS for place in _PLACES))
    return cards, closings, steps, listed, money


def cut_at_every_statement(city, step, untouched):
    """Take a step, broken off at its first statement, then at its second, until it is done; count them."""
    cuts = 0
    while True:
        left = [cuts]

        def count(*_, left=left):
            left[0] -= 1
            if left[0] < 0:
                raise PowerCutError

        event.listen(city.engine, "before_cursor_execute", count)
        try:
            step()
        except PowerCutError:
            cuts += 1
        else:
            return cuts
        finally:
            event.remove(city.engine, "before_cursor_execute", count)
        assert untouched is None or everything(city) == untouched


_PLACES = (card_purse, card_deposit, card_refund)
_OLD, _NEW = CARDS[:2]


@pytest.mark.parametrize("last", ["issue", "lost", "replace", "give back", "settle", "pay"])
def test_a_step_broken_off_at_any_statement_is_not_taken_or_taken_whole(tmp_path, last):
    city = made_city(tmp_path)
    office = Office(city, "anna")

    def next_week():
        city.clock.moment = dt.datetime(2018, 9, 8, 4, 0, tzinfo=dt.UTC)

    steps = {
        "issue": [lambda: office.issue(_OLD)],
        "lost": [lambda: office.lost(_OLD)],
        "replace": [lambda: office.replace(_OLD, _NEW, reason="lost")],
        "give back": [lambda: office.give_back(_NEW)],
        "settle": [next_week, lambda: settle_due(city, actor="anna")],
        "pay": [lambda: pay_out(city, _NEW, actor="anna")],
    }
    for name, actions in steps.items():
        *before, step = actions
        for action in before:
            action()
        if name == last:
            break
        step()
    untouched = everything(city)
    # Settling takes each card by itself: some may be done when it breaks off.
    cuts = cut_at_every_statement(city, step, None if last == "settle" else untouched)
    done = everything(city)
    step()

    assert cuts > 5
    assert done != untouched
    assert everything(city) == done
    city.close()


def test_desks_that_work_at_the_same_time_take_every_step_once(tmp_path, store_url):
    made_city(tmp_path, store_url).close()
    paid, places = [], random.Random(7)

    def works(seed):
        chance, city = random.Random(seed), City.open(tmp_path / "town")
        city.clock = FixedClock(dt.datetime(2018, 9, 1, 4, 0, tzinfo=dt.UTC))
        office = Office(city, f"desk {seed}")
        unblocked, replaced_by = partial(office.unblock, reason="x"), partial(office.replace, reason="x")
        settled = partial(settle_due, city, actor="desk")

        def pays(asn):
            paid.append(pay_out(city, asn, actor="desk"))

        for turn in range(40):
            asn, new = chance.sample(CARDS, 2)
            step, *arguments = chance.choice(
                [
                    (office.issue, asn),
                    (office.lost, asn),
                    (unblocked, asn),
                    (replaced_by, asn, new),
                    (office.give_back, asn) if turn > 20 else (office.issue, new),
                    (settled,),
                    (pays, asn),
                ]
            )
            with suppress(OfficeRefused, StatusRefused, CardNotOwed):
                step(*arguments)
            if turn == 30:
                city.clock.moment += dt.timedelta(days=DAYS)
        city.close()

    with ThreadPoolExecutor(4) as desks:
        list(desks.map(works, places.sample(range(1000), 4)))

    city = City.open(tmp_path / "town")
    with reading(city.engine) as conn:
        assert city.ledger.audit(conn) == []
        steps = [step for asn in CARDS for step in registry.card_history(conn, asn)]
    sold = sum(step.reason == "sold" for step in steps)
    replaced = sum(step.after is CardStatus.REPLACED for step in steps)
    held = sum(balances(city, *(place(asn) for asn in CARDS for place in _PLACES)))
    assert sold > 0
    assert balances(city, INCOME_CARDS) == (PRICE * sold + FEE * replaced,)
    assert held == DEPOSIT * sold - sum(paid)
    assert balances(city, TRUST_BANK) == ((DEPOSIT + PRICE) * sold + FEE * replaced - sum(paid),)
    city.close()
