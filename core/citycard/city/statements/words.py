"""What the lines of statements are called, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from citycard.city.statements.records import Said
from citycard.ledger.chart import TransferCode

__all__ = ["CLOSING", "HEAD", "OPENING", "TAPS", "what_of"]

OPENING = Said("Opening balance", "期初余额")
CLOSING = Said("Closing balance", "期末余额")

#: The words above the columns, by name.
HEAD: Mapping[str, Said] = MappingProxyType(
    {
        "time": Said("Time", "时间"),
        "what": Said("What, where, why", "内容"),
        "amount": Said("Amount ¥", "金额 ¥"),
        "balance": Said("Balance ¥", "余额 ¥"),
        "period": Said("Period", "期间"),
        "made": Said("Made", "制表时间"),
        "page": Said("Page", "页"),
        "nothing": Said("Nothing was booked in this period", "本期无交易"),
        "booked": Said("booked", "记账"),
    }
)

TAPS: Mapping[str, Said] = MappingProxyType(
    {
        "entry": Said("entry", "进站"),
        "exit": Said("exit", "出站"),
        "single": Said("single tap", "单次刷卡"),
        "opened": Said("opening by the exit gate", "出站补登"),
    }
)

_WHAT: Mapping[int, Said] = MappingProxyType(
    {
        TransferCode.LOAD: Said("Load", "充值"),
        TransferCode.SPEND: Said("Purchase", "消费"),
        TransferCode.PAYABLE: Said("Takings cleared", "清分收入"),
        TransferCode.FEE: Said("Clearing fee", "清分手续费"),
        TransferCode.SETTLEMENT: Said("Paid by clearing", "清算付款"),
        TransferCode.EXCEPTION_ACCEPTED: Said("Exception accepted", "异常记录受理"),
        TransferCode.DISPUTE_UPHELD: Said("Dispute upheld", "争议成立调账"),
        TransferCode.DISPUTE_GIVEN_BACK: Said("Given back after a dispute", "争议成立退还"),
        TransferCode.CITY_ACCEPTED: Said("Accepted by another city", "异地发卡方确认"),
        TransferCode.CITY_FEE: Said("Fee between cities", "城际手续费"),
        TransferCode.CITY_NETTED: Said("Netted between cities", "城际轧差"),
        TransferCode.DEPOSIT: Said("Deposit taken", "收取押金"),
        TransferCode.CARD_SALE: Said("Card sold", "售卡"),
        TransferCode.CARD_FEE: Said("Fee of the card office", "卡务手续费"),
        TransferCode.DEPOSIT_MOVED: Said("Deposit moved to another card", "押金转移"),
        TransferCode.OWED: Said("Owed to the holder", "转为应退"),
        TransferCode.PAID_OUT: Said("Paid out", "退款付出"),
        TransferCode.LATE_TAPS: Said("Late taps made good", "迟到交易补足"),
        TransferCode.MIGRATION: Said("Moved from the old card", "旧卡余额迁移"),
        TransferCode.CORRECTION: Said("Correction", "更正"),
        TransferCode.LOAD_RESERVED: Said("Load on its way", "充值在途"),
        TransferCode.LOAD_GIVEN_BACK: Said("Load given back", "充值退回"),
        TransferCode.LOAD_UNPAID: Said("Load that was not paid", "未付充值"),
        TransferCode.ORDER_PAID: Said("Top-up paid", "充值已付"),
        TransferCode.ORDER_DELIVERED: Said("Top-up", "充值到账"),
        TransferCode.ORDER_REFUNDED: Said("Top-up refunded", "充值退款"),
        TransferCode.PROVIDER_SETTLED: Said("Paid over by the provider", "支付机构结算"),
        TransferCode.AGENT_DEPOSIT: Said("Agent's deposit", "代理保证金"),
        TransferCode.AGENT_COMMISSION: Said("Agent's commission", "代理佣金"),
        TransferCode.ACCOUNT_PAID: Said("Online payment", "联机支付"),
        TransferCode.HOLD_CAPTURED: Said("Online payment of what was held", "预授权扣款"),
        TransferCode.ACCOUNT_GIVEN_BACK: Said("Online payment given back", "联机支付退回"),
        TransferCode.ACCOUNT_CLOSED: Said("Online account closed", "联机账户销户"),
        TransferCode.SUBSIDY_FUNDED: Said("Subsidy funded", "补贴拨款"),
        TransferCode.SUBSIDY_GRANTED: Said("Subsidy granted", "发放补贴"),
        TransferCode.SUBSIDY_SPENT: Said("Paid by subsidy", "补贴支付"),
        TransferCode.SUBSIDY_GIVEN_BACK: Said("Subsidy given back", "补贴退回"),
        TransferCode.SUBSIDY_LAPSED: Said("Subsidy lapsed", "补贴收回"),
        TransferCode.POINTS_PAID_IN: Said("Points paid for", "积分出资"),
        TransferCode.POINTS_PAID: Said("Points redeemed", "积分兑付"),
        TransferCode.POINTS_LEFT_OVER: Said("Left over of points", "积分余款"),
        TransferCode.POINTS_BREAKAGE: Said("Points that lapsed", "积分失效款"),
        TransferCode.BANK_PAID: Said("Booked by the bank", "银行已付"),
        TransferCode.BANK_RECEIVED: Said("Received by the bank", "银行来款"),
        TransferCode.BANK_CHARGE: Said("Charge of the bank", "银行手续费"),
        TransferCode.BANK_INTEREST: Said("Interest of the bank", "银行利息"),
        TransferCode.BANK_UNMATCHED: Said("Not matched at the bank", "银行未匹配"),
        TransferCode.BANK_RESOLVED: Said("Matched at the bank", "银行已匹配"),
        TransferCode.REFUND: Said("Refund of a purchase", "消费退款"),
        TransferCode.REFUND_OWED: Said("Refund of a purchase, owed", "消费退款（应退）"),
        TransferCode.REFUND_CREDITED: Said("Refund of a purchase", "消费退款"),
        TransferCode.REFUND_PAID: Said("Refund paid in cash", "现金退款"),
        TransferCode.CHARGEBACK: Said("Top-up taken back", "充值被追回"),
        TransferCode.CHARGEBACK_TAKEN: Said("Taken for a charge-back", "退单扣款"),
        TransferCode.CHARGEBACK_CLAIMED: Said("Owed for a charge-back", "退单欠款"),
        TransferCode.CHARGEBACK_WON: Said("Charge-back won", "退单胜诉退回"),
        TransferCode.CLAIM_PAID: Said("Claim of the city paid", "偿还欠款"),
        TransferCode.BANK_ORDERED: Said("Payment ordered from the bank", "银行付款"),
        TransferCode.BANK_RETURNED: Said("Payment came back from the bank", "银行退汇"),
        TransferCode.BANK_NOT_PAID: Said("Payment not executed by the bank", "银行未付"),
    }
)


def what_of(code: int) -> Said:
    """Name a transfer by its code; one that a plugin made is named by its number."""
    return _WHAT.get(code) or Said(f"Transfer of kind {code}", f"类型{code}转账")
