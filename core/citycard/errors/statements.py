"""Errors of statements."""

from __future__ import annotations

from citycard.errors.base import CitycardError

__all__ = ["StatementPeriodInvalid"]


class StatementPeriodInvalid(CitycardError):
    """A statement is asked for a period that ends before it begins."""

    status, exit_code = 422, 3
    sentence = "a statement from {since} to {until} has no day: the first day comes first"
