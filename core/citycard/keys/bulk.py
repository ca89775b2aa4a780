"""TACs and MACs of very many records at once: of each what ``purse`` and ``cipher`` give (``docs/keys.md``).

The records are columns: NumPy arrays with one row per record. Only what works in bulk imports this module,
because importing NumPy takes longer than the command line may.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from citycard.keys.bitsliced import des_cbc_macs
from citycard.keys.columns import Bytes, Numbers, big_endian, require_bytes, require_numbers
from citycard.keys.lanes import block_words
from citycard.keys.suite import TDES_SUITE, Suite

__all__ = ["CHUNK", "purchase_tacs"]

#: Records that are computed at once. Memory does not grow with their number beyond this.
CHUNK: Final = 262_144

_MESSAGE, _MAC = 22, 4


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
    count = len(keys16)
    require_bytes("keys16", keys16, (count, 16))
    require_bytes("terminal6", terminal6, (count, 6))
    require_bytes("datetime7", datetime7, (count, 7))
    require_numbers("amount_fen", amount_fen, count, 4)
    require_numbers("tti", tti, count, 1)
    require_numbers("serial", serial, count, 4)
    made = np.empty((count, _MAC), dtype=np.uint8)
    for part in _chunks(count):
        message = _message(amount_fen[part], tti[part], terminal6[part], serial[part], datetime7[part])
        if suite is TDES_SUITE:
            made[part] = _des_macs(keys16[part], message)
        else:
            made[part] = _one_by_one(keys16[part], message, suite)
    return made


def _chunks(count: int) -> Iterator[slice]:
    for start in range(0, count, CHUNK):
        yield slice(start, min(start + CHUNK, count))


def _message(amount_fen: Numbers, tti: Numbers, terminal6: Bytes, serial: Numbers, datetime7: Bytes) -> Bytes:
    """Return what each TAC is computed over, not padded: amount ‖ TTI ‖ terminal ‖ serial ‖ time."""
    message = np.empty((len(terminal6), _MESSAGE), dtype=np.uint8)
    message[:, :4] = big_endian(amount_fen)
    message[:, 4] = tti
    message[:, 5:11] = terminal6
    message[:, 11:15] = big_endian(serial)
    message[:, 15:] = datetime7
    return message


def _padded(message: Bytes, block: int) -> Bytes:
    """Append ``80 00…`` up to a whole block, and a full block when already aligned (ISO 9797-1 method 2)."""
    size = message.shape[1]
    blocks = np.zeros((len(message), size + block - size % block), dtype=np.uint8)
    blocks[:, :size] = message
    blocks[:, size] = 0x80
    return blocks


def _des_macs(keys16: Bytes, message: Bytes) -> Bytes:
    keys = block_words(keys16[:, :8])
    keys ^= block_words(keys16[:, 8:])
    try:
        macs = des_cbc_macs(keys, _padded(message, 8))
    finally:
        keys.fill(0)
    return macs.astype(">u8").view(np.uint8).reshape(-1, 8)[:, :_MAC]


def _one_by_one(keys16: Bytes, message: Bytes, suite: Suite) -> Bytes:
    codes = (
        suite.mac(suite.tac_key(key.tobytes()), one.tobytes())
        for key, one in zip(keys16, message, strict=True)
    )
    return np.frombuffer(b"".join(codes), dtype=np.uint8).reshape(-1, _MAC)
