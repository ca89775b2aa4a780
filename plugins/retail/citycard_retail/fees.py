"""What the city takes of a sale, and what of it stays when money is given back. Pure: fen in, fen out."""

from __future__ import annotations

from citycard.money import percent_of
from citycard_retail.settings import Tier

__all__ = ["fee_after", "fee_fen"]


def fee_fen(tier: Tier, amount_fen: int) -> int:
    """Give the fee of a sale: basis points rounded half up, within the tier's bounds, at most the sale."""
    if amount_fen <= tier.free_up_to_fen:
        return 0
    fee = max(percent_of(amount_fen, tier.bp, denominator=10_000), tier.least_fen)
    if tier.most_fen is not None:
        fee = min(fee, tier.most_fen)
    return min(fee, amount_fen)


def fee_after(tier: Tier, fee_now_fen: int, left_fen: int, back_fen: int, *, void: bool) -> int:
    """Give the fee that a sale keeps when ``back_fen`` of what was ``left_fen`` of it comes back.

    Where the tier gives fees back it is the fee of what is left then: nothing of the fee of a sale that came
    back whole, in however many parts. It is never more than before, and no more comes back than the money.
    """
    if not (tier.returns == "all" or (void and tier.returns == "voids")):
        return fee_now_fen
    return min(fee_now_fen, max(fee_fen(tier, left_fen - back_fen), fee_now_fen - back_fen))
