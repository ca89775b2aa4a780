"""What retail keeps on a card, and what its tills write into their records (docs/retail.md)."""

from __future__ import annotations

import datetime as dt
from enum import IntEnum

from citycard.card.codec import (
    amount,
    bcd,
    choice,
    encode,
    examples,
    layout,
    moment,
    reserved,
    unsigned,
)
from citycard.card.sector import SectorLayout

__all__ = ["LAST_SALE", "NO_TERMINAL", "LastSale", "SaleFacts", "SaleState", "VoidFacts"]

NO_TERMINAL = "0" * 12


class SaleState(IntEnum):
    """What became of the last sale, as far as the card knows."""

    NONE = 0
    SOLD = 1
    VOIDED = 2


@layout(size=32)
class LastSale:
    """The last sale of a till that the card paid, so that it can be voided once, without any network."""

    state: SaleState = choice(SaleState, default=SaleState.NONE)
    terminal: str = bcd(6, default=NO_TERMINAL, note="terminal that sold")
    receipt: int = unsigned(4, default=0, note="the till's own number of the sale")
    amount_fen: int = amount(default=0)
    sold_at: dt.datetime | None = moment(default=None)
    reserved: bytes = reserved(10)


@layout(size=48)
class SaleFacts:
    """Retail's 48 bytes of a sale: which tier the fee is taken by, and the till's own receipt."""

    tier: int = unsigned(1, note="number of the merchant's fee tier")
    mcc: str = bcd(2, note="merchant category code, ISO 18245")
    receipt: int = unsigned(4)
    reserved: bytes = reserved(41)


@layout(size=48)
class VoidFacts:
    """Retail's 48 bytes of a void, a record of 0 fen: the sale of the same card that is taken back."""

    counter: int = unsigned(2, note="the card's counter at the sale")
    receipt: int = unsigned(4, note="receipt of the sale")
    amount_fen: int = amount(note="what was paid")
    sold_at: dt.datetime = moment(blank=False)
    reserved: bytes = reserved(31)


_SOLD_AT = dt.datetime(2026, 11, 29, 18, 30, 5)  # noqa: DTZ001 - cards know local time only
_SOLD = LastSale(state=SaleState.SOLD, terminal="990120000001", receipt=17, amount_fen=2550, sold_at=_SOLD_AT)
_EXAMPLE = "01 990120000001 00000011 000009F6 20261129183005" + "00" * 10
examples(LastSale, (_EXAMPLE, _SOLD))
examples(SaleFacts, ("02 5411 00000011" + "00" * 41, SaleFacts(tier=2, mcc="5411", receipt=17)))
examples(
    VoidFacts,
    (
        "0007 00000011 000009F6 20261129183005" + "00" * 31,
        VoidFacts(counter=7, receipt=17, amount_fen=2550, sold_at=_SOLD_AT),
    ),
)

LAST_SALE = SectorLayout(
    name="retail",
    title="Last sale in a shop",
    title_zh="最近一次小额支付",
    record=LastSale,
    examples=((encode(_SOLD), _SOLD),),  # type: ignore[arg-type]
)
