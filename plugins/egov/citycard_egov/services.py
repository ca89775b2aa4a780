"""What an office's terminals record: a fee paid from the purse, and rights written onto the card."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from citycard.clearing.pricing import PriceRequest
from citycard.kernel.outside import TerminalConfig
from citycard.kernel.services import Participant, Service
from citycard_egov.fees import CARD, FEE
from citycard_egov.sectors import FeeFacts, named
from citycard_egov.settings import EgovSettings

if TYPE_CHECKING:
    from citycard.kernel.habits import Habit
    from citycard.terminal.record import TransactionRecord

__all__ = ["NUMBERS", "participants", "services", "terminal_config"]

NUMBERS = {FEE: 600, CARD: 601}


def services(settings: EgovSettings) -> Iterator[Service]:
    """Declare the fee of an office, which its department gets, and writing onto a card, which is free."""
    yield Service(
        name=FEE,
        number=NUMBERS[FEE],
        title="Fee of an office",
        title_zh="政务服务收费",
        facts=FeeFacts,
        request=_asking(settings),
        habits=lambda: _habits(settings),
        alike=_alike,
    )
    yield Service(name=CARD, number=NUMBERS[CARD], title="Rights written onto the card", title_zh="权益写卡")


def participants(settings: EgovSettings) -> Iterator[Participant]:
    """Declare the departments, with the accounts their fees are paid into."""
    for one in settings.departments:
        yield Participant(
            id=one.id,
            name=f"{one.title} {one.title_zh}".strip(),
            kind="government",
            account_name=one.title,
            account_no=one.account,
            bank_bic=one.bic,
        )


def terminal_config(settings: EgovSettings) -> TerminalConfig:
    """Declare what terminals need without a line: the services' numbers and fees, and the marks of rights."""
    return TerminalConfig(
        name="fees",
        values={
            "services": {
                str(one.number): {"id": one.id, "fee_fen": one.fee_fen, "department": one.department}
                for one in settings.services
            },
            "rights": {str(one.mark): one.name for one in settings.rights},
        },
    )


def _asking(settings: EgovSettings) -> Callable[[TransactionRecord, FeeFacts], PriceRequest]:
    items = {one.number: one.id for one in settings.services}

    def request(record: TransactionRecord, facts: FeeFacts) -> PriceRequest:
        return PriceRequest(
            service=FEE,
            at=record.at,
            entitlements=frozenset(named(settings, facts.rights)),  # type: ignore[arg-type]
            facts={"item": items.get(facts.item, "")},
        )

    return request


def _alike(_: Any, facts: Any) -> Iterator[Any]:
    yield from (facts[name] for name in ("item", "rights"))


def _habits(settings: EgovSettings) -> Iterator[Habit]:
    """Give a visit to an office for each service that costs something; far rarer than a ride."""
    # Imported here: only the simulator asks.
    from citycard.kernel.habits import Habit, HabitTap

    for one in settings.services:
        if one.fee_fen:
            yield Habit(there=(HabitTap(partner=one.department, facts=FeeFacts(item=one.number)),))
