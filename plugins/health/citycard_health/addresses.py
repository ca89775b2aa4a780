"""The accounts of health in the ledger, by their addresses."""

from __future__ import annotations

__all__ = ["CLAIMS", "insurer_account"]

#: What insurers owe to clinics and have not paid yet.
CLAIMS = "health/claims"


def insurer_account(insurer: str) -> str:
    """Name the ledger account on which an insurer owes its claims."""
    return f"health/insurer/{insurer}"
