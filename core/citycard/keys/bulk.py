"""TACs and MACs of very many records at once: of each what ``purse`` and ``cipher`` give (``docs/keys.md``).

The records are columns: NumPy arrays with one row per record. Only what works in bulk imports this module,
because importing NumPy takes longer than the command line may.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from citycard.keys.bitsliced import des_cbc_macs
from citycard.keys.cipher import Algorithm, encryptor
from citycard.keys.columns import Bytes, Numbers, Places, cmac_blocks, padded, require_bytes
from citycard.keys.lanes import block_words
from citycard.keys.purchases import Purchases
from citycard.keys.suite import AES_SUITE, SM4_SUITE, TDES_SUITE, Suite
from citycard.keys.tabled import aes_cmacs, sm4_cbc_macs

__all__ = ["CHUNK", "MACS", "grouped_macs", "purchase_tacs", "tacs", "terminal_macs"]

#: Records that are computed at once, at most. Memory does not grow with their number beyond this.
CHUNK: Final = 131_072
#: Records whose MACs are computed at once, at most.
MACS: Final = 32_768
# What is looked up in tables is quickest while it stays in the cache.
_TABLED: Final = 16_384

_MAC, _BLOCK = 4, 16


def purchase_tacs(
    keys16: Bytes,
    amount_fen: Numbers,
    tti: Numbers,
    terminal6: Bytes,
    serial: Numbers,
    datetime7: Bytes,
    *,
    suite: Suite = TDES_SUITE,
) -> Bytes:
    """Return the TACs of n purchases, shape (n, 4): of each record what ``purse.purchase_tac`` gives.

    ``keys16`` are the TAC keys of the cards, shape (n, 16), ``terminal6`` (n, 6), ``datetime7`` (n, 7); the
    others (n,). Memory beside the result does not grow with n. A suite that is not computed in bulk is
    computed record by record. Raises ``ColumnInvalid`` for a column of another shape or range.
    """
    purchases = Purchases(
        amount_fen=amount_fen, tti=tti, terminal6=terminal6, serial=serial, datetime7=datetime7
    )
    return tacs(keys16, purchases, suite)


def tacs(keys16: Bytes, purchases: Purchases, suite: Suite = TDES_SUITE) -> Bytes:
    """Return what ``purchase_tacs`` returns, of purchases put together before."""
    require_bytes("keys16", keys16, (len(purchases), 16))
    made = np.empty((len(purchases), _MAC), dtype=np.uint8)
    macs = _in_bulk(suite)
    for part in _chunks(len(purchases), CHUNK if suite is TDES_SUITE else min(CHUNK, _TABLED)):
        made[part] = macs(keys16[part], purchases.taken(part).messages())
    return made


def terminal_macs(key16: bytes, data: Bytes) -> Bytes:
    """Return the MACs of n records of one terminal, shape (n, 4): the beginning of ``cipher.aes_cmac``.

    ``data`` is what the MAC covers of each record, shape (n, size).
    """
    keys, first = np.frombuffer(key16, dtype=np.uint8)[np.newaxis], np.zeros(1, dtype=np.intp)
    made = np.empty((len(data), _MAC), dtype=np.uint8)
    for part in _chunks(len(data), MACS):
        made[part] = grouped_macs(keys, first, data[part])
    return made


def grouped_macs(keys16: Bytes, firsts: Places, data: Bytes) -> Bytes:
    """Return the MACs of records that lie sorted by key, as ``terminal_macs`` does for one key.

    ``firsts`` says for each key where its records begin, and is 0 for the first. All records go through AES
    side by side: for their first block each key is called once, then for their second, and so on. Memory
    grows with n: hand over ``MACS`` records at a time.
    """
    require_bytes("data", data, (len(data), data.shape[-1]))
    updates = [encryptor(key.tobytes(), Algorithm.AES).update for key in keys16]
    hidden = np.frombuffer(b"".join(update(bytes(_BLOCK)) for update in updates), dtype=np.uint8)
    ends = [*firsts[1:].tolist(), len(data)]
    counts = np.diff(ends, prepend=0)
    blocks = cmac_blocks(data, np.repeat(hidden.reshape(-1, _BLOCK), counts, axis=0))
    calls = [
        (update, slice(_BLOCK * first, _BLOCK * end))
        for update, first, end in zip(updates, firsts.tolist(), ends, strict=True)
    ]
    # One place of all records after the other, so that each operation runs through memory once.
    places = np.ascontiguousarray(blocks.reshape(len(data), -1, _BLOCK).swapaxes(0, 1))
    chain = np.zeros(len(data) * _BLOCK, dtype=np.uint8)
    for place in places.reshape(len(places), -1):
        plain = (place ^ chain).data
        chain = np.frombuffer(b"".join([update(plain[part]) for update, part in calls]), dtype=np.uint8)
    return chain.reshape(-1, _BLOCK)[:, :_MAC]


def _chunks(count: int, most: int) -> Iterator[slice]:
    for start in range(0, count, most):
        yield slice(start, min(start + most, count))


def _in_bulk(suite: Suite) -> Callable[[Bytes, Bytes], Bytes]:
    """Return what computes the TACs of a suite out of keys and messages."""
    if suite is TDES_SUITE:
        return _des_macs
    if suite is SM4_SUITE:
        return lambda keys, message: sm4_cbc_macs(keys, padded(message, _BLOCK))[:, :_MAC]
    if suite is AES_SUITE:
        return lambda keys, message: aes_cmacs(keys, message)[:, :_MAC]
    return lambda keys, message: _one_by_one(keys, message, suite)


def _des_macs(keys16: Bytes, message: Bytes) -> Bytes:
    halves = keys16[:, :8] ^ keys16[:, 8:]
    keys = block_words(halves)
    try:
        macs = des_cbc_macs(keys, padded(message, 8))
    finally:
        halves.fill(0)
        keys.fill(0)
    return macs.astype(">u8").view(np.uint8).reshape(-1, 8)[:, :_MAC]


def _one_by_one(keys16: Bytes, message: Bytes, suite: Suite) -> Bytes:
    codes = (
        suite.mac(suite.tac_key(key.tobytes()), one.tobytes())
        for key, one in zip(keys16, message, strict=True)
    )
    return np.frombuffer(b"".join(codes), dtype=np.uint8).reshape(-1, _MAC)
