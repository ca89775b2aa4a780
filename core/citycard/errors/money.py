"""Errors of amounts."""

from __future__ import annotations

from citycard.errors.base import CitycardError

__all__ = [
    "AmountInvalid",
]


class AmountInvalid(CitycardError):
    """An amount could not be read or shared."""

    sentence = "amount {text!r} is not valid: expected yuan with at most two decimals, such as 12.34"
