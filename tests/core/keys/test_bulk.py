"""In bulk every record gets the TAC that it gets alone."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citycard.errors import ColumnInvalid
from citycard.keys import bulk
from citycard.keys.cipher import aes_cmac
from citycard.keys.purse import purchase_tac
from citycard.keys.suite import AES_SUITE, SM4_SUITE, TDES_SUITE, experimental_suite, padded

SUITES = {"3DES": TDES_SUITE, "AES": AES_SUITE, "SM4": SM4_SUITE}
COLUMNS = {"keys16": 16, "amount_fen": 4, "tti": 1, "terminal6": 6, "serial": 4, "datetime7": 7}
SIZE = sum(COLUMNS.values())


def columns(data):
    """Cut rows of bytes into the columns of purchases."""
    rows = np.frombuffer(data, dtype=np.uint8).reshape(-1, SIZE)
    cut, start = {}, 0
    for name, size in COLUMNS.items():
        cut[name], start = rows[:, start : start + size], start + size
    for name in ("amount_fen", "serial"):
        cut[name] = cut[name].copy().view(">u4")[:, 0]
    return {**cut, "tti": cut["tti"][:, 0]}


def drawn(count, seed=1):
    return columns(np.random.default_rng(seed).bytes(count * SIZE))


def alone(one, suite=TDES_SUITE):
    """Return the TACs, one after the other."""
    made = [
        purchase_tac(
            key.tobytes(), int(amount), int(tti), term.tobytes(), int(serial), at.tobytes(), suite=suite
        )
        for key, amount, tti, term, serial, at in zip(*one.values(), strict=True)
    ]
    return np.frombuffer(b"".join(made), dtype=np.uint8).reshape(-1, 4)


@pytest.mark.parametrize("suite", SUITES.values(), ids=SUITES)
@pytest.mark.parametrize("count", [0, 1, 2, 63, 64, 65, 1000])
def test_every_number_of_records_gets_the_tacs_of_each(suite, count):
    one = drawn(count)
    assert alone(one, suite).tolist() == bulk.purchase_tacs(**one, suite=suite).tolist()


@settings(deadline=None, max_examples=20)
@given(
    data=st.lists(st.binary(min_size=SIZE, max_size=SIZE), min_size=1, max_size=70),
    suite=st.sampled_from([*SUITES.values()]),
)
def test_whatever_the_records_say_they_get_the_tacs_of_each(data, suite):
    one = columns(b"".join(data))
    assert alone(one, suite).tolist() == bulk.purchase_tacs(**one, suite=suite).tolist()


@pytest.mark.parametrize("suite", SUITES.values(), ids=SUITES)
def test_zeros_ones_and_every_single_bit_get_the_tacs_of_each(suite):
    bits = [(1 << bit).to_bytes(SIZE, "big") for bit in range(8 * SIZE)]
    one = columns(b"".join([bytes(SIZE), b"\xff" * SIZE, *bits]))
    assert alone(one, suite).tolist() == bulk.purchase_tacs(**one, suite=suite).tolist()


@pytest.mark.parametrize(
    "left", ["0101010101010101", "FEFEFEFEFEFEFEFE", "E0E0E0E0F1F1F1F1", "1F1F1F1F0E0E0E0E"]
)
def test_weak_keys_are_keys_like_any_other(left):
    one = drawn(5)
    one["keys16"] = np.frombuffer(bytes.fromhex(left) + bytes(8), dtype=np.uint8) * np.ones((5, 1), np.uint8)
    assert alone(one).tolist() == bulk.purchase_tacs(**one).tolist()


def test_records_on_both_sides_of_a_chunk_get_their_own_tacs(monkeypatch):
    monkeypatch.setattr(bulk, "CHUNK", 100)
    one = drawn(301)
    assert alone(one).tolist() == bulk.purchase_tacs(**one).tolist()


def test_a_suite_of_a_citys_own_is_computed_as_it_says():
    suite = experimental_suite(SM4_SUITE.algorithm, padded)
    one = drawn(3)
    assert alone(one, suite).tolist() == bulk.purchase_tacs(**one, suite=suite).tolist()


def test_memory_does_not_grow_with_the_records(monkeypatch):
    monkeypatch.setattr(bulk, "CHUNK", 6400)
    bulk.purchase_tacs(**drawn(1))
    peaks = []
    for chunks in (1, 8):
        one = drawn(6400 * chunks)
        tracemalloc.start()
        bulk.purchase_tacs(**one)
        peaks.append(tracemalloc.get_traced_memory()[1] - 4 * 6400 * chunks)
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.1


@pytest.mark.parametrize(
    ("field", "column"),
    [
        ("keys16", np.zeros((2, 15), np.uint8)),
        ("terminal6", np.zeros((2, 5), np.uint8)),
        ("datetime7", np.zeros((2, 7), np.int64)),
        ("amount_fen", np.array([0, 1 << 32])),
        ("amount_fen", np.array([0, -1])),
        ("amount_fen", np.array([0.0, 1.0])),
        ("tti", np.array([0, 256])),
        ("serial", np.array([1])),
    ],
)
def test_a_column_that_would_be_cut_off_is_refused(field, column):
    with pytest.raises(ColumnInvalid, match=f"column {field}, .* is not valid: expected"):
        bulk.purchase_tacs(**{**drawn(2), field: column})


@pytest.mark.parametrize("count", [0, 1, 2, 250])
@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 122, 128])
def test_a_terminals_records_get_the_macs_of_each(count, size):
    dice = np.random.default_rng(size)
    key, data = dice.bytes(16), dice.integers(0, 256, (count, size), dtype=np.uint8)
    expected = [list(aes_cmac(key, one.tobytes())[:4]) for one in data]
    assert expected == bulk.terminal_macs(key, data).tolist()


@pytest.mark.parametrize("byte", [0, 0xFF])
def test_records_of_zeros_and_ones_get_the_macs_of_each(byte):
    data = np.full((3, 122), byte, dtype=np.uint8)
    assert [list(aes_cmac(bytes([byte]) * 16, bytes([byte]) * 122)[:4])] * 3 == bulk.terminal_macs(
        bytes([byte]) * 16, data
    ).tolist()


def test_records_of_a_terminal_on_both_sides_of_a_chunk_get_their_own_macs(monkeypatch):
    data = np.random.default_rng(1).integers(0, 256, (25, 122), dtype=np.uint8)
    whole = bulk.terminal_macs(bytes(16), data).tolist()
    monkeypatch.setattr(bulk, "MACS", 10)
    assert whole == bulk.terminal_macs(bytes(16), data).tolist()
