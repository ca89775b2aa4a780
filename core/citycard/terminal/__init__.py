"""The reader's side: readers, the purse session, the SAM, transaction records and batch files.

- ``reader``, ``commands``: the only way to a card, and the commands as bytes
- ``acceptance``: which cards are served, and the words for why not
- ``session``, ``load``, ``loading``: debit, composite debit, load
- ``journal``, ``recovery``: torn cards, mended at their next sight without charging twice
- ``greylock``, ``greysam``, ``greyviews``: fuel pumps. ``passbook``: unloads. ``notes``: what both noted
- ``record``, ``openbatch``, ``batch``, ``terminal``: what is handed in
- ``sam``, ``samcard``: the terminal's security module, in software and in a reader; ``answering``: T=0
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from citycard.terminal.acceptance import Acceptance, Refusal
    from citycard.terminal.batch import Batch, BatchHeader, BatchTrailer, read_batch, write_batch
    from citycard.terminal.greylock import GreyLockSession
    from citycard.terminal.greysam import CardGreySam, GreySam, SoftGreySam
    from citycard.terminal.greyviews import GreyCard, GreyDebit, GreyLock, PurseChoice
    from citycard.terminal.journal import FileJournal, Journal, TornDebit
    from citycard.terminal.load import Load, LoadHost
    from citycard.terminal.notes import Note, Notes
    from citycard.terminal.openbatch import FileOpenBatch, OpenBatch
    from citycard.terminal.passbook import PassbookSession, PassbookView, Unload
    from citycard.terminal.reader import Card, InProcessReader, Reader
    from citycard.terminal.record import RecordFlag, RecordKind, RecordPlan, TransactionRecord, read_record
    from citycard.terminal.sam import Sam, SoftSam
    from citycard.terminal.samcard import CardSam, Factor
    from citycard.terminal.session import PurseSession
    from citycard.terminal.terminal import Terminal
    from citycard.terminal.views import CacheUpdate, CardView, Debit, Outcome

__all__ = [
    "Acceptance",
    "Batch",
    "BatchHeader",
    "BatchTrailer",
    "CacheUpdate",
    "Card",
    "CardGreySam",
    "CardSam",
    "CardView",
    "Debit",
    "Factor",
    "FileJournal",
    "FileOpenBatch",
    "GreyCard",
    "GreyDebit",
    "GreyLock",
    "GreyLockSession",
    "GreySam",
    "InProcessReader",
    "Journal",
    "Load",
    "LoadHost",
    "Note",
    "Notes",
    "OpenBatch",
    "Outcome",
    "PassbookSession",
    "PassbookView",
    "PurseChoice",
    "PurseSession",
    "Reader",
    "RecordFlag",
    "RecordKind",
    "RecordPlan",
    "Refusal",
    "Sam",
    "SoftGreySam",
    "SoftSam",
    "Terminal",
    "TornDebit",
    "TransactionRecord",
    "Unload",
    "read_batch",
    "read_record",
    "write_batch",
]

_MODULES = {
    "acceptance": ("Acceptance", "Refusal"),
    "batch": ("Batch", "BatchHeader", "BatchTrailer", "read_batch", "write_batch"),
    "greylock": ("GreyLockSession",),
    "greysam": ("CardGreySam", "GreySam", "SoftGreySam"),
    "greyviews": ("GreyCard", "GreyDebit", "GreyLock", "PurseChoice"),
    "journal": ("FileJournal", "Journal", "TornDebit"),
    "load": ("Load", "LoadHost"),
    "notes": ("Note", "Notes"),
    "openbatch": ("FileOpenBatch", "OpenBatch"),
    "passbook": ("PassbookSession", "PassbookView", "Unload"),
    "reader": ("Card", "InProcessReader", "Reader"),
    "record": ("RecordFlag", "RecordKind", "RecordPlan", "TransactionRecord", "read_record"),
    "sam": ("Sam", "SoftSam"),
    "samcard": ("CardSam", "Factor"),
    "session": ("PurseSession",),
    "terminal": ("Terminal",),
    "views": ("CacheUpdate", "CardView", "Debit", "Outcome"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    # A plugin that reads records must not import the SAM and its cryptography.
    if name not in _HOME:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
