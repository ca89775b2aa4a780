"""What the ledger means in a city: whose accounts there are, and the desk that loads cards.

- ``addresses``: how accounts are addressed;
- ``load`` and ``topup``: money on its way onto a card; ``loadbook`` keeps the loads;
- ``tables``: where it is all kept.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from citycard.wallet.addresses import (
        CONTROL_WINDOW,
        INCOME_CARDS,
        INCOME_CLEARING_FEE,
        LOSS_LATE_TAPS,
        TRANSIT_SETTLEMENT,
        TRUST_BANK,
        agent_receivable,
        card_deposit,
        card_purse,
        card_refund,
        partner_payable,
    )
    from citycard.wallet.load import Load, LoadState, Proof
    from citycard.wallet.loadbook import loads_of, open_loads
    from citycard.wallet.topup import LoadVault, TopUpDesk

__all__ = [
    "CONTROL_WINDOW",
    "INCOME_CARDS",
    "INCOME_CLEARING_FEE",
    "LOSS_LATE_TAPS",
    "TRANSIT_SETTLEMENT",
    "TRUST_BANK",
    "Load",
    "LoadState",
    "LoadVault",
    "Proof",
    "TopUpDesk",
    "agent_receivable",
    "card_deposit",
    "card_purse",
    "card_refund",
    "loads_of",
    "open_loads",
    "partner_payable",
]

_MODULES = {
    "addresses": (
        "CONTROL_WINDOW",
        "INCOME_CARDS",
        "INCOME_CLEARING_FEE",
        "LOSS_LATE_TAPS",
        "TRANSIT_SETTLEMENT",
        "TRUST_BANK",
        "agent_receivable",
        "card_deposit",
        "card_purse",
        "card_refund",
        "partner_payable",
    ),
    "load": ("Load", "LoadState", "Proof"),
    "loadbook": ("loads_of", "open_loads"),
    "topup": ("LoadVault", "TopUpDesk"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    # A plugin that names an account must not import the desks.
    if name not in _HOME:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
