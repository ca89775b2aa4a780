"""How the accounts of a city are addressed: whose they are, and what for."""

from __future__ import annotations

from uuid import UUID

__all__ = [
    "BANK_CHARGES",
    "BANK_INTEREST",
    "BANK_UNMATCHED",
    "CARDS_SPENT",
    "CITY_PREFIX",
    "CONTROL_WINDOW",
    "EXPENSE_COMMISSION",
    "INCOME_CARDS",
    "INCOME_CITY_FEE",
    "INCOME_CLEARING_FEE",
    "LEGACY_FLOAT",
    "LOSS_CLEARING",
    "LOSS_LATE_TAPS",
    "LOSS_UNPAID_LOADS",
    "TOP_UPS_IN_FLIGHT",
    "TRANSIT_SETTLEMENT",
    "TRUST_BANK",
    "account_points",
    "account_refund",
    "account_subsidy",
    "agent_quota",
    "agent_quota_given",
    "agent_receivable",
    "card_deposit",
    "card_purse",
    "card_refund",
    "chargeback_pending",
    "city_payee",
    "city_receivable",
    "holder_claim",
    "online_account",
    "partner_payable",
    "payable_of",
    "points_fund",
    "points_issued",
    "provider_receivable",
    "subsidy_fund",
]


TRUST_BANK = "trust/bank"
BANK_UNMATCHED = "bank/unmatched"
BANK_INTEREST = "income/bank-interest"
BANK_CHARGES = "expense/bank-charges"
LEGACY_FLOAT = "legacy/float"
TRANSIT_SETTLEMENT = "transit/settlement"
CONTROL_WINDOW = "control/window"
#: What clearing took from all cards; beside a card's own account it makes the card's shadow.
CARDS_SPENT = "cards/spent"
INCOME_CLEARING_FEE = "income/clearing-fee"
INCOME_CARDS = "income/cards"
LOSS_CLEARING = "loss/clearing"
LOSS_LATE_TAPS = "loss/late-taps"
LOSS_UNPAID_LOADS = "loss/unpaid-loads"
TOP_UPS_IN_FLIGHT = "topup/in-flight"
EXPENSE_COMMISSION = "expense/commission"
INCOME_CITY_FEE = "income/city-fee"
CITY_PREFIX = "city/"


def card_purse(asn: str) -> str:
    """Give the address of a card's purse account: all that came onto the card, before what it spent."""
    return f"card/{asn}/purse"


def card_deposit(asn: str) -> str:
    """Give the address of the deposit taken for a card."""
    return f"card/{asn}/deposit"


def card_refund(asn: str) -> str:
    """Give the address of what is owed to the holder of a card that was given up."""
    return f"card/{asn}/refund"


def account_refund(number: str) -> str:
    """Give the address of what is owed to the holder of an online account."""
    return f"account/{number}/refund"


def online_account(number: str) -> str:
    """Give the address of the money in an online account."""
    return f"account/{number}/online"


def chargeback_pending(case: UUID) -> str:
    """Give the address of a top-up that was taken back, until it is known who bears it."""
    return f"chargeback/{case}"


def holder_claim(asn: str) -> str:
    """Give the address of what the holder of a card owes the city."""
    return f"card/{asn}/claim"


def partner_payable(partner: str) -> str:
    """Give the address of what the city owes a partner."""
    return f"partner/{partner}/payable"


def city_payee(code: str) -> str:
    """Give the name under which another city is paid in a run: no partner can have it."""
    return f"{CITY_PREFIX}{code}"


def payable_of(payee: str) -> str:
    """Give the address of what is owed to who is paid in a run: a partner, or another city."""
    return f"{payee}/payable" if payee.startswith(CITY_PREFIX) else partner_payable(payee)


def city_receivable(code: str) -> str:
    """Give the address of what another city owes for its cards used here."""
    return f"{CITY_PREFIX}{code}/receivable"


def agent_receivable(agent: str) -> str:
    """Give the address of what a load agent collected and has not handed over."""
    return f"agent/{agent}/receivable"


def agent_quota(agent: str) -> str:
    """Give the address of what a load agent may still load."""
    return f"agent/{agent}/quota"


def agent_quota_given(agent: str) -> str:
    """Give the address of the other side of a load agent's quota."""
    return f"agent/{agent}/quota-given"


def provider_receivable(provider: str) -> str:
    """Give the address of what a payment provider took from citizens and has not handed over."""
    return f"provider/{provider}/receivable"


def subsidy_fund(programme: str) -> str:
    """Give the address of the budget of a subsidy programme: what was not granted, and what lapsed."""
    return f"subsidy/{programme}/fund"


def account_subsidy(number: str, programme: str) -> str:
    """Give the address of what an online account holds of a subsidy programme."""
    return f"account/{number}/subsidy/{programme}"


def account_points(number: str, scheme: str) -> str:
    """Give the address of the points of a partner's scheme that an online account holds."""
    return f"account/{number}/points/{scheme}"


def points_fund(scheme: str) -> str:
    """Give the address of the money behind the points of a partner's scheme."""
    return f"points/{scheme}/fund"


def points_issued(scheme: str) -> str:
    """Give the address of the points that a partner's scheme has issued and not taken back."""
    return f"points/{scheme}/issued"
