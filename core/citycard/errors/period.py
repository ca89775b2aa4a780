"""Errors of the days that something is asked for."""

from __future__ import annotations

from citycard.errors.base import CitycardError

__all__ = ["PeriodInvalid"]


class PeriodInvalid(CitycardError):
    """Something is asked for a period that ends before it begins."""

    status, exit_code = 422, 3
    sentence = (
        "the first day is {since} and the last is {until}: expected a first day that is not after the last; "
        "give an earlier first day or a later last one"
    )
