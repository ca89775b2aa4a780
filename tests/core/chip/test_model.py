"""Any sequence of transactions, failures and power cuts, against a purse that is five lines of Python."""

from __future__ import annotations

import datetime as dt
import importlib.util
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from citycard.chip import PowerLoss, personalise, prepare_blank

_spec = importlib.util.spec_from_file_location("chip_desk", Path(__file__).with_name("conftest.py"))
cards = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(cards)

BLANK = prepare_blank(cards.VERSION, random=cards.Dice())
CARD = BLANK.clone()
personalise(
    CARD,
    asn="1" * 20,
    issuer="01011000FFFFFFFF",
    product=cards.PRODUCT,
    keys=cards.KEYS,
    start=dt.date(2020, 1, 1),
    expiry=dt.date(2030, 1, 1),
)

AMOUNTS = st.integers(0, 2000)
FILLINGS = st.integers(0, 255)


class PurseModel:
    """What a purse is, told without a card: numbers and lists."""

    def __init__(self):
        self.balance, self.online, self.offline = 0, 0, 0
        self.log, self.journeys, self.sectors = [], [], [0, 0]

    def copy(self):
        other = PurseModel()
        other.balance, other.online, other.offline = self.balance, self.online, self.offline
        other.log, other.journeys, other.sectors = self.log[:], self.journeys[:], self.sectors[:]
        return other

    def load(self, amount):
        self.balance += amount
        self.online += 1
        self.log = [(self.online, amount, 2), *self.log][:10]

    def pay(self, amount, tti):
        self.balance -= amount
        self.offline += 1
        self.log = [(self.offline, amount, tti), *self.log][:10]

    def state(self):
        return self.balance, (self.online, self.offline), self.log, self.journeys, self.sectors


def seen(desk):
    log = [(int.from_bytes(r[:2], "big"), int.from_bytes(r[5:9], "big"), r[9]) for r in desk.records(0x18)]
    journeys = [record[0] for record in desk.records(0x1E)]
    sectors = [record[3] for record in desk.records(0x1A)]
    return desk.balance(), desk.counters(), log, journeys, sectors


class ChipMachine(RuleBasedStateMachine):
    @initialize()
    def begin(self):
        self.desk = cards.Desk(CARD.clone()).select()
        self.model = PurseModel()
        self.cut = None

    def _play(self, act, change):
        """Do ``act`` on the card and ``change`` on the model, or find out after a cut which it was."""
        new = self.model.copy()
        change(new)
        if self.cut is not None:
            self.desk.chip.eeprom.cut_after(*self.cut)
            self.cut = None
        try:
            answer = act()
            assert answer[-2:] == b"\x90\x00"
        except PowerLoss:
            self.desk.select()
            done = seen(self.desk) == new.state()
            assert done or seen(self.desk) == self.model.state()
            self.model = new if done else self.model
        else:
            self.desk.chip.eeprom.cut_after(None)
            self.model = new

    @rule(writes=st.integers(0, 16), torn=st.booleans(), prefix=st.integers(0, 200))
    def plan_a_cut(self, writes, torn, prefix):
        self.cut = (writes, torn, prefix)

    @rule(amount=AMOUNTS)
    def load(self, amount):
        self._play(lambda: self.desk.load(amount), lambda model: model.load(amount))

    @rule(amount=AMOUNTS)
    def purchase(self, amount):
        if amount > self.model.balance:
            assert self.desk.purchase(amount).hex() == "9401"
        else:
            self._play(lambda: self.desk.purchase(amount), lambda model: model.pay(amount, 6))

    @rule(amount=AMOUNTS, number=st.integers(1, 2), filling=FILLINGS, added=st.none() | FILLINGS)
    def capp(self, amount, number, filling, added):
        if amount > self.model.balance:
            amount = 0
        updates = [cards.sector(number, filling)]
        if added is not None:
            updates.append(cards.journey(added))

        def change(model):
            model.pay(amount, 9)
            model.sectors[number - 1] = filling
            if added is not None:
                model.journeys = [added, *model.journeys][:30]

        self._play(lambda: self.desk.capp(amount, updates), change)

    @rule(amount=st.integers(0, 100), mac=st.binary(min_size=4, max_size=4))
    def debit_with_a_made_up_mac(self, amount, mac):
        if self.desk.init(1, amount)[-2:] == b"\x90\x00":
            answer = self.desk.send(b"\x80\x54\x01\x00\x0f" + bytes(4) + cards.WHEN + mac + b"\x08")
            assert answer.hex() == "9302"

    @rule(amount=st.integers(0, 100), filling=FILLINGS)
    def cache_and_walk_away(self, amount, filling):
        if self.desk.init(3, amount)[-2:] == b"\x90\x00":
            self.desk.ok(cards.sector(1, filling))

    @rule()
    def reset(self):
        self.desk.chip.reset()
        self.desk.select()

    @rule()
    def keep_the_card_in_a_file(self):
        chip = type(self.desk.chip).from_image(self.desk.chip.image())
        self.desk = cards.Desk(chip, serial=self.desk.serial).select()

    @invariant()
    def the_card_says_what_the_model_says(self):
        if hasattr(self, "model"):
            assert seen(self.desk) == self.model.state()


TestChipMachine = ChipMachine.TestCase
TestChipMachine.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
