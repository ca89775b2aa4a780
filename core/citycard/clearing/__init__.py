"""Clearing: from the batch files of the terminals to the bank instruction, every fen accounted for.

- ``pricing``: rules in stages make a price, each step explained;
- ``intake``, ``delivery``, ``manifest``, ``missing``: every batch file ends accepted, duplicate or
  quarantined, and what did not come is known;
- ``run``: every record ends accepted, rejected, suspended or duplicate; ``gather`` reads what is known of a
  ``bucket``, ``verify``, ``sequence`` and ``judge`` decide without reading anything more, ``tally`` adds up,
  ``outcomes`` keeps;
- ``closing``, ``postings``, ``gaps``: what a run means, in one transaction; ``payments`` orders what it
  pays (``citycard.bank``);
- ``statements``, ``explanation``, ``queries``, ``accepted``: what came of it, for partners, doubters, pages
  and domains;
- ``context``: what the city supplies; ``codes`` and ``reports``: what is answered; ``columns`` and ``files``:
  records in Parquet; ``tables``: rows.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from citycard.clearing.codes import Code, FileCode, FileState, State
    from citycard.clearing.context import BankAccount, ClearingContext, ClearingTerms, Rating, Share
    from citycard.clearing.explanation import Explanation, explain
    from citycard.clearing.intake import receive
    from citycard.clearing.missing import missing_batches
    from citycard.clearing.pricing import (
        Adjustment,
        FeeRule,
        PriceRequest,
        Quote,
        RuleBook,
        Stage,
        Step,
        quote,
    )
    from citycard.clearing.reports import IntakeReport, Missing, RunReport
    from citycard.clearing.run import clear, last_report
    from citycard.clearing.statements import Statement, statement_of, statements_of

_HOMES = {
    "codes": ("Code", "FileCode", "FileState", "State"),
    "context": ("BankAccount", "ClearingContext", "ClearingTerms", "Rating", "Share"),
    "explanation": ("Explanation", "explain"),
    "intake": ("receive",),
    "missing": ("missing_batches",),
    "pricing": ("Adjustment", "FeeRule", "PriceRequest", "Quote", "RuleBook", "Stage", "Step", "quote"),
    "reports": ("IntakeReport", "Missing", "RunReport"),
    "run": ("clear", "last_report"),
    "statements": ("Statement", "statement_of", "statements_of"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Adjustment",
    "BankAccount",
    "ClearingContext",
    "ClearingTerms",
    "Code",
    "Explanation",
    "FeeRule",
    "FileCode",
    "FileState",
    "IntakeReport",
    "Missing",
    "PriceRequest",
    "Quote",
    "Rating",
    "RuleBook",
    "RunReport",
    "Share",
    "Stage",
    "State",
    "Statement",
    "Step",
    "clear",
    "explain",
    "last_report",
    "missing_batches",
    "quote",
    "receive",
    "statement_of",
    "statements_of",
]


def __getattr__(name: str) -> Any:
    # Loaded when asked for: the command line must answer before Parquet and DuckDB are there.
    if name not in _HOME_OF:
        raise AttributeError(name)
    return getattr(import_module(f"citycard.clearing.{_HOME_OF[name]}"), name)
