"""Card lists at a terminal: signed, in order, whole or not at all, and fast."""

from __future__ import annotations

import datetime as dt
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.errors import ListDamaged, ListGap, ListOlder, ListUntrusted
from citycard.keys import CORE_PURPOSES, KeyHierarchy, Vault, verify_signature
from citycard.keys.versions import KeyVersions
from citycard.terminal import Acceptance
from citycard.terminal.lists import CardNumbers, ListKind, ListStore, read_list, write_list

AT = dt.datetime(2018, 9, 1, 12, 0)
ONE, TWO, THREE = (f"0101990100000000000{digit}" for digit in "123")


def city_vault(seed):
    versions = KeyVersions()
    versions.ensure(CORE_PURPOSES)
    return Vault(KeyHierarchy.from_root(bytes([seed]) * 16, bytes(8)).city_key(), versions)


VAULT, OTHER = city_vault(1), city_vault(2)


def full(number, *cards, vault=VAULT, city="9901"):
    return write_list(ListKind.FULL, city=city, number=number, made_at=AT, added=cards, sign=vault.sign)


def changes(since, number, added=(), removed=()):
    return write_list(
        ListKind.CHANGES,
        city="9901",
        since=since,
        number=number,
        made_at=AT,
        added=added,
        removed=removed,
        sign=VAULT.sign,
    )


@pytest.fixture
def store(tmp_path):
    return ListStore(tmp_path / "lists", VAULT.public_key_pem(), "9901")


def again(store, tmp_path):
    return ListStore(tmp_path / "lists", VAULT.public_key_pem(), "9901")


def test_full_lists_and_changes_follow_one_another(store, tmp_path):
    assert store.apply(full(3, ONE, TWO)) == 3
    assert store.apply(changes(3, 5, added=[THREE], removed=[ONE])) == 5
    after = again(store, tmp_path)

    assert (after.number, [card in after.cards for card in (ONE, TWO, THREE)]) == (5, [False, True, True])
    rules = after.acceptance(Acceptance())
    assert (rules.blacklist_number, TWO in rules.blacklist) == (5, True)


def test_a_gap_an_older_list_and_anothers_list_are_refused(store):
    store.apply(full(3, ONE))
    with pytest.raises(ListGap, match="get the full list"):
        store.apply(changes(4, 5))
    with pytest.raises(ListOlder, match="holds list 3"):
        store.apply(full(2))
    with pytest.raises(ListUntrusted, match="not signed"):
        store.apply(full(4, vault=OTHER))
    with pytest.raises(ListUntrusted, match="city 5840"):
        store.apply(full(4, city="5840"))
    assert store.apply(full(3, ONE)) == 3
    assert (store.number, list(store.cards)) == (3, [int(ONE)])


def test_no_byte_of_a_list_can_be_changed(store):
    data = full(3, ONE, TWO)
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1
        with pytest.raises((ListDamaged, ListUntrusted)):
            store.apply(bytes(changed))
    for size in range(len(data)):
        with pytest.raises((ListDamaged, ListUntrusted)):
            store.apply(data[:size])
    assert store.number == 0


@pytest.mark.parametrize("left", [0, 1, 39, 40, 60])
def test_a_file_torn_in_writing_leaves_the_list_before(store, tmp_path, left):
    store.apply(full(3, ONE))
    data = changes(3, 4, added=[TWO])
    (tmp_path / "lists" / "0000000004.ccl").write_bytes(data[:left])
    after = again(store, tmp_path)

    assert (after.number, list(after.cards)) == (3, [int(ONE)])
    assert after.apply(data) == 4
    assert again(store, tmp_path).number == 4


def test_a_full_list_takes_the_place_of_all_before(store, tmp_path):
    store.apply(full(3, ONE))
    store.apply(changes(3, 4, added=[TWO]))
    store.apply(full(9, THREE))
    assert [path.name for path in (tmp_path / "lists").iterdir()] == ["0000000009.ccl"]
    assert list(again(store, tmp_path).cards) == [int(THREE)]


@given(st.sets(st.integers(0, 10**20 - 1)), st.sets(st.integers(0, 10**20 - 1)))
def test_any_numbers_go_in_and_come_out(added, removed):
    data = write_list(
        ListKind.CHANGES,
        city="9901",
        since=1,
        number=2,
        made_at=AT,
        added=[f"{number:020d}" for number in added],
        removed=[f"{number:020d}" for number in removed],
        sign=VAULT.sign,
    )
    found = read_list(data, VAULT.public_key_pem())
    assert (set(found.added), set(found.removed)) == (added, removed)
    assert set(CardNumbers(added).changed((), removed)) == added - removed


def test_a_hundred_thousand_cards_are_small_and_found_at_once(store):
    cards = [f"{int(ONE) + 97 * place:020d}" for place in range(100_000)]
    data = full(1, *cards)
    store.apply(data)
    begun = time.perf_counter()
    found = sum(card in store.cards for card in cards[:10_000])
    seconds = time.perf_counter() - begun

    assert len(data) < 150_000
    assert found == 10_000
    assert f"{int(ONE) + 1:020d}" not in store.cards
    assert "x" not in store.cards
    assert seconds < 1


def test_the_signature_is_over_a_name_of_its_own():
    data = full(3, ONE)
    end = 40 + int.from_bytes(data[30:34], "big")
    covered, signature = data[:end], data[end:]
    assert not verify_signature(VAULT.public_key_pem(), covered, signature)
    assert verify_signature(VAULT.public_key_pem(), b"citycard card list\0" + covered, signature)
