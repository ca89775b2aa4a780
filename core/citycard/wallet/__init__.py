"""The city's money: a double-entry ledger, and the desk that loads cards.

- ``chart``: codes, sides, guards, and how addresses are written;
- ``records``: what goes into the ledger and what comes out of it;
- ``ledger``: open accounts, post, read, audit; ``posting``, ``judging``, ``reading``, ``audit`` do the work;
- ``load`` and ``topup``: money on its way onto a card; ``loadbook`` keeps the loads;
- ``tables``: where it is all kept.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from citycard.wallet.chart import (
        CONTROL_WINDOW,
        INCOME_CARDS,
        INCOME_CLEARING_FEE,
        LOSS_LATE_TAPS,
        TITLES,
        TRANSIT_SETTLEMENT,
        TRUST_BANK,
        AccountCode,
        Guard,
        Side,
        TransferCode,
        agent_receivable,
        card_deposit,
        card_purse,
        card_refund,
        partner_payable,
    )
    from citycard.wallet.ledger import Ledger
    from citycard.wallet.load import Load, LoadState, Proof
    from citycard.wallet.loadbook import loads_of, open_loads
    from citycard.wallet.records import AccountSpec, Balance, Outcome, PostedTransfer, Result, Transfer
    from citycard.wallet.topup import LoadVault, TopUpDesk

__all__ = [
    "CONTROL_WINDOW",
    "INCOME_CARDS",
    "INCOME_CLEARING_FEE",
    "LOSS_LATE_TAPS",
    "TITLES",
    "TRANSIT_SETTLEMENT",
    "TRUST_BANK",
    "AccountCode",
    "AccountSpec",
    "Balance",
    "Guard",
    "Ledger",
    "Load",
    "LoadState",
    "LoadVault",
    "Outcome",
    "PostedTransfer",
    "Proof",
    "Result",
    "Side",
    "TopUpDesk",
    "Transfer",
    "TransferCode",
    "agent_receivable",
    "card_deposit",
    "card_purse",
    "card_refund",
    "loads_of",
    "open_loads",
    "partner_payable",
]

_MODULES = {
    "chart": (
        "CONTROL_WINDOW",
        "INCOME_CARDS",
        "INCOME_CLEARING_FEE",
        "LOSS_LATE_TAPS",
        "TITLES",
        "TRANSIT_SETTLEMENT",
        "TRUST_BANK",
        "AccountCode",
        "Guard",
        "Side",
        "TransferCode",
        "agent_receivable",
        "card_deposit",
        "card_purse",
        "card_refund",
        "partner_payable",
    ),
    "ledger": ("Ledger",),
    "load": ("Load", "LoadState", "Proof"),
    "loadbook": ("loads_of", "open_loads"),
    "records": ("AccountSpec", "Balance", "Outcome", "PostedTransfer", "Result", "Transfer"),
    "topup": ("LoadVault", "TopUpDesk"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    # A plugin that names an account of the chart must not import the ledger.
    if name not in _HOME:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
