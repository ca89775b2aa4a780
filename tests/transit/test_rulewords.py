"""What a rule does is said with its own numbers, in both languages."""

from __future__ import annotations

import pytest

from citycard_transit.rulewords import riders, scopes_of, wording
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

TIERS = (Tier(above_fen=0, percent=95), Tier(above_fen=400, percent=85))


@pytest.mark.parametrize(
    ("rule", "english", "chinese"),
    [
        (BaseFare(name="r", source="gate"), "the price that the gate gives", "以闸机给出的价格为准"),
        (BaseFare(name="r", source="flat", flat_fen=200), "¥2.00 a ride", "每次 ¥2.00"),
        (
            BaseFare(name="r", source="flat", flat_fen=200, places={"901": 300}),
            "¥2.00 a ride; 1 place has its own price",
            "每次 ¥2.00；1 处另有定价",
        ),
        (
            BaseFare(name="r", source="matrix", matrix="zones"),
            "by the zones of entry and exit (zones)",
            "按进出站分区计价（zones）",
        ),
        (Concession(name="r", percent=50), "pays 50 % of the base price", "按基本价的 50% 支付"),
        (
            Discount(name="r", tiers=TIERS),
            "pays 95 %, 85 % of the part above ¥4.00",
            "按 95% 支付，超过 ¥4.00 的部分按 85% 支付",
        ),
        (
            Transfer(name="r", off_fen=80, window_minutes=60),
            "¥0.80 off within 60 minutes of the ride before",
            "60 分钟内换乘减 ¥0.80",
        ),
        (Cap(name="r", day_fen=1500), "at most ¥15.00 a day", "每日最多 ¥15.00"),
        (Rounding(name="r", to_fen=10), "rounded down to ¥0.10", "向下取整到 ¥0.10"),
    ],
)
def test_a_rule_says_what_it_does_with_its_numbers(rule: Scope, english: str, chinese: str) -> None:
    assert wording(rule) == (english, chinese)


def test_a_rule_says_whom_it_is_for() -> None:
    assert riders(Cap(name="r", day_fen=1)) == ""
    assert riders(Cap(name="r", day_fen=1, only_for=("a", "b"), unless=("c",))) == "a, b; not c"


def test_every_rule_is_found_by_its_name() -> None:
    cap, off = Cap(name="cap", day_fen=1), Transfer(name="off", off_fen=1)
    assert scopes_of(TransitSettings(caps=(cap,), transfers=(off,))) == {"cap": cap, "off": off}
