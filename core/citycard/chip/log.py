"""The transaction log 交易明细 that the chip writes itself: ten cyclic records of 23 bytes (EF 18)."""

from __future__ import annotations

from struct import Struct

from citycard.chip.eeprom import Entry
from citycard.chip.files import CYCLIC, File
from citycard.chip.records import cyclic_append
from citycard.chip.state import CardState

__all__ = ["LOG_RECORD", "log_entries"]

LOG_RECORD = Struct(">H3sIB6s7s")
"""Counter, overdraft limit, amount, TTI, terminal, date and time."""


def log_entries(
    card: CardState,
    purse: File,
    counter: int,
    limit: bytes,
    amount_fen: int,
    tti: int,
    terminal: bytes,
    when: bytes,
) -> list[Entry]:
    """Return the writes of one log record; none when the purse names no log file."""
    file = card.powered.directory.files.get(purse.log_fid)
    if file is None or file.kind != CYCLIC or file.record_size != LOG_RECORD.size:
        return []
    record = LOG_RECORD.pack(counter, limit, amount_fen, tti, terminal, when)
    return cyclic_append(card.eeprom.cells, file, record)
