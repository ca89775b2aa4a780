"""What the ledger means in a city: whose accounts there are, and what is done with the money on them.

- ``addresses``: how accounts are addressed;
- ``load`` and ``topup``: money on its way onto a card; ``loadbook`` keeps the loads;
- ``online``, ``accounts``: accounts beside the card; ``payments`` and ``holds`` pay partners from them, as
  ``planning`` says and ``limits`` allow; ``paymentbook`` keeps what was paid;
- ``programmes``, ``grants``, ``grantfile``: subsidies with a purpose and an end;
- ``lots``, ``schemes``, ``points``, ``pointsback``: the points of partners;
- ``acts``: everything that is asked for under an id happens once, and ``actbook`` says what was answered;
- ``context``: what all of this works in;
- ``tables``: where it is all kept.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from citycard.wallet.accounts import Accounts
    from citycard.wallet.addresses import (
        CARDS_SPENT,
        CONTROL_WINDOW,
        INCOME_CARDS,
        INCOME_CLEARING_FEE,
        LOSS_LATE_TAPS,
        TRANSIT_SETTLEMENT,
        TRUST_BANK,
        account_points,
        account_refund,
        account_subsidy,
        agent_receivable,
        card_deposit,
        card_purse,
        card_refund,
        online_account,
        partner_payable,
        points_fund,
        points_issued,
        subsidy_fund,
    )
    from citycard.wallet.context import Payee, WalletContext
    from citycard.wallet.grantfile import BadLine, GrantLine, read_grants
    from citycard.wallet.grants import BulkGrant, grant, grant_lines, grants_of, lapse_expired
    from citycard.wallet.holds import AccountHold, Holds, holds_of
    from citycard.wallet.limits import ActKind, CityLimits, LimitRule
    from citycard.wallet.load import Load, LoadState, Proof
    from citycard.wallet.loadbook import loads_of, open_loads
    from citycard.wallet.lots import ExchangeRate, Lot, Scheme
    from citycard.wallet.online import (
        AccountStatus,
        OnlineAccount,
        accounts_of,
        available_fen,
        find_account,
        move_account,
    )
    from citycard.wallet.paymentbook import PaidPart, Payment, find_payment, payments_of
    from citycard.wallet.payments import Payments
    from citycard.wallet.planning import Part, Pot, Purpose, plan
    from citycard.wallet.points import Points, PointsDone, lapse_lots, lots_of
    from citycard.wallet.programmes import (
        Programme,
        ProgrammeReport,
        add_programme,
        find_programme,
        fund_programme,
        pots_of,
        programmes_by_id,
        report_programme,
    )
    from citycard.wallet.schemes import (
        SchemeReport,
        accept_points,
        acceptances,
        add_scheme,
        exchange_rates,
        report_scheme,
        schemes_by_partner,
        set_exchange_rate,
    )
    from citycard.wallet.topup import LoadVault, TopUpDesk

__all__ = [
    "CARDS_SPENT",
    "CONTROL_WINDOW",
    "INCOME_CARDS",
    "INCOME_CLEARING_FEE",
    "LOSS_LATE_TAPS",
    "TRANSIT_SETTLEMENT",
    "TRUST_BANK",
    "AccountHold",
    "AccountStatus",
    "Accounts",
    "ActKind",
    "BadLine",
    "BulkGrant",
    "CityLimits",
    "ExchangeRate",
    "GrantLine",
    "Holds",
    "LimitRule",
    "Load",
    "LoadState",
    "LoadVault",
    "Lot",
    "OnlineAccount",
    "PaidPart",
    "Part",
    "Payee",
    "Payment",
    "Payments",
    "Points",
    "PointsDone",
    "Pot",
    "Programme",
    "ProgrammeReport",
    "Proof",
    "Purpose",
    "Scheme",
    "SchemeReport",
    "TopUpDesk",
    "WalletContext",
    "accept_points",
    "acceptances",
    "account_points",
    "account_refund",
    "account_subsidy",
    "accounts_of",
    "add_programme",
    "add_scheme",
    "agent_receivable",
    "available_fen",
    "card_deposit",
    "card_purse",
    "card_refund",
    "exchange_rates",
    "find_account",
    "find_payment",
    "find_programme",
    "fund_programme",
    "grant",
    "grant_lines",
    "grants_of",
    "holds_of",
    "lapse_expired",
    "lapse_lots",
    "loads_of",
    "lots_of",
    "move_account",
    "online_account",
    "open_loads",
    "partner_payable",
    "payments_of",
    "plan",
    "points_fund",
    "points_issued",
    "pots_of",
    "programmes_by_id",
    "read_grants",
    "report_programme",
    "report_scheme",
    "schemes_by_partner",
    "set_exchange_rate",
    "subsidy_fund",
]

_MODULES = {
    "accounts": ("Accounts",),
    "addresses": (
        "CARDS_SPENT",
        "CONTROL_WINDOW",
        "INCOME_CARDS",
        "INCOME_CLEARING_FEE",
        "LOSS_LATE_TAPS",
        "TRANSIT_SETTLEMENT",
        "TRUST_BANK",
        "account_points",
        "account_refund",
        "account_subsidy",
        "agent_receivable",
        "card_deposit",
        "card_purse",
        "card_refund",
        "online_account",
        "partner_payable",
        "points_fund",
        "points_issued",
        "subsidy_fund",
    ),
    "context": (
        "Payee",
        "WalletContext",
    ),
    "grantfile": (
        "BadLine",
        "GrantLine",
        "read_grants",
    ),
    "grants": (
        "BulkGrant",
        "grant",
        "grant_lines",
        "grants_of",
        "lapse_expired",
    ),
    "holds": (
        "AccountHold",
        "Holds",
        "holds_of",
    ),
    "limits": (
        "ActKind",
        "CityLimits",
        "LimitRule",
    ),
    "load": (
        "Load",
        "LoadState",
        "Proof",
    ),
    "loadbook": (
        "loads_of",
        "open_loads",
    ),
    "lots": (
        "ExchangeRate",
        "Lot",
        "Scheme",
    ),
    "online": (
        "AccountStatus",
        "OnlineAccount",
        "accounts_of",
        "available_fen",
        "find_account",
        "move_account",
    ),
    "paymentbook": (
        "PaidPart",
        "Payment",
        "find_payment",
        "payments_of",
    ),
    "payments": ("Payments",),
    "planning": (
        "Part",
        "Pot",
        "Purpose",
        "plan",
    ),
    "points": (
        "Points",
        "PointsDone",
        "lapse_lots",
        "lots_of",
    ),
    "programmes": (
        "Programme",
        "ProgrammeReport",
        "add_programme",
        "find_programme",
        "fund_programme",
        "pots_of",
        "programmes_by_id",
        "report_programme",
    ),
    "schemes": (
        "SchemeReport",
        "accept_points",
        "acceptances",
        "add_scheme",
        "exchange_rates",
        "report_scheme",
        "schemes_by_partner",
        "set_exchange_rate",
    ),
    "topup": (
        "LoadVault",
        "TopUpDesk",
    ),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    # A plugin that names an account must not import the desks.
    if name not in _HOME:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
