"""Amounts as people type them: yuan with at most two decimals, and never below zero."""

from __future__ import annotations

import click

from citycard.money import parse_yuan

__all__ = ["amount_of"]


def amount_of(text: str) -> int:
    """Read yuan into fen; a wrong call below zero, AmountInvalid for what is no amount."""
    amount_fen = parse_yuan(text)
    if amount_fen < 0:
        raise click.UsageError(f"{text} is below zero: an amount is yuan without a sign, such as 12.34")
    return amount_fen
