"""How the price of one ride came to be: each rule that had a say, in order, in words of both languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import attrs

from citycard.clearing.pricing import Quote, Stage
from citycard_transit.errors import ProductNotConfigured
from citycard_transit.sectors import RideFacts
from citycard_transit.services import Fares
from citycard_transit.settings import TransitSettings

__all__ = ["Explanation", "Line", "explained", "facts_of", "product_kind"]

_STAGES = {
    Stage.BASE: ("base price", "基础票价"),
    Stage.CONCESSION: ("concession", "优惠身份"),
    Stage.DISCOUNT: ("discount", "刷卡折扣"),
    Stage.TRANSFER: ("transfer", "换乘优惠"),
    Stage.CAP: ("cap", "封顶"),
    Stage.ROUNDING: ("rounding", "取整"),
    Stage.FEE: ("fee", "费用"),
}


@attrs.frozen(kw_only=True)
class Line:
    """One rule's say: amounts before and after it in fen, why, and which rules it overruled."""

    stage: str
    stage_zh: str
    rule: str
    before_fen: int
    after_fen: int
    reason: str
    overruled: Sequence[str] = ()


@attrs.frozen(kw_only=True)
class Explanation:
    """A price in fen with the lines that made it, and the version of the rules."""

    service: str
    price_fen: int
    charged_fen: int | None = None
    transfer: bool
    entitlements: Sequence[str]
    lines: Sequence[Line]
    rules_version: str
    record: Mapping[str, object] | None = None


def explained(fares: Fares, quote: Quote, *, service: str, transfer: bool, card_kind: int) -> Explanation:
    """Put a quote into words."""
    return Explanation(
        service=service,
        price_fen=quote.amount_fen,
        transfer=transfer,
        entitlements=sorted(fares.entitlements(card_kind)),
        lines=[
            Line(
                stage=_STAGES[step.stage][0],
                stage_zh=_STAGES[step.stage][1],
                rule=step.rule,
                before_fen=step.before_fen,
                after_fen=step.after_fen,
                reason=step.reason,
                overruled=step.overruled,
            )
            for step in quote.steps
        ],
        rules_version=quote.rules_version,
    )


def facts_of(
    *,
    at: datetime,
    place: int = 0,
    origin: int = 0,
    minutes_after: int | None = None,
    spent_today_fen: int = 0,
    operator: int = 0,
) -> RideFacts:
    """Make the facts of a ride that nobody made; the ride before was ``minutes_after`` minutes earlier."""
    return RideFacts(
        place=place,
        origin=origin,
        previous_at=None if minutes_after is None else at - timedelta(minutes=minutes_after),
        spent_today_fen=spent_today_fen,
        operator=operator,
    )


def product_kind(settings: TransitSettings, name: str | None) -> int:
    """Give the card kind of a product, of the first one without a name; raise ProductNotConfigured."""
    for product in settings.products:
        if name is None or product.name == name:
            return product.kind
    known = ", ".join(product.name for product in settings.products)
    raise ProductNotConfigured(product=name, known=known)
