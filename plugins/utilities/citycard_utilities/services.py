"""What utilities sells: a bill, prepaid credit, and a card's visit at its meter; the biller is paid."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from citycard import Participant, PriceRequest, Service, TerminalConfig
from citycard.kernel.settings import shown
from citycard_utilities.rules import BILL, CREDIT, METER
from citycard_utilities.sectors import BillFacts, CreditFacts, MeterFacts
from citycard_utilities.settings import Biller, UtilitySettings

if TYPE_CHECKING:
    from citycard.clearing.context import Share
    from citycard.clearing.pricing import Quote
    from citycard.kernel.habits import Habit
    from citycard.terminal.record import TransactionRecord

__all__ = ["NUMBERS", "bill_request", "participants", "services", "terminal_config"]

NUMBERS = {BILL: 100, CREDIT: 101, METER: 102}


def services(settings: UtilitySettings) -> Iterator[Service]:
    """Declare the three services."""
    yield Service(
        name=BILL,
        number=NUMBERS[BILL],
        title="A bill",
        title_zh="缴纳账单",
        facts=BillFacts,
        request=partial(_bill, settings),
        shares=_paid_to(settings),
    )
    yield Service(
        name=CREDIT,
        number=NUMBERS[CREDIT],
        title="Prepaid credit",
        title_zh="预付费充值",
        facts=CreditFacts,
        request=partial(_credit, settings),
        shares=_paid_to(settings),
        habits=partial(_habits, settings),
    )
    yield Service(
        name=METER,
        number=NUMBERS[METER],
        title="Card at a meter",
        title_zh="表具读卡",
        facts=MeterFacts,
        request=_meter,
    )


def bill_request(biller: Biller, facts: BillFacts, **asked: Any) -> dict[str, Any]:
    """Give the facts of a question for the price of a bill, the same for kiosks and online accounts."""
    return {"kind": biller.kind, "due": facts.due, **asked}


def participants(settings: UtilitySettings) -> Iterator[Participant]:
    """Declare the billers, with the accounts they are paid into."""
    for biller in settings.billers:
        yield Participant(
            id=biller.id,
            name=f"{biller.name} {biller.name_zh}".strip(),
            kind="utility",
            account_name=biller.name,
            account_no=biller.account,
            bank_bic=biller.bic,
        )


def terminal_config(settings: UtilitySettings) -> TerminalConfig:
    """Declare what kiosks and counters need to price offline."""
    return TerminalConfig(name="bills", values={"settings": shown(settings)})


def _bill(settings: UtilitySettings, record: TransactionRecord, facts: BillFacts) -> PriceRequest:
    biller = settings.numbered(facts.biller)
    return PriceRequest(
        service=BILL,
        at=record.at,
        list_price_fen=record.list_price_fen,
        partner=biller.id,
        facts=bill_request(biller, facts),
    )


def _credit(settings: UtilitySettings, record: TransactionRecord, facts: CreditFacts) -> PriceRequest:
    biller = settings.numbered(facts.biller)
    return PriceRequest(
        service=CREDIT,
        at=record.at,
        partner=biller.id,
        facts={
            "kind": biller.kind,
            "units": facts.units,
            "year_units": facts.year_units,
            "card_kind": record.card_kind,
        },
    )


def _meter(record: TransactionRecord, _: MeterFacts) -> PriceRequest:
    # A visit costs nothing, which no late fee or tier can change.
    return PriceRequest(service=METER, at=record.at, list_price_fen=0)


def _paid_to(settings: UtilitySettings) -> Callable[[Any, Any, Quote], Iterable[Share]]:
    def shares(_: TransactionRecord, facts: BillFacts | CreditFacts, __: Quote) -> Iterable[Share]:
        # Imported here: it brings the ledger along, which listing the plugins does without.
        from citycard.clearing.context import Share

        return (Share(partner=settings.numbered(facts.biller).id),)

    return shares


def _habits(settings: UtilitySettings) -> Iterable[Habit]:
    # Imported here: only the simulator asks.
    from citycard_utilities.habits import habits

    return habits(settings)
