"""Checking TACs and MACs of columns of records; the keys of distinct cards and terminals are derived once.

The keys are derived from a purpose's key here or in a token, stay within the call, and are overwritten before
it returns, as far as Python lets go of bytes (``docs/keys.md``, Memory).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import numpy as np

from citycard.keys.bulk import MACS, grouped_macs, tacs
from citycard.keys.columns import Answers, Bytes, Numbers, Places, require_bytes, require_numbers
from citycard.keys.diversify import KeyDeriver
from citycard.keys.purchases import Purchases
from citycard.keys.suite import Suite

__all__ = ["SPAN", "card_keys", "check_purchase_tacs", "check_terminal_macs", "made_terminal_macs"]

#: Records whose cards and terminals are gathered at once. Memory does not grow with their number beyond this.
SPAN: Final = 1_048_576


def check_purchase_tacs(
    usable: Mapping[int, tuple[KeyDeriver, Suite]],
    asn8: Bytes,
    key_version: Numbers,
    purchases: Purchases,
    tac4: Bytes,
) -> Answers:
    """Say of each record whether its card made its TAC under its key version, which must be usable."""
    count = len(purchases)
    require_bytes("asn8", asn8, (count, 8))
    require_bytes("tac4", tac4, (count, 4))
    require_numbers("key_version", key_version, count, 1)
    answers = np.zeros(count, dtype=np.bool_)
    for start in range(0, count, SPAN):
        versions = key_version[start : start + SPAN]
        for version in set(np.unique(versions).tolist()) & usable.keys():
            deriver, suite = usable[version]
            mine = np.flatnonzero(versions == version)
            # Where all are of one version, none has to be taken out.
            all_mine = len(mine) == len(versions)
            here = slice(start, start + len(mine)) if all_mine else start + mine
            with _keys_of(deriver, np.ascontiguousarray(asn8[here])) as keys:
                made = tacs(keys, purchases.taken(here), suite)
            answers[here] = _same(made, tac4[here])
    return answers


def check_terminal_macs(
    derivers: Iterable[KeyDeriver], terminal6: Bytes, data: Bytes, mac4: Bytes
) -> Answers:
    """Say of each record whether its terminal made its MAC, under any of the usable keys."""
    count = len(terminal6)
    require_bytes("mac", mac4, (count, 4))
    answers = np.zeros(count, dtype=np.bool_)
    for deriver in derivers:
        left = np.flatnonzero(~answers)
        for here, made in _terminal_parts(deriver, terminal6, data, left):
            answers[here] = _same(made, mac4[here])
    return answers


def made_terminal_macs(deriver: KeyDeriver, terminal6: Bytes, data: Bytes) -> Bytes:
    """Return the MAC of each record by its terminal's key, shape (n, 4)."""
    macs = np.empty((len(terminal6), 4), dtype=np.uint8)
    for here, made in _terminal_parts(deriver, terminal6, data, np.arange(len(terminal6))):
        macs[here] = made
    return macs


def card_keys(deriver: KeyDeriver, factors8: Bytes) -> Bytes:
    """Return the key of each factor, shape (n, 16): every distinct one is derived once."""
    require_bytes("asn8", factors8, (len(factors8), 8))
    numbers, places = np.unique(factors8.view(">u8")[:, 0], return_inverse=True)
    distinct = numbers.astype(">u8").view(np.uint8).reshape(-1, 8)
    derived = _derived(deriver, distinct)
    keys: Bytes = derived.take(places, axis=0)
    derived.fill(0)
    return keys


@contextmanager
def _keys_of(deriver: KeyDeriver, factors8: Bytes) -> Iterator[Bytes]:
    keys = card_keys(deriver, factors8)
    try:
        yield keys
    finally:
        keys.fill(0)


def _derived(deriver: KeyDeriver, factors8: Bytes) -> Bytes:
    plain = np.stack((factors8, ~factors8), axis=1)
    return np.frombuffer(bytearray(deriver.derive_blocks(plain.tobytes())), dtype=np.uint8).reshape(-1, 16)


def _terminal_parts(
    deriver: KeyDeriver, terminal6: Bytes, data: Bytes, places: Places
) -> Iterator[tuple[Places, Bytes]]:
    """Yield places of records, those of a terminal together, and their MACs."""
    count = len(terminal6)
    require_bytes("terminal6", terminal6, (count, 6))
    require_bytes("data", data, (count, data.shape[-1]))
    for start in range(0, len(places), SPAN):
        span = places[start : start + SPAN]
        factors = np.zeros((len(span), 8), dtype=np.uint8)
        factors[:, 2:] = terminal6[span]
        order = np.argsort(factors.view(">u8")[:, 0], kind="stable")
        span, factors = span[order], factors[order]
        with _keys_of(deriver, factors) as keys:
            for at in range(0, len(span), MACS):
                here, some = span[at : at + MACS], factors[at : at + MACS].view(np.uint64)[:, 0]
                firsts = np.flatnonzero(np.r_[True, some[1:] != some[:-1]])
                yield here, grouped_macs(keys[at + firsts], firsts, data[here])


def _same(made: Bytes, given: Bytes) -> Answers:
    """Compare all four bytes of each record at once, so that time says nothing about the first of them."""
    one, other = (np.ascontiguousarray(four).view(np.uint32)[:, 0] for four in (made, given))
    same: Answers = one == other
    return same
