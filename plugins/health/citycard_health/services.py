"""What health cards are used for, who takes part, which accounts there are, and what terminals are told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from citycard import (
    CardProduct,
    KeyPurpose,
    LedgerAccount,
    Participant,
    PriceRequest,
    Service,
    TerminalConfig,
)
from citycard.kernel.habits import Habit, HabitTap
from citycard.ledger import AccountCode
from citycard_health.addresses import CLAIMS, insurer_account
from citycard_health.sectors import EmergencyFacts, RegistrationFacts, VisitFacts
from citycard_health.settings import REGISTRATION, SPORTS, HealthSettings

if TYPE_CHECKING:
    from citycard.terminal.record import TransactionRecord

__all__ = [
    "CARD_SERVICE",
    "EMERGENCY_KEY",
    "NUMBERS",
    "VISIT",
    "accounts",
    "card_products",
    "participants",
    "services",
    "terminal_config",
]

VISIT, CARD_SERVICE = "health-visit", "health-emergency"
NUMBERS = {VISIT: 800, REGISTRATION: 801, SPORTS: 802, CARD_SERVICE: 803}

#: Under health's own root, not the city's: no key of the city opens what it seals.
EMERGENCY_KEY = KeyPurpose(
    name="health-emergency", kind=0x64, title="Seals emergency data", owner="health", hierarchy="health"
)


def services(settings: HealthSettings) -> Iterator[Service]:
    """Declare the four services of health."""
    yield Service(
        name=VISIT,
        number=NUMBERS[VISIT],
        title="Visit to a clinic",
        title_zh="就诊",
        facts=VisitFacts,
        alike=lambda records, _: [records["list_price_fen"]],
    )
    yield Service(
        name=REGISTRATION,
        number=NUMBERS[REGISTRATION],
        title="Registration at a clinic",
        title_zh="挂号",
        facts=RegistrationFacts,
        request=_registration(settings),
        habits=lambda: _habits(settings),
        alike=lambda records, facts: [records["card_kind"], facts["level"]],
    )
    yield Service(name=SPORTS, number=NUMBERS[SPORTS], title="Sports", title_zh="健身")
    yield Service(
        name=CARD_SERVICE,
        number=NUMBERS[CARD_SERVICE],
        title="Emergency data",
        title_zh="急救信息",
        facts=EmergencyFacts,
    )


def _registration(settings: HealthSettings) -> Callable[[TransactionRecord, Any], PriceRequest]:
    def request(record: TransactionRecord, facts: RegistrationFacts) -> PriceRequest:
        return PriceRequest(
            service=REGISTRATION,
            at=record.at,
            entitlements=settings.entitlements(record.card_kind),  # type: ignore[arg-type]
            facts={"level": facts.level},
        )

    return request


def _habits(settings: HealthSettings) -> Iterable[Habit]:
    """A morning at each clinic: people register, half an hour after they set out."""
    for clinic in settings.clinics:
        for level in settings.levels:
            facts = RegistrationFacts(booking=bytes(16), level=level.number)
            yield Habit(there=(HabitTap(partner=clinic.id, facts=facts, minutes=30),), weight=1)


def participants(settings: HealthSettings) -> Iterator[Participant]:
    """Name who becomes a partner: clinics and venues are paid, insurers read their claims."""
    for kind, found in (("clinic", settings.clinics), ("sports", settings.sports.venues)):
        for one in found:
            yield Participant(
                id=one.id,
                name=f"{one.name} {one.name_zh}".strip(),
                kind=kind,
                account_name=one.name,
                account_no=one.account,
                bank_bic=one.bic,
            )
    for insurer in settings.insurers:
        yield Participant(id=insurer.id, name=f"{insurer.name} {insurer.name_zh}".strip(), kind="insurer")


def accounts(settings: HealthSettings) -> Iterator[LedgerAccount]:
    """Declare what each insurer owes, and what clinics get of it once it paid."""
    yield LedgerAccount(
        address=CLAIMS,
        code=int(AccountCode.PAYABLE_TO_PARTNERS),
        title="Claims that insurers have not paid yet",
    )
    for insurer in settings.insurers:
        yield LedgerAccount(
            address=insurer_account(insurer.id),
            code=int(AccountCode.CLAIMS_ON_INSURERS),
            title=f"Owed by {insurer.name} for claims",
        )


def card_products(settings: HealthSettings) -> Iterator[CardProduct]:
    """Declare the health cards of the settings; each has every sector."""
    for one in settings.products:
        yield CardProduct(
            name=one.name,
            title=one.title,
            title_zh=one.title_zh,
            kind=one.kind,
            entitlements=one.entitlements,  # type: ignore[arg-type]
            validity_years=one.validity_years,
        )


def terminal_config(settings: HealthSettings) -> TerminalConfig:
    """Tell terminals the fees of levels and the clinics and venues that there are."""
    values = {
        "levels": {str(one.number): {"name": one.name, "fee_fen": one.fee_fen} for one in settings.levels},
        "clinics": [one.id for one in settings.clinics],
        "venues": {one.id: one.price_fen for one in settings.sports.venues},
    }
    return TerminalConfig(name="health", values=values)
