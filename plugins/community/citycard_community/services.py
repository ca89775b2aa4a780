"""What communities sell, how a record's facts become the question for its price, and who is paid."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs

from citycard import PriceRequest
from citycard.kernel.services import Participant, Service
from citycard_community.fees import CLINIC, DOOR, FEE, PARKING, PASS, RESIDENT, WRITE
from citycard_community.sectors import ClinicFacts, DoorFacts, FeeFacts, ParkingFacts, PassFacts
from citycard_community.settings import Clinic, Community, CommunitySettings

if TYPE_CHECKING:
    from citycard.kernel.habits import Habit
    from citycard.terminal.record import TransactionRecord

__all__ = ["NUMBERS", "facts_asked", "participants", "services"]

NUMBERS = {DOOR: 500, PARKING: 501, PASS: 502, FEE: 503, CLINIC: 504, WRITE: 505}

_TITLES = {
    DOOR: ("Door opened", "开门"),
    PARKING: ("Parking", "停车"),
    PASS: ("Parking pass", "停车月卡"),
    FEE: ("Property fee", "物业费"),
    CLINIC: ("Community clinic", "社区卫生"),
    WRITE: ("Rights written", "权限写卡"),
}
_FACTS: dict[str, type[Any]] = {
    DOOR: DoorFacts,
    PARKING: ParkingFacts,
    PASS: PassFacts,
    FEE: FeeFacts,
    CLINIC: ClinicFacts,
}


def services(settings: CommunitySettings) -> Iterator[Service]:
    """Declare every service of a community."""
    for name, number in NUMBERS.items():
        title, title_zh = _TITLES[name]
        yield Service(
            name=name,
            number=number,
            title=title,
            title_zh=title_zh,
            facts=_FACTS.get(name),
            request=partial(_request, name),
            habits=_habits(settings, name),
            alike=_alike if name == DOOR else None,
        )


def facts_asked(facts: Any) -> dict[str, Any]:
    """Give the facts of a record as fee rules are asked with them, online and off."""
    return {} if facts is None else attrs.asdict(facts)


def _request(name: str, record: TransactionRecord, facts: Any) -> PriceRequest:
    given = (RESIDENT,) if name == CLINIC and facts.serial else ()
    return PriceRequest(
        service=name,
        at=record.at,
        list_price_fen=record.list_price_fen if name == FEE else None,
        entitlements=given,  # type: ignore[arg-type]
        facts=facts_asked(facts),
    )


def _alike(records: Any, _facts: Any) -> Iterator[Any]:
    yield records["service"]


def _habits(settings: CommunitySettings, name: str) -> Callable[[], Iterable[Habit]] | None:
    def habits() -> Iterable[Habit]:
        # Imported here: only the simulator asks.
        from citycard_community.habits import habits_of

        return habits_of(settings, name)

    return habits if name in {PARKING, CLINIC} else None


def participants(settings: CommunitySettings) -> Iterator[Participant]:
    """Declare the property companies and the clinics, each once."""
    seen = set()
    paid: list[tuple[str, str, Community | Clinic]] = [
        *((one.partner, "property", one) for one in settings.communities),
        *((one.id, "clinic", one) for one in settings.clinics),
    ]
    for partner, kind, one in paid:
        if partner not in seen:
            seen.add(partner)
            yield Participant(
                id=partner,
                name=f"{one.name} {one.name_zh}".strip(),
                kind=kind,
                account_name=one.name if one.account else "",
                account_no=one.account,
                bank_bic=one.bic,
            )
