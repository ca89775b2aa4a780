"""What a fare rule does, in one line for people: English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from citycard.money import yuan
from citycard_transit.settings import (
    BaseFare,
    Cap,
    Concession,
    Discount,
    Rounding,
    Scope,
    Tier,
    Transfer,
    TransitSettings,
)

__all__ = ["riders", "scopes_of", "wording"]


def scopes_of(settings: TransitSettings) -> Mapping[str, Scope]:
    """Give every rule of the settings by its name."""
    rules: tuple[Sequence[Scope], ...] = (
        settings.bases,
        settings.concessions,
        settings.discounts,
        settings.transfers,
        settings.caps,
        settings.roundings,
    )
    return {rule.name: rule for several in rules for rule in several}


def riders(rule: Scope) -> str:
    """Tell whom a rule is for by their entitlements; empty is everybody."""
    words = [", ".join(rule.only_for)] if rule.only_for else []
    words += ["not " + ", ".join(rule.unless)] if rule.unless else []
    return "; ".join(words)


def wording(rule: Scope) -> tuple[str, str]:
    """Say what a rule does, in English and in Chinese."""
    match rule:
        case BaseFare():
            return _base(rule)
        case Concession():
            return f"pays {rule.percent} % of the base price", f"按基本价的 {rule.percent}% 支付"
        case Discount():
            tiers = [_tier(tier) for tier in rule.tiers]
            return "pays " + ", ".join(one for one, _ in tiers), "，".join(two for _, two in tiers)
        case Transfer():
            off, minutes = yuan(rule.off_fen), rule.window_minutes
            return f"¥{off} off within {minutes} minutes of the ride before", f"{minutes} 分钟内换乘减 ¥{off}"
        case Cap():
            return f"at most ¥{yuan(rule.day_fen)} a day", f"每日最多 ¥{yuan(rule.day_fen)}"
        case Rounding():
            return f"rounded down to ¥{yuan(rule.to_fen)}", f"向下取整到 ¥{yuan(rule.to_fen)}"
    raise TypeError(rule)


def _base(rule: BaseFare) -> tuple[str, str]:
    if rule.source == "gate":
        return "the price that the gate gives", "以闸机给出的价格为准"
    if rule.source == "matrix":
        return f"by the zones of entry and exit ({rule.matrix})", f"按进出站分区计价（{rule.matrix}）"
    flat = yuan(rule.flat_fen or 0)
    if not rule.places:
        return f"¥{flat} a ride", f"每次 ¥{flat}"
    count = len(rule.places)
    places = "1 place has its" if count == 1 else f"{count} places have their"
    return f"¥{flat} a ride; {places} own price", f"每次 ¥{flat}；{count} 处另有定价"


def _tier(tier: Tier) -> tuple[str, str]:
    if not tier.above_fen:
        return f"{tier.percent} %", f"按 {tier.percent}% 支付"
    above = yuan(tier.above_fen)
    return f"{tier.percent} % of the part above ¥{above}", f"超过 ¥{above} 的部分按 {tier.percent}% 支付"
