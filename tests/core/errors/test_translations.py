"""Everything that errors of the core say to a reader is there in Chinese."""

from __future__ import annotations

import pytest

import citycard
from citycard.errors import (
    AccountNotOpen,
    ActDiffers,
    LimitExceeded,
    OrderRefused,
    Phrase,
    RegistryMissing,
    StatusRefused,
)
from citycard.testing.errorwords import ErrorWordsContract
from citycard.web.languages import language

LIMIT = Phrase("{kind} {what}, {how}", kind="pay", what="per day", how="in fen")


class TestErrorWords(ErrorWordsContract):
    package = citycard
    # What readers, chips, vaults and the machine say is shown to whoever runs a command.
    apart = (
        "bench",
        "card",
        "chip",
        "cli",
        "kernel",
        "keys",
        "ledger",
        "mifare",
        "pcsc",
        "psam",
        "simulate",
        "store",
        "terminal",
        "testing",
    )


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            RegistryMissing(record="partner", key="shop"),
            "合作方 'shop' 没有登记：请先用 citycard partner add 添加",
        ),
        (
            LimitExceeded(
                number="1", limit=LIMIT, limit_value=100, used=80, wanted=30, resets_at="2026-03-03 00:00"
            ),
            "账户 1：每日支付（分）的限额为 100，已用 80，2026-03-03 00:00 重置",
        ),
        (
            AccountNotOpen(
                number="1", reason=Phrase("is {status}: nothing is paid from it", status="frozen")
            ),
            "账户 1 的状态为“已冻结”：不能对外支付",
        ),
        (StatusRefused(asn="1", status="lost", wanted="stock"), "卡 1 的状态为“已挂失”：不能变为“库存”"),
        # A word that means something else elsewhere is said as this sentence has it.
        (
            OrderRefused(order=1, state="paid", reason="only one that is paid is refunded"),
            "订单 1 的状态为“已支付”：只有已支付的订单可以退款",
        ),
        (
            ActDiffers(id=1, kind="open"),
            "编号 1 已用于另一笔开户：内容不同的请另用新编号",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_an_error_says_reads_as_one_sentence(error, expected):
    assert language("zh").told(error.phrase) == expected
