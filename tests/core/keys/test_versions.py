"""Key versions stand side by side; a state machine plays with them against a plain model."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from citycard.errors import (
    KeyPurposeClash,
    KeyPurposeUnknown,
    KeyVersionInUse,
    KeyVersionsFull,
    KeyVersionUnknown,
)
from citycard.keys.cipher import Algorithm
from citycard.keys.hierarchy import CORE_PURPOSES, KeyPurpose
from citycard.keys.versions import KeyStatus, KeyVersions

GATE = KeyPurpose(name="zoo-gate", kind=0x39, title="Gate key", owner="zoo")


def core() -> KeyVersions:
    book = KeyVersions()
    book.ensure(CORE_PURPOSES)
    return book


def test_every_purpose_begins_with_version_1_current():
    assert {(1, KeyStatus.CURRENT)} == {(row.version, row.status) for row in core().rows()}


def test_a_new_version_stands_beside_the_old_one_in_the_whole_family():
    book = core()
    made = book.roll("load")
    assert [(row.purpose, row.version) for row in made] == [("purchase", 2), ("load", 2), ("tac", 2)]
    statuses = [(row.version, row.status) for row in book.rows() if row.purpose == "tac"]
    assert statuses == [(1, KeyStatus.ACCEPTED), (2, KeyStatus.CURRENT)]
    assert book.current("batch").version == 1


def test_a_new_version_may_change_the_algorithm_and_the_old_one_keeps_its_own():
    book = core()
    book.roll("purchase", Algorithm.SM4)
    assert [row.algorithm for row in book.usable("tac")] == [Algorithm.TDES, Algorithm.SM4]


def test_a_retired_version_is_not_found_and_the_usable_ones_are_told():
    book = core()
    book.roll("purchase")
    assert {KeyStatus.RETIRED} == {row.status for row in book.retire("load", 1)}
    with pytest.raises(KeyVersionUnknown, match="'tac' has no usable version 1: usable are 2"):
        book.find("tac", 1)


def test_a_test_key_is_known_for_what_it_is_from_its_retirement_on_or_later():
    book = core()
    book.roll("purchase")
    assert {KeyStatus.TEST} == {row.status for row in book.retire("load", 1, test=True)}
    book.roll("batch")
    book.retire("batch", 1)
    assert [row.status for row in book.retire("batch", 1, test=True)] == [KeyStatus.TEST]
    for purpose in ("tac", "batch"):
        assert [row.version for row in book.usable(purpose)] == [2]


def test_the_current_version_cannot_be_retired():
    with pytest.raises(KeyVersionInUse, match="version 1 of key purpose 'batch' is the current one"):
        core().retire("batch", 1)


def test_a_purpose_without_a_current_version_is_refused():
    with pytest.raises(KeyVersionUnknown, match="no usable version current: usable are none"):
        KeyVersions([GATE]).current("zoo-gate")


def test_numbers_end_at_255():
    book = core()
    for _ in range(254):
        book.roll("batch")
    with pytest.raises(KeyVersionsFull, match="'batch' has used all 255"):
        book.roll("batch")
    assert book.current("batch").version == 255


def test_an_unknown_purpose_is_refused():
    with pytest.raises(KeyPurposeUnknown, match="'zoo-gate'"):
        core().roll("zoo-gate")


def test_a_plugins_purpose_is_added_once():
    book = core()
    assert [book.ensure([GATE]), book.ensure([GATE])] == [True, False]
    assert book.rows()[-1].purpose == "zoo-gate"


def test_a_taken_name_is_refused_with_both_owners_and_nothing_is_added():
    book = core()
    rival = KeyPurpose(name="load", kind=0x3F, title="Load", owner="zoo", family="purse")
    with pytest.raises(KeyPurposeClash, match="'load' of zoo is already declared by citycard"):
        book.ensure([GATE, rival])
    assert "zoo-gate" not in book.purposes


def test_two_new_purposes_of_one_name_clash_as_well():
    rival = KeyPurpose(name="zoo-gate", kind=0x39, title="Gate key", owner="museum")
    with pytest.raises(KeyPurposeClash, match="of museum is already declared by zoo"):
        core().ensure([GATE, rival])


class VersionsMachine(RuleBasedStateMachine):
    """The model: per purpose the last number and the set of retired numbers."""

    def __init__(self):
        super().__init__()
        self.book = core()
        self.last = dict.fromkeys((purpose.name for purpose in CORE_PURPOSES), 1)
        self.retired = {name: set() for name in self.last}

    @staticmethod
    def family(name):
        return ["purchase", "load", "tac"] if name in {"purchase", "load", "tac"} else [name]

    @rule(name=st.sampled_from([purpose.name for purpose in CORE_PURPOSES]))
    def roll(self, name):
        self.book.roll(name)
        for one in self.family(name):
            self.last[one] += 1

    @precondition(lambda self: max(self.last.values()) > 1)
    @rule(data=st.data())
    def retire(self, data):
        name = data.draw(st.sampled_from([name for name, last in self.last.items() if last > 1]))
        number = data.draw(st.integers(1, self.last[name] - 1))
        if number in self.retired[name]:
            with pytest.raises(KeyVersionUnknown):
                self.book.retire(name, number)
            return
        self.book.retire(name, number)
        for one in self.family(name):
            self.retired[one].add(number)

    @invariant()
    def usable_is_all_but_the_retired_and_one_is_current(self):
        for name, last in self.last.items():
            usable = [row.version for row in self.book.usable(name)]
            assert [number for number in range(1, last + 1) if number not in self.retired[name]] == usable
            assert last == self.book.current(name).version


TestVersions = VersionsMachine.TestCase
TestVersions.settings = settings(max_examples=20, stateful_step_count=15, deadline=None)
