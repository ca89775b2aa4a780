"""The chart of accounts: what each code means, and which side it stands on."""

from __future__ import annotations

from enum import IntEnum, StrEnum

__all__ = [
    "TITLES",
    "AccountCode",
    "Guard",
    "Side",
    "TransferCode",
    "side_of",
]


class Side(StrEnum):
    """The side on which an account's balance is counted as positive."""

    DEBIT = "D"
    CREDIT = "C"


class Guard(StrEnum):
    """What an account may never do; a transfer that would is refused. Pending amounts count."""

    NONE = "none"
    DEBITS_WITHIN_CREDITS = "dr<=cr"
    CREDITS_WITHIN_DEBITS = "cr<=dr"


class AccountCode(IntEnum):
    """Kinds of account; the first digit is the class (docs/ledger.md)."""

    TRUST_BANK = 1001
    LOAD_AGENTS_RECEIVABLE = 1101
    OTHER_CITIES_RECEIVABLE = 1102
    SETTLEMENT_IN_TRANSIT = 1103
    PROVIDER_RECEIVABLE = 1104
    CHARGEBACKS = 1105
    CLAIMS_ON_HOLDERS = 1106
    CLAIMS_ON_INSURERS = 1107
    CARD_FLOAT = 2001
    ONLINE_ACCOUNTS = 2002
    DEPOSITS = 2003
    LEGACY_FLOAT = 2004
    PAYABLE_TO_PARTNERS = 2101
    PAYABLE_TO_OTHER_CITIES = 2102
    SUSPENSE = 2201
    GAP_RESERVE = 2202
    REFUNDS_DUE = 2203
    SUBSIDIES_HELD = 2204
    UNMATCHED_BANK = 2205
    TOP_UPS_IN_FLIGHT = 2206
    POINTS_FUND = 2301
    FEES = 4001
    BANK_INTEREST = 4002
    DISCOUNTS = 5001
    CARD_LOSS = 5002
    AGENTS_COMMISSION = 5003
    BANK_CHARGES = 5004
    POINTS_ISSUED = 8001
    POINTS_HELD = 8002
    WINDOW_NET = 9001
    AGENTS_QUOTA = 9101
    QUOTA_GIVEN = 9102


#: The name of each code as statements print it.
TITLES: dict[int, str] = {
    AccountCode.TRUST_BANK: "Trust bank",
    AccountCode.LOAD_AGENTS_RECEIVABLE: "Load agents receivable",
    AccountCode.OTHER_CITIES_RECEIVABLE: "Other cities receivable",
    AccountCode.SETTLEMENT_IN_TRANSIT: "Settlement in transit",
    AccountCode.PROVIDER_RECEIVABLE: "Payment providers receivable",
    AccountCode.CHARGEBACKS: "Charge-backs in dispute",
    AccountCode.CLAIMS_ON_HOLDERS: "Claims on holders",
    AccountCode.CLAIMS_ON_INSURERS: "Claims on insurers",
    AccountCode.CARD_FLOAT: "Card float",
    AccountCode.ONLINE_ACCOUNTS: "Online accounts",
    AccountCode.DEPOSITS: "Deposits",
    AccountCode.LEGACY_FLOAT: "Float of old cards",
    AccountCode.PAYABLE_TO_PARTNERS: "Payable to partners",
    AccountCode.PAYABLE_TO_OTHER_CITIES: "Payable to other cities",
    AccountCode.SUSPENSE: "Suspense",
    AccountCode.GAP_RESERVE: "Gap reserve",
    AccountCode.REFUNDS_DUE: "Refunds due",
    AccountCode.SUBSIDIES_HELD: "Subsidies held",
    AccountCode.UNMATCHED_BANK: "Unmatched bank items",
    AccountCode.TOP_UPS_IN_FLIGHT: "Top-ups in flight",
    AccountCode.POINTS_FUND: "Points fund",
    AccountCode.FEES: "Fees",
    AccountCode.BANK_INTEREST: "Interest from the bank",
    AccountCode.DISCOUNTS: "Discounts and caps",
    AccountCode.CARD_LOSS: "Card overdraft and clone loss",
    AccountCode.AGENTS_COMMISSION: "Load agents' commission",
    AccountCode.BANK_CHARGES: "Bank charges",
    AccountCode.POINTS_ISSUED: "Points issued",
    AccountCode.POINTS_HELD: "Points held",
    AccountCode.WINDOW_NET: "Window net",
    AccountCode.AGENTS_QUOTA: "Load agents' quota",
    AccountCode.QUOTA_GIVEN: "Quota given to load agents",
}


