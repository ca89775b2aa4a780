"""Between the city and its bank: payments out, statements in, and every fen between them explained.

- ``payments``: what the city orders; ``instructing`` collects it once, ``instruction`` writes pain.001;
- ``receipts``: what is to come in;
- ``camt``, ``nodes``, ``entry``, ``statement``: read camt.053; ``receiving`` takes statements in, ``holes``
  says which are missing;
- ``matching`` says what a line is, on what ``knowing`` read; ``settling`` makes it true, ``rematching`` looks
  again; ``codes``: states and reasons;
- ``cases`` and ``resolving``: what needs a person; ``lines`` reads what came;
- ``reconciling``: the ledger and the bank, side by side;
- ``calendar``: on which days banks work; ``context``: what the city supplies; ``tables``: rows.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from citycard.bank.calendar import BusinessCalendar
    from citycard.bank.cases import Case, find_cases, take
    from citycard.bank.codes import BankCode, CaseState, How, LineState
    from citycard.bank.context import BankContext, BankTerms
    from citycard.bank.instructing import instruct
    from citycard.bank.instruction import BankAccount
    from citycard.bank.payments import Payment, PaymentKind, PaymentState, order_payment
    from citycard.bank.receipts import Receipt, ReceiptKind, expect_receipt
    from citycard.bank.receiving import receive
    from citycard.bank.reconciling import Reconciliation, reconcile
    from citycard.bank.resolving import Resolution, resolve

__all__ = [
    "BankAccount",
    "BankCode",
    "BankContext",
    "BankTerms",
    "BusinessCalendar",
    "Case",
    "CaseState",
    "How",
    "LineState",
    "Payment",
    "PaymentKind",
    "PaymentState",
    "Receipt",
    "ReceiptKind",
    "Reconciliation",
    "Resolution",
    "expect_receipt",
    "find_cases",
    "instruct",
    "order_payment",
    "receive",
    "reconcile",
    "resolve",
    "take",
]

_MODULES = {
    "calendar": ("BusinessCalendar",),
    "cases": ("Case", "find_cases", "take"),
    "codes": ("BankCode", "CaseState", "How", "LineState"),
    "context": ("BankContext", "BankTerms"),
    "instructing": ("instruct",),
    "instruction": ("BankAccount",),
    "payments": ("Payment", "PaymentKind", "PaymentState", "order_payment"),
    "receipts": ("Receipt", "ReceiptKind", "expect_receipt"),
    "receiving": ("receive",),
    "reconciling": ("Reconciliation", "reconcile"),
    "resolving": ("Resolution", "resolve"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    # Whoever orders a payment must not import the reader of statements.
    if name not in _HOME:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
