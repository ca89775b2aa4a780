"""Purchases as columns: what a TAC is computed over, of very many records."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from citycard.keys.columns import Bytes, Numbers, big_endian, require_bytes, require_numbers

__all__ = ["Purchases"]

_SIZE = 22


@attrs.frozen(kw_only=True, eq=False)
class Purchases:
    """Columns with one row per purchase; raises ``ColumnInvalid`` for a column of another shape or range.

    ``terminal6`` has shape (n, 6), ``datetime7`` (n, 7), the numbers (n,).
    """

    amount_fen: Numbers
    tti: Numbers
    terminal6: Bytes
    serial: Numbers
    datetime7: Bytes

    def __attrs_post_init__(self) -> None:
        count = len(self.terminal6)
        require_bytes("terminal6", self.terminal6, (count, 6))
        require_bytes("datetime7", self.datetime7, (count, 7))
        require_numbers("amount_fen", self.amount_fen, count, 4)
        require_numbers("tti", self.tti, count, 1)
        require_numbers("serial", self.serial, count, 4)

    def __len__(self) -> int:
        return len(self.terminal6)

    def taken(self, places: slice | NDArray[np.integer[Any]]) -> Purchases:
        """Return the purchases at these places."""
        return Purchases(
            amount_fen=self.amount_fen[places],
            tti=self.tti[places],
            terminal6=self.terminal6[places],
            serial=self.serial[places],
            datetime7=self.datetime7[places],
        )

    def messages(self) -> Bytes:
        """Return the 22 bytes of each: amount ‖ TTI ‖ terminal ‖ serial ‖ time, without padding."""
        made = np.empty((len(self), _SIZE), dtype=np.uint8)
        made[:, :4] = big_endian(self.amount_fen)
        made[:, 4] = self.tti
        made[:, 5:11] = self.terminal6
        made[:, 11:15] = big_endian(self.serial)
        made[:, 15:] = self.datetime7
        return made
