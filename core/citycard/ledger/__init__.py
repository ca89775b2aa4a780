"""The double-entry ledger: accounts, transfers that are never changed, and one answer per id for ever.

- ``chart``: codes, sides, guards;
- ``records``: what goes into the ledger and what comes out of it;
- ``following``: the transfers that end a hold or take something back;
- ``ledger``: open accounts, post, read, audit. ``gathering``, ``standing``, ``judging``, ``posting`` and
  others do the writing, ``reading``, ``history`` and ``audit`` the reading;
- ``writer``: many callers, whose transfers are posted together; on PostgreSQL ``ahead`` judges them on what
  the writer left behind;
- ``tables``: where it is all kept.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from citycard.ledger.chart import TITLES, AccountCode, Guard, Side, TransferCode, side_of
    from citycard.ledger.following import capture, release, reversal
    from citycard.ledger.ledger import Ledger
    from citycard.ledger.records import (
        AccountSpec,
        Balance,
        Hold,
        HoldState,
        Kind,
        Limit,
        Outcome,
        PostedTransfer,
        Result,
        Transfer,
    )
    from citycard.ledger.writer import LedgerWriter

__all__ = [
    "TITLES",
    "AccountCode",
    "AccountSpec",
    "Balance",
    "Guard",
    "Hold",
    "HoldState",
    "Kind",
    "Ledger",
    "LedgerWriter",
    "Limit",
    "Outcome",
    "PostedTransfer",
    "Result",
    "Side",
    "Transfer",
    "TransferCode",
    "capture",
    "release",
    "reversal",
    "side_of",
]

_MODULES = {
    "chart": ("TITLES", "AccountCode", "Guard", "Side", "TransferCode", "side_of"),
    "following": ("capture", "release", "reversal"),
    "ledger": ("Ledger",),
    "writer": ("LedgerWriter",),
    "records": (
        "AccountSpec",
        "Balance",
        "Hold",
        "HoldState",
        "Kind",
        "Limit",
        "Outcome",
        "PostedTransfer",
        "Result",
        "Transfer",
    ),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    # A plugin that names an account of the chart must not import the ledger.
    if name not in _HOME:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