class TransferCode(IntEnum):
    """Why money moved. Codes from 1000 on are free for plugins."""

    LOAD = 10
    SPEND = 20
    PAYABLE = 30
    FEE = 40
    SETTLEMENT = 50
    EXCEPTION_ACCEPTED = 51
    DISPUTE_UPHELD = 52
    DISPUTE_GIVEN_BACK = 53
    DEPOSIT = 60
    CARD_SALE = 61
    CARD_FEE = 62
    DEPOSIT_MOVED = 63
    OWED = 64
    PAID_OUT = 65
    LATE_TAPS = 66
    MIGRATION = 70
    CORRECTION = 90
    LOAD_RESERVED = 100
    LOAD_GIVEN_BACK = 101
    LOAD_UNPAID = 102
    ORDER_PAID = 103
    ORDER_DELIVERED = 104
    ORDER_REFUNDED = 105
    PROVIDER_SETTLED = 106
    AGENT_DEPOSIT = 110
    AGENT_COMMISSION = 111
    QUOTA_GRANTED = 112
    QUOTA_RESERVED = 113
    QUOTA_USED = 114
    QUOTA_RELEASED = 115
    QUOTA_RESTORED = 116
    ACCOUNT_PAID = 120
    ACCOUNT_HELD = 121
    HOLD_CAPTURED = 122
    HOLD_RELEASED = 123
    ACCOUNT_GIVEN_BACK = 124
    ACCOUNT_CLOSED = 125
    SUBSIDY_FUNDED = 140
    SUBSIDY_GRANTED = 141
    SUBSIDY_SPENT = 142
    SUBSIDY_GIVEN_BACK = 143
    SUBSIDY_LAPSED = 144
    POINTS_EARNED = 150
    POINTS_PAID_IN = 151
    POINTS_USED = 152
    POINTS_PAID = 153
    POINTS_LEFT_OVER = 154
    POINTS_LAPSED = 155
    POINTS_BREAKAGE = 156
    POINTS_EXCHANGED = 157
    REFUND = 160
    REFUND_OWED = 161
    REFUND_CREDITED = 162
    REFUND_PAID = 163
    CHARGEBACK = 170
    CHARGEBACK_TAKEN = 171
    CHARGEBACK_CLAIMED = 172
    CHARGEBACK_WON = 173
    CLAIM_PAID = 174
    BANK_ORDERED = 180
    BANK_PAID = 181
    BANK_RECEIVED = 182
    BANK_RETURNED = 183
    BANK_NOT_PAID = 184
    BANK_CHARGE = 185
    BANK_INTEREST = 186
    BANK_UNMATCHED = 187
    BANK_RESOLVED = 188
    CITY_ACCEPTED = 190
    CITY_FEE = 191
    CITY_NETTED = 192


# Memorandum accounts stand in pairs, one on each side.
_MEMORANDUM_ON_THE_DEBIT_SIDE = frozenset({AccountCode.POINTS_ISSUED, AccountCode.QUOTA_GIVEN})


def side_of(code: int) -> Side:
    """Give the side of an account by its class: assets (1) and expenses (5) debit, all others credit.

    Of a pair of memorandum accounts one is on the debit side: points issued (8001), quota given (9102).
    """
    debit = str(code)[0] in {"1", "5"} or code in _MEMORANDUM_ON_THE_DEBIT_SIDE
    return Side.DEBIT if debit else Side.CREDIT
