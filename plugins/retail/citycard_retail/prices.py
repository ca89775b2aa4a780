"""What customers pay: the price that the merchant asks, less what the city's reductions take off. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from citycard.clearing.pricing import Adjustment, FeeRule, PriceRequest, Stage
from citycard.errors import Phrase
from citycard.money import percent_of
from citycard_retail.settings import Reduction, RetailSettings

__all__ = ["SALES", "fee_rules"]

#: The services that a merchant sells by; the till's, and those that are paid from an online account.
SALES = ("retail-sale", "retail-online", "retail-order")


def fee_rules(settings: RetailSettings) -> Iterator[FeeRule]:
    """Compile the rules: the merchant's price stands, and each reduction takes its part off."""
    yield FeeRule(
        name="retail-price",
        stage=Stage.BASE,
        services=(*SALES, "retail-void"),  # type: ignore[arg-type]
        apply=_given,
        version="1",
    )
    for reduction in settings.reductions:
        names = {category.mcc: category.name for category in settings.categories}
        words = f"{reduction!r}{sorted(names.items()) if reduction.categories else ''}"
        yield FeeRule(
            name=reduction.name,
            stage=Stage.CONCESSION,
            services=SALES,  # type: ignore[arg-type]
            apply=_Reduced(reduction, names),
            version=hashlib.sha256(words.encode()).hexdigest()[:12],
        )


def _given(request: PriceRequest, _: int) -> Adjustment | None:
    if request.list_price_fen is None:
        return None
    return Adjustment(amount_fen=request.list_price_fen, reason="the price that the merchant asks")


class _Reduced:
    """A reduction as a rule: for these cards or these people, with these merchants."""

    def __init__(self, reduction: Reduction, names: dict[str, str]) -> None:
        self._reduction, self._names = reduction, names

    def __call__(self, request: PriceRequest, amount_fen: int) -> Adjustment | None:
        mine = self._reduction
        if mine.categories and self._names.get(str(request.facts.get("mcc"))) not in mine.categories:
            return None
        by_card = request.facts.get("card_kind") in mine.card_kinds
        if not by_card and request.entitlements.isdisjoint(mine.only_for):
            return None
        reason = Phrase("pays {percent} % of the price", percent=mine.percent)
        return Adjustment(amount_fen=percent_of(amount_fen, mine.percent), reason=reason)
