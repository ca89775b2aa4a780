"""What a clinic's till decides offline: an appointment is kept, and the purse pays its part of a visit."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

import attrs

from citycard.errors import SettingsInvalid
from citycard.kernel.settings import structure
from citycard_health.booking import BookingState, ClinicDay, DoctorAppointment
from citycard_health.errors import DayInvalid, WrongCard
from citycard_health.sectors import RegistrationFacts, VisitFacts
from citycard_health.services import NUMBERS, VISIT
from citycard_health.settings import REGISTRATION

if TYPE_CHECKING:
    from citycard.city.till import Asked, Sale, Visit
    from citycard.terminal.views import Debit

__all__ = ["Slip", "check_in", "pay_visit", "read_day"]

_EARLY = dt.timedelta(hours=12)


@attrs.frozen(kw_only=True)
class Slip:
    """What a desk hands to its till: which visit, of which card, and what the purse has to pay of it."""

    visit: UUID
    asn: str
    due_fen: int


def read_day(data: bytes) -> ClinicDay:
    """Read the day that a till takes along, as ``citycard health day --json`` or the endpoint writes it.

    Raise DayInvalid, which names the field.
    """
    try:
        content = json.loads(data.decode())
    except (ValueError, RecursionError):
        raise DayInvalid(problems="day: expected JSON in UTF-8") from None
    try:
        return structure(ClinicDay, content, where="day", texts=True)
    except SettingsInvalid as wrong:
        raise DayInvalid(problems=wrong.data["problems"]) from None


def check_in(expected: Iterable[DoctorAppointment], at: dt.datetime) -> Asked:
    """Keep the next appointment of whoever holds the card, among those that the till took along for the day.

    ``at`` is when the card is served. The fee is that of the doctor's level. A tap that was torn before is
    this registration only where it kept this appointment. Raise WrongCard when none is open for the card.
    """
    from citycard.city.till import Asked

    mine = sorted(expected, key=lambda one: one.starts_at)

    def open_for(asn: str) -> DoctorAppointment | None:
        return next((one for one in mine if _open_for(one, asn, at)), None)

    def again(debit: Debit) -> bool:
        found = open_for(debit.asn)
        if found is None or debit.plan.service != NUMBERS[REGISTRATION]:
            return False
        return debit.plan.read(RegistrationFacts).booking == found.id.bytes

    def decide(visit: Visit) -> Sale:
        from citycard.city.till import Sale

        found = open_for(visit.asn)
        if found is None:
            raise WrongCard(asn=visit.asn, reason="it has no open appointment here today")
        facts = RegistrationFacts(booking=found.id.bytes, level=found.level)
        return Sale(service=REGISTRATION, amount_fen=visit.price(REGISTRATION, facts).amount_fen, facts=facts)

    return Asked(decide, again)


def _open_for(one: DoctorAppointment, asn: str, at: dt.datetime) -> bool:
    return one.asn == asn and one.state is BookingState.BOOKED and at <= one.ends_at <= at + _EARLY


def pay_visit(slip: Slip) -> Asked:
    """Let the purse pay what is due of a visit; raise WrongCard for another card, or when nothing is due.

    A tap that was torn before is this slip's only where it paid this visit.
    """
    from citycard.card.codec import encode
    from citycard.city.till import Asked

    paying = encode(VisitFacts(visit=slip.visit.bytes))

    def again(debit: Debit) -> bool:
        return debit.plan.service == NUMBERS[VISIT] and debit.plan.facts == paying

    def decide(visit: Visit) -> Sale:
        from citycard.city.till import Sale

        if visit.asn != slip.asn:
            raise WrongCard(asn=visit.asn, reason=f"the visit is of card {slip.asn}")
        if slip.due_fen <= 0:
            raise WrongCard(asn=visit.asn, reason="nothing is left to pay of this visit")
        facts = VisitFacts(visit=slip.visit.bytes)
        price = visit.price(VISIT, facts, list_price_fen=slip.due_fen)
        return Sale(service=VISIT, amount_fen=price.amount_fen, facts=facts, list_price_fen=slip.due_fen)

    return Asked(decide, again)
