"""The wallet's own tables, beside the ledger's, by what they are about."""

from __future__ import annotations

from citycard.wallet.tables.accounts import (
    account_hold,
    account_limit,
    online_account,
    payment,
    payment_part,
    payment_refund,
    points_acceptance,
    points_act,
    points_lot,
    points_rate,
    points_scheme,
    subsidy_funding,
    subsidy_grant,
    subsidy_lapse,
    subsidy_programme,
    wallet_act,
)
from citycard.wallet.tables.loads import (
    agent_day,
    auto_top_up,
    load,
    load_agent,
    payment_nonce,
    payment_order,
)
from citycard.wallet.tables.moneyout import (
    chargeback,
    chargeback_step,
    float_checkpoint,
    float_sum,
    purchase_refund,
    purchase_refund_part,
)

__all__ = [
    "account_hold",
    "account_limit",
    "agent_day",
    "auto_top_up",
    "chargeback",
    "chargeback_step",
    "float_checkpoint",
    "float_sum",
    "load",
    "load_agent",
    "online_account",
    "payment",
    "payment_nonce",
    "payment_order",
    "payment_part",
    "payment_refund",
    "points_acceptance",
    "points_act",
    "points_lot",
    "points_rate",
    "points_scheme",
    "purchase_refund",
    "purchase_refund_part",
    "subsidy_funding",
    "subsidy_grant",
    "subsidy_lapse",
    "subsidy_programme",
    "wallet_act",
]
