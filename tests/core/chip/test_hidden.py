"""The hidden area: records keep their place, and those of erased files are given up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from citycard.chip import Eeprom, hidden

KEYS = st.tuples(st.integers(1, 255), st.integers(0, 0xFFFF))


def sized(key):
    return key[0] % 5 + 1  # the content of one kind has one size


@given(st.lists(st.tuples(KEYS, st.integers(0, 255)), max_size=30))
def test_the_last_content_of_every_record_is_found(writes):
    eeprom, expected = Eeprom(64), {}
    for key, byte in writes:
        expected[key] = bytes((byte,)) * sized(key)
        eeprom.commit(hidden.kept(eeprom, [(*key, expected[key])]))
    assert {key: hidden.find(eeprom, *key) for key in expected} == expected
    assert len(eeprom.hidden) == sum(4 + sized(key) for key in expected)


def test_several_new_records_of_one_commit_do_not_meet():
    eeprom = Eeprom(64)
    eeprom.commit(hidden.kept(eeprom, [(1, 5, b"ab"), (2, 5, b"cd"), (0xF0, 0, b"efg")]))
    assert [hidden.find(eeprom, kind, at) for kind, at in ((1, 5), (2, 5), (0xF0, 0))] == [
        b"ab",
        b"cd",
        b"efg",
    ]


def test_a_forgotten_record_is_gone_and_its_place_is_used_again():
    eeprom = Eeprom(64)
    eeprom.commit(hidden.kept(eeprom, [(1, 5, b"ab"), (1, 9, b"cd"), (1, 12, b"ef")]))
    size = len(eeprom.hidden)
    eeprom.commit(hidden.forgotten(eeprom, 5, 12))
    assert [hidden.find(eeprom, 1, at) for at in (5, 9, 12)] == [None, None, b"ef"]
    assert b"ab" not in eeprom.hidden
    eeprom.commit(hidden.kept(eeprom, [(3, 7, b"gh"), (3, 8, b"ij")]))
    assert [hidden.find(eeprom, 3, at) for at in (7, 8)] == [b"gh", b"ij"]
    assert len(eeprom.hidden) == size
    eeprom.commit(hidden.kept(eeprom, [(3, 9, b"kl")]))
    assert len(eeprom.hidden) == size + 6
