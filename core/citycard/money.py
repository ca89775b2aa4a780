"""Money is an integer of fen (1/100 yuan). Nothing here, and nothing above it, uses floats."""

from __future__ import annotations

import re
from collections.abc import Sequence

from citycard.errors import AmountInvalid

__all__ = ["parse_yuan", "percent_of", "split", "yuan"]

_YUAN = re.compile(r"-?[0-9]+(\.[0-9]{1,2})?")


def yuan(amount_fen: int) -> str:
    """Write an amount of fen as yuan with two decimals: ``1234`` is ``12.34``."""
    sign = "-" if amount_fen < 0 else ""
    whole, fen = divmod(abs(amount_fen), 100)
    return f"{sign}{whole}.{fen:02d}"


def parse_yuan(text: str) -> int:
    """Read yuan with at most two decimals into fen; raise AmountInvalid for anything else."""
    if not _YUAN.fullmatch(text):
        raise AmountInvalid(text=text)
    whole, _, fen = text.lstrip("-").partition(".")
    amount_fen = int(whole) * 100 + int(fen.ljust(2, "0") or "0")
    return -amount_fen if text.startswith("-") else amount_fen


def percent_of(amount_fen: int, percent: int, *, denominator: int = 100) -> int:
    """Take a share of a non-negative amount, rounding half up to a whole fen.

    ``denominator`` is 100 for percent and 10000 for basis points.
    """
    return (amount_fen * percent * 2 + denominator) // (2 * denominator)


def split(total_fen: int, weights: Sequence[int]) -> list[int]:
    """Share a total by integer weights so that the parts sum to the whole (largest remainder).

    Ties go to the earlier part, so the answer depends on nothing but the arguments.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise AmountInvalid(text=f"weights {list(weights)}")
    parts = [total_fen * weight // whole for weight in weights]
    remainders = [total_fen * weight % whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: (-remainders[place], place))
    for place in by_remainder[: total_fen - sum(parts)]:
        parts[place] += 1
    return parts
