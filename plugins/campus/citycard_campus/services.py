"""What a card is used for at school, how a record becomes the question for its price, and who is paid."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from citycard.clearing.pricing import PriceRequest
from citycard.kernel.accounts import LedgerAccount
from citycard.kernel.outside import TerminalConfig
from citycard.kernel.services import Participant, Service
from citycard.kernel.settings import shown
from citycard.ledger import AccountCode, Guard
from citycard_campus.fares import CANTEEN, COMPUTER, DESK, DOOR, LESSON, LIBRARY
from citycard_campus.sectors import ComputerFacts, DeskFacts, LibraryFacts, MealFacts, PassFacts, Sort
from citycard_campus.settings import CampusSettings, Payee, hour

if TYPE_CHECKING:
    from citycard.kernel.habits import Habit
    from citycard.kernel.identity import PluginContext

__all__ = ["NUMBERS", "TERMINALS", "accounts", "participants", "services", "terminal_config"]

NUMBERS = {CANTEEN: 400, COMPUTER: 401, DOOR: 402, LESSON: 403, LIBRARY: 404, DESK: 405}

TERMINALS = "terminals"

_Facts = Callable[[Any], Mapping[str, Any]]


def services(settings: CampusSettings) -> Iterator[Service]:
    """Declare the canteen, the computer room, doors, lessons, the library and the school's desk."""
    yield Service(
        name=CANTEEN,
        number=NUMBERS[CANTEEN],
        title="School meal",
        title_zh="校园就餐",
        facts=MealFacts,
        request=_asking(CANTEEN, lambda facts: {"role": facts.role.word, "pot_fen": facts.pot_fen}),
        habits=partial(_habits, settings),
        alike=_alike(settings),
    )
    yield Service(
        name=COMPUTER,
        number=NUMBERS[COMPUTER],
        title="Computer room",
        title_zh="机房上机",
        facts=ComputerFacts,
        request=_asking(COMPUTER, lambda facts: {"role": facts.role.word, "began": facts.began}),
    )
    yield Service(
        name=LIBRARY,
        number=NUMBERS[LIBRARY],
        title="School library",
        title_zh="校园图书馆",
        facts=LibraryFacts,
        request=_asking(LIBRARY, _due),
    )
    for name, title, title_zh, facts in (
        (DOOR, "School door", "校园门禁", PassFacts),
        (LESSON, "Lesson attended", "课堂考勤", PassFacts),
        (DESK, "School desk", "学校服务台", DeskFacts),
    ):
        yield Service(
            name=name,
            number=NUMBERS[name],
            title=title,
            title_zh=title_zh,
            facts=facts,
            request=_asking(name, lambda _: {}),
        )


def _due(facts: LibraryFacts) -> Mapping[str, Any]:
    return {"due": facts.due} if facts.sort is Sort.RETURNED else {}


def _asking(service: str, asked: _Facts) -> Callable[[Any, Any], PriceRequest]:
    def request(record: Any, facts: Any) -> PriceRequest:
        return PriceRequest(
            service=service, at=record.at, list_price_fen=record.list_price_fen, facts=asked(facts)
        )

    return request


def _alike(settings: CampusSettings) -> Callable[[Any, Any], Iterator[Any]]:
    """Say what a meal's price depends on, for many records at once: the hour's meal, the role, the pot."""

    def alike(records: Any, facts: Any) -> Iterator[Any]:
        # Imported here: they bring NumPy along, which listing the plugins does without.
        from citycard.clearing.columns import digits, moments

        at = moments(digits(records, "at"))
        second = (at - at.astype("datetime64[D]")).astype("timedelta64[s]").astype("int64")
        for band in settings.bands:
            since, until = (hour(text) for text in (band.since, band.until))
            yield (second >= _seconds(since)) & (second < _seconds(until))
        yield records["list_price_fen"]
        yield from (facts[name] for name in ("role", "pot_fen"))

    return alike


def _seconds(time: dt.time) -> int:
    return time.hour * 3600 + time.minute * 60


def _habits(settings: CampusSettings) -> Iterable[Habit]:
    # Imported here: only the simulator asks.
    from citycard_campus.habits import habits

    return habits(settings)


def participants(settings: CampusSettings) -> Iterator[Participant]:
    """Declare schools, their meals (through which grants go onto cards) and those who run canteens."""
    for school in settings.schools:
        yield _participant(school, "school")
        yield Participant(id=school.meals, name=f"{school.name}: meals on cards", kind="school-meals")
    for canteen in settings.canteens:
        yield _participant(canteen, "canteen")


def _participant(payee: Payee, kind: str) -> Participant:
    return Participant(
        id=payee.id,
        name=f"{payee.name} {payee.name_zh}".strip(),
        kind=kind,
        account_name=payee.name,
        account_no=payee.account,
        bank_bic=payee.bic,
    )


def accounts(settings: CampusSettings) -> Iterator[LedgerAccount]:
    """Declare for each school the account of what is in the meal pots of its cards."""
    for school in settings.schools:
        yield LedgerAccount(
            address=school.pot,
            code=int(AccountCode.SUBSIDIES_HELD),
            title=f"Meal pots on the cards of {school.name}",
            guard=Guard.DEBITS_WITHIN_CREDITS,
        )


def terminal_config(settings: CampusSettings) -> TerminalConfig:
    """Declare what a school's terminals need offline: prices, meals, doors, and whose rights ended early."""
    values = {name: shown(getattr(settings, name)) for name in ("bands", "computer", "library", "doors")}

    def current(context: PluginContext) -> Mapping[str, Any]:
        # Imported here: it brings the store along, which listing the plugins does without.
        from citycard_campus.roll import stopped

        if context.engine is None:
            return {}
        now = context.clock.now() if context.city is None else context.city.now_local()
        return stopped(context.engine, now.date())

    return TerminalConfig(name=TERMINALS, values=values, current=current)
