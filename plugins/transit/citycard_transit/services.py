"""What transit sells, how a record's facts become the question for its price, and who is paid.

The gate asks for its price through ``Fares`` with the very facts that it then writes into its record, so
that clearing, which asks again from the record, is asked the same question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs

from citycard.card.product import CardProduct
from citycard.clearing.pricing import PriceRequest, Quote, RuleBook
from citycard.kernel.outside import TerminalConfig
from citycard.kernel.services import Participant, Service
from citycard.kernel.settings import shown
from citycard_transit.fares import fee_rules
from citycard_transit.sectors import RideFacts
from citycard_transit.settings import Operator, TransitSettings

if TYPE_CHECKING:
    from citycard.clearing.context import Share
    from citycard.kernel.habits import Habit
    from citycard.terminal.record import TransactionRecord

__all__ = [
    "BUS",
    "METRO",
    "NUMBERS",
    "OWNER",
    "Fares",
    "card_products",
    "participant",
    "participants",
    "services",
    "terminal_config",
]

OWNER = "transit"
METRO, BUS = "metro", "bus"
NUMBERS = {METRO: 1, BUS: 2}

_NO_PLACE = 0
_LINE = 100


@attrs.frozen
class Fares:
    """A city's fares, ready to answer: its settings and the rules made of them."""

    settings: TransitSettings
    book: RuleBook
    _entitlements: Mapping[int, frozenset[str]]
    _given: frozenset[str]
    _operators: Mapping[int, str]

    @classmethod
    def of(cls, settings: TransitSettings) -> Fares:
        """Compile the settings of a city."""
        given = frozenset(
            service for base in settings.bases if base.source == "gate" for service in base.services
        )
        entitlements = {product.kind: frozenset(product.entitlements) for product in settings.products}
        operators = {operator.number: operator.id for operator in settings.operators if operator.number}
        # Owned as the city owns them, so that the version is the one the city knows these rules by.
        rules = (attrs.evolve(rule, owner=OWNER) for rule in fee_rules(settings))
        return cls(settings, RuleBook(rules), entitlements, given, operators)

    def entitlements(self, card_kind: int) -> frozenset[str]:
        """Give what a card of a kind entitles to."""
        return self._entitlements.get(card_kind, frozenset())

    def request(
        self,
        service: str,
        *,
        at: datetime,
        card_kind: int,
        facts: RideFacts,
        list_price_fen: int | None = 0,
        transfer: bool = False,
    ) -> PriceRequest:
        """Ask what a ride costs, from what the gate saw: ``card_kind`` of the card, ``facts`` of the ride."""
        return PriceRequest(
            service=service,
            at=at,
            list_price_fen=list_price_fen if service in self._given else None,
            entitlements=self.entitlements(card_kind),  # type: ignore[arg-type]
            transfer=transfer,
            facts={
                "operator": self._operators.get(facts.operator, ""),
                "place": str(facts.place),
                "origin": str(facts.origin) if facts.origin != _NO_PLACE else "",
                "entered_at": facts.entered_at,
                "previous_at": facts.previous_at,
            },
            history={"spent_today_fen": facts.spent_today_fen},
        )

    def quote(self, request: PriceRequest) -> Quote:
        """Price a request by the city's transit rules."""
        return self.book.quote(request)


def services(settings: TransitSettings) -> Iterator[Service]:
    """Declare the metro and the bus."""
    fares = Fares.of(settings)
    titles = {METRO: ("Metro ride", "地铁乘车"), BUS: ("Bus ride", "公交乘车")}
    for name, (title, title_zh) in titles.items():
        yield Service(
            name=name,
            number=NUMBERS[name],
            title=title,
            title_zh=title_zh,
            facts=RideFacts,
            request=_asking(fares, name),
            shares=_sharing(settings) if name == METRO else None,
            habits=partial(_habits, settings, name),
            spent_today="spent_today_fen" if settings.caps else "",
            alike=_alike(settings, name),
        )


def _habits(settings: TransitSettings, name: str) -> Iterable[Habit]:
    # Imported here: only the simulator asks.
    from citycard_transit.habits import bus_habits, metro_habits

    return metro_habits(settings) if name == METRO else bus_habits(settings)


def _asking(fares: Fares, name: str) -> Callable[[TransactionRecord, RideFacts], PriceRequest]:
    def request(record: TransactionRecord, facts: RideFacts) -> PriceRequest:
        # Imported here: the terminal brings its SAM along, which listing the plugins does without.
        from citycard.terminal.record import RecordFlag, RecordKind

        if record.kind in {RecordKind.ENTRY, RecordKind.OPENED}:
            # An entry costs nothing, which no rule can change: it is asked for under a name of its own.
            return PriceRequest(service=f"{name}-entry", at=record.at, list_price_fen=0)
        return fares.request(
            name,
            at=record.at,
            card_kind=record.card_kind,
            facts=facts,
            list_price_fen=record.list_price_fen,
            transfer=bool(record.flags & RecordFlag.TRANSFER),
        )

    return request


def _alike(settings: TransitSettings, name: str) -> Callable[[Any, Any], Iterator[Any]]:
    made: list[Callable[[Any, Any], Iterator[Any]]] = []

    def alike(records: Any, facts: Any) -> Iterator[Any]:
        if not made:
            # Imported here: it brings NumPy along, which listing the plugins does without.
            from citycard_transit.alike import alike_rides

            shared = name == METRO and settings.sharing is not None
            made.append(alike_rides(settings, name, _owners(settings) if shared else {}, _LINE))
        return made[0](records, facts)

    return alike


def _owners(settings: TransitSettings) -> dict[int, str]:
    return {line: operator.id for operator in settings.operators for line in operator.lines}


def _sharing(
    settings: TransitSettings,
) -> Callable[[TransactionRecord, RideFacts, Quote], Iterable[Share]]:
    owner = _owners(settings)
    sharing = settings.sharing

    def shares(_: TransactionRecord, facts: RideFacts, __: Quote) -> Iterable[Share]:
        began, ended = owner.get(facts.origin // _LINE), owner.get(facts.place // _LINE)
        # Imported here: it brings the ledger along, which listing the plugins does without.
        from citycard.clearing.context import Share

        if sharing is None or began is None or ended is None or began == ended:
            return ()
        return (
            Share(partner=began, weight=sharing.origin_percent),
            Share(partner=ended, weight=100 - sharing.origin_percent),
        )

    return shares


def card_products(settings: TransitSettings) -> Iterator[CardProduct]:
    """Declare the card products of the settings; each carries every sector that the city has."""
    for product in settings.products:
        yield CardProduct(**attrs.asdict(product))


def participants(settings: TransitSettings) -> Iterator[Participant]:
    """Declare the operators, with the accounts they are paid into."""
    return map(participant, settings.operators)


def participant(operator: Operator) -> Participant:
    """Declare one operator."""
    return Participant(
        id=operator.id,
        name=f"{operator.name} {operator.name_zh}".strip(),
        account_name=operator.name,
        account_no=operator.account,
        bank_bic=operator.bic,
    )


def terminal_config(settings: TransitSettings) -> TerminalConfig:
    """Declare what gates need to price a ride offline: the fares' version, and the settings."""
    values = {"fares": Fares.of(settings).book.version, "settings": shown(settings)}
    return TerminalConfig(name="fares", values=values)
