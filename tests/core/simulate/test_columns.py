from __future__ import annotations

import datetime as dt

import numpy as np

from citycard.card import layout_of
from citycard.clearing.columns import RECORD, whole
from citycard.simulate.columns import bcd, moments, ranks
from citycard.terminal.record import TransactionRecord, read_record


def test_a_row_has_the_bytes_of_the_record():
    ((written, record),) = layout_of(TransactionRecord).examples
    row = np.frombuffer(written, dtype=RECORD)
    assert row["counter"][0] == record.counter
    assert row["amount_fen"][0] == record.amount_fen
    assert read_record(whole(row).tobytes()) == record


def test_digits_and_moments_are_packed_as_layouts_pack_them():
    assert bcd([1, 344000000001], 6).tobytes().hex() == "000000000001344000000001"
    seconds = np.array([0, 86_399, 86_400, 2 * 86_400 + 3661])
    packed = moments(seconds, dt.datetime(2026, 2, 28)).tobytes().hex()
    assert packed == "20260228000000202602282359592026030100000020260302010101"


def test_neighbours_are_numbered_as_long_as_every_column_stays_the_same():
    card, day = np.array([0, 0, 0, 1, 1, 0]), np.array([0, 0, 1, 1, 1, 1])
    assert ranks(card).tolist() == [0, 1, 2, 0, 1, 0]
    assert ranks(card, day).tolist() == [0, 1, 0, 0, 1, 0]
    assert ranks(card[:0], day[:0]).tolist() == []
