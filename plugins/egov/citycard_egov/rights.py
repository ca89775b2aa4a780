"""Entitlements that the register vouches for, and their way onto the card.

A right follows from what departments told: a day of birth, a last day, or that there is anything at all.
While a field is in dispute, what stood goes on giving its right.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import Connection

from citycard.kernel.services import Entitlement
from citycard.store import reading, writing
from citycard_egov.errors import ResidentUnknown
from citycard_egov.fees import CARD, FEE
from citycard_egov.files import FileReader, write_reading
from citycard_egov.office import Office
from citycard_egov.register import find_by_card, value_of
from citycard_egov.sectors import (
    RESIDENT,
    RESIDENT_KEY,
    FeeFacts,
    ResidentRecord,
    checked_rights,
    resident_record,
)
from citycard_egov.settings import EgovSettings, OnlineService, Right

if TYPE_CHECKING:
    from citycard.city.till import Sale, Visit

__all__ = ["collect_fee", "entitlements_of", "rights_of", "write_rights"]

_YEAR = dt.timedelta(days=365)


def entitlements_of(office: Office, asn: str, on: dt.date) -> Iterator[Entitlement]:
    """Vouch for the rights of a card's holder on a day; nobody's card has none."""
    with reading(office.engine) as conn:
        try:
            who = find_by_card(conn, asn)
        except ResidentUnknown:
            return
        found = rights_of(conn, office, who, on)
    for name, until in sorted(found.items()):
        yield Entitlement(name=name, until=until)


def rights_of(conn: Connection, office: Office, who: UUID, on: dt.date) -> dict[str, dt.date | None]:
    """Give the rights of a resident on a day, each with its last day or None."""
    found: dict[str, dt.date | None] = {}
    for right in office.settings.rights:
        value = value_of(conn, office, who, right.field)
        held, until = _held(right, value, on)
        if held:
            found[right.name] = until
    return found


def write_rights(office: Office, actor: str) -> Callable[[Visit], Sale]:
    """Give what an office's terminal decides to write a card's rights onto it: nothing is charged.

    They are good for a year at most. The till raises ResidentUnknown for a card that is nobody's.
    """
    from citycard.city.till import Sale

    def decide(visit: Visit) -> Sale:
        today = visit.at.date()
        with writing(office.engine) as conn:
            who = find_by_card(conn, visit.asn)
            reader = FileReader(name=actor, department="", why=f"rights written onto card {visit.asn}")
            write_reading(conn, office, who, reader, sorted({one.field for one in office.settings.rights}))
            rights = rights_of(conn, office, who, today)
        record = resident_record(
            office.settings,
            rights,
            key=office.city.vault.card_key(RESIDENT_KEY.name, visit.asn8),
            asn8=visit.asn8,
            on=today,
            until=today + _YEAR,
        )
        return Sale(service=CARD, amount_fen=0, writes={RESIDENT.name: record})

    return decide


def collect_fee(
    settings: EgovSettings, service: OnlineService, card_key: Callable[[bytes], bytes]
) -> Callable[[Visit], Sale]:
    """Give what an office's terminal decides for a service that is paid from the purse, without a line.

    ``card_key`` gives the card's key of the purpose ``egov-resident``, as the terminal's SAM does. Rights on
    the card lower the fee; a record that the city did not write raises ResidentCardInvalid.
    """
    from citycard.city.till import Sale
    from citycard.errors import CardLacksSector

    marks = {one.name: one.mark for one in settings.rights}

    def decide(visit: Visit) -> Sale:
        try:
            record: ResidentRecord = visit.read(RESIDENT.name)
        except CardLacksSector:
            record = ResidentRecord()
        rights = checked_rights(
            settings, record, key=card_key(visit.asn8), asn8=visit.asn8, on=visit.at.date()
        )
        facts = FeeFacts(item=service.number, rights=sum(1 << marks[name] for name in rights))
        quote = visit.price(FEE, facts)
        return Sale(service=FEE, amount_fen=quote.amount_fen, facts=facts)

    return decide


def _held(right: Right, value: str, on: dt.date) -> tuple[bool, dt.date | None]:
    if not value:
        return False, None
    if right.since_age:
        born = dt.date.fromisoformat(value)
        return on >= _birthday(born, right.since_age), None
    if right.until:
        last = dt.date.fromisoformat(value)
        return on <= last, last
    return True, None


def _birthday(born: dt.date, age: int) -> dt.date:
    try:
        return born.replace(year=born.year + age)
    except ValueError:  # born on a 29 February, and this year has none
        return dt.date(born.year + age, 2, 28)
