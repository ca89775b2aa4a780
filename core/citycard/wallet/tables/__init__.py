"""The wallet's own tables, beside the ledger's, by what they are about."""

from __future__ import annotations

from citycard.wallet.tables.loads import agent_day, auto_top_up, load, load_agent, payment_nonce, payment_order
from citycard.wallet.tables.moneyout import chargeback, chargeback_step, float_checkpoint, float_sum, purchase_refund, purchase_refund_part

__all__ = [
    "agent_day",
    "auto_top_up",
    "chargeback",
    "chargeback_step",
    "float_checkpoint",
    "float_sum",
    "load",
    "load_agent",
    "payment_nonce",
    "payment_order",
    "purchase_refund",
    "purchase_refund_part",
]
