"""What retail sells, how a till's record becomes the question for its price, and who gets the fee of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from citycard.kernel.services import Participant, Service
from citycard_retail.fees import fee_fen
from citycard_retail.sectors import SaleFacts, VoidFacts
from citycard_retail.settings import RetailSettings, Tier

if TYPE_CHECKING:
    from citycard.clearing.context import Share
    from citycard.clearing.pricing import PriceRequest, Quote
    from citycard.kernel.habits import Habit
    from citycard.terminal.record import TransactionRecord

__all__ = ["HOTEL", "ONLINE", "ORDER", "SALE", "VOID", "participants", "services", "tier_of"]

SALE, VOID, ONLINE, HOTEL, ORDER = (
    "retail-sale",
    "retail-void",
    "retail-online",
    "retail-hotel",
    "retail-order",
)
NUMBERS = {SALE: 200, VOID: 201, ONLINE: 202, HOTEL: 203, ORDER: 204}


def services(settings: RetailSettings) -> Iterator[Service]:
    """Declare what tills and what merchants online sell."""
    yield Service(
        name=SALE,
        number=NUMBERS[SALE],
        title="Purchase in a shop",
        title_zh="小额支付",
        facts=SaleFacts,
        request=_sale_request,
        shares=_sharing(settings),
        habits=partial(_habits, settings),
        alike=_alike,
    )
    yield Service(
        name=VOID,
        number=NUMBERS[VOID],
        title="Void of a purchase",
        title_zh="消费撤销",
        facts=VoidFacts,
        request=_void_request,
    )
    online = {
        ONLINE: ("Purchase from the account", "账户支付"),
        HOTEL: ("Hotel stay", "酒店住宿"),
        ORDER: ("Order in the online supermarket", "网上超市订单"),
    }
    for name, (title, title_zh) in online.items():
        yield Service(name=name, number=NUMBERS[name], title=title, title_zh=title_zh)


def participants(settings: RetailSettings) -> Iterator[Participant]:
    """Declare who is paid the fees, so that they stand on a statement, and who sells in a simulated city."""
    yield Participant(
        id=settings.fees_partner,
        name=settings.fees_name,
        kind="retail-fees",
        account_name=settings.fees_name,
        account_no=settings.fees_account,
        bank_bic=settings.fees_bic,
    )
    for category, partner in settings.shopping.items():
        yield Participant(id=partner, name=settings.category(category).title, kind=category)


def tier_of(settings: RetailSettings, number: int) -> Tier:
    """Find the tier of a record; for a number that nobody has, the first of the table."""
    return next((tier for tier in settings.tiers if tier.number == number), settings.tiers[0])


def _sale_request(record: TransactionRecord, facts: SaleFacts) -> PriceRequest:
    # Imported here: listing the plugins does without clearing.
    from citycard.clearing.pricing import PriceRequest

    return PriceRequest(
        service=SALE,
        at=record.at,
        list_price_fen=record.list_price_fen,
        facts={"mcc": facts.mcc, "card_kind": record.card_kind},
    )


def _void_request(record: TransactionRecord, _: VoidFacts) -> PriceRequest:
    from citycard.clearing.pricing import PriceRequest

    return PriceRequest(service=VOID, at=record.at, list_price_fen=0)


def _sharing(
    settings: RetailSettings,
) -> Callable[[TransactionRecord, SaleFacts, Quote], Iterable[Share]]:
    def shares(record: TransactionRecord, facts: SaleFacts, _: Quote) -> Iterable[Share]:
        from citycard.clearing.context import Share

        fee = fee_fen(tier_of(settings, facts.tier), record.amount_fen)
        # Weights that add up to the amount: the parts are these very fen.
        return (
            Share(weight=record.amount_fen - fee),
            Share(partner=settings.fees_partner, weight=fee),
        )

    return shares


def _alike(records: Any, facts: Any) -> Iterator[Any]:
    yield from (records[name] for name in ("list_price_fen", "amount_fen", "card_kind"))
    yield facts["tier"]
    yield from (facts["mcc"][:, place] for place in range(facts["mcc"].shape[1]))


def _habits(settings: RetailSettings) -> Iterable[Habit]:
    # Imported here: only the simulator asks.
    from citycard_retail.habits import shopping_habits

    return shopping_habits(settings)
