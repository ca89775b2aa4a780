"""The journal: whatever write the power goes at, a commit is done or it is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.chip import Eeprom, PowerLoss
from citycard.chip.eeprom import HIDDEN

SIZE = 64
ENTRIES = st.lists(
    st.tuples(st.integers(0, SIZE - 8), st.binary(min_size=1, max_size=8)), min_size=1, max_size=5
)


def filled() -> Eeprom:
    return Eeprom(SIZE, bytes(range(SIZE)))


def after(entries):
    expected = bytearray(range(SIZE))
    for address, data in entries:
        expected[address : address + len(data)] = data
    return bytes(expected)


def test_a_commit_writes_all_its_entries_in_order():
    eeprom = filled()
    eeprom.commit([(1, b"AB"), (2, b"CD")])
    assert bytes(eeprom.cells[:5]) == b"\x00ACD\x04"


def test_memory_is_allocated_as_far_as_it_is_used():
    eeprom = Eeprom(8192)
    eeprom.commit([(4, b"\x01")])
    assert bytes(eeprom.cells) == b"\xff\xff\xff\xff\x01"


@given(ENTRIES, st.integers(0, 20), st.booleans(), st.integers(0, 8))
def test_any_cut_leaves_the_old_or_the_new_content(entries, cut, torn, prefix):
    eeprom = filled()
    eeprom.cut_after(cut, torn, prefix)
    lost = False
    try:
        eeprom.commit(entries)
    except PowerLoss:
        lost = True
    finished = eeprom.recover()
    assert bytes(eeprom.cells) in {bytes(range(SIZE)), after(entries)}
    if finished or not lost:
        assert bytes(eeprom.cells) == after(entries)
    else:
        assert bytes(eeprom.cells) == bytes(range(SIZE)) or after(entries) == bytes(eeprom.cells)
    assert not eeprom.journal


@given(ENTRIES, st.integers(0, 20), st.booleans(), st.integers(0, 8))
def test_the_power_may_go_again_during_recovery(entries, second, torn, prefix):
    eeprom = filled()
    eeprom.cut_after(2 * len(entries) + 2)  # every home place is written, the mark is still set
    with pytest.raises(PowerLoss):
        eeprom.commit(entries)
    eeprom.cut_after(second, torn, prefix)
    try:
        eeprom.recover()
    except PowerLoss:
        eeprom.recover()
    assert bytes(eeprom.cells) == after(entries)


def test_a_journal_with_a_damaged_entry_is_dropped():
    eeprom = filled()
    eeprom.cut_after(3)
    with pytest.raises(PowerLoss):
        eeprom.commit([(0, b"new")])
    eeprom.journal[9] ^= 1
    assert eeprom.recover() is False
    assert bytes(eeprom.cells) == bytes(range(SIZE))


def test_writes_are_counted_for_whoever_wants_to_cut_at_each():
    eeprom = filled()
    eeprom.commit([(0, b"a"), (9, b"b")])
    assert eeprom.writes == 2 + 2 + 3  # journal, home places, and checksum, mark, clearing


def test_a_clone_lives_its_own_life():
    eeprom = filled()
    other = eeprom.clone()
    other.commit([(0, b"x"), (HIDDEN, b"y")])
    assert (eeprom.cells[0], other.cells[0]) == (0, ord("x"))
    assert (bytes(eeprom.hidden), bytes(other.hidden)) == (b"", b"y")


@pytest.mark.parametrize("cut", range(9))
def test_cells_and_hidden_area_change_together(cut):
    eeprom = filled()
    eeprom.cut_after(cut, torn=True)
    try:
        eeprom.commit([(0, b"a"), (HIDDEN + 2, b"b")])
    except PowerLoss:
        eeprom.recover()
    assert (eeprom.cells[0], bytes(eeprom.hidden)) in {(0, b""), (ord("a"), b"\xff\xffb")}
