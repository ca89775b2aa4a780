"""The households that a citizen looks after: kept by the citizen, with a name of their own for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from sqlalchemy import Connection, delete, select

from citycard.errors import Phrase
from citycard.store import writing
from citycard.store.bulk import insert_missing
from citycard_utilities.errors import HouseholdInvalid
from citycard_utilities.settings import UtilitySettings
from citycard_utilities.tables import bill, household

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["Household", "forget_household", "households_of", "keep_household"]

_MOST = 20
_LABEL_MOST = 40


@attrs.frozen(kw_only=True)
class Household:
    """A household at a biller, and what a citizen calls it."""

    biller: str
    number: str
    label: str = ""


def keep_household(
    city: City, settings: UtilitySettings, asn: str, biller: str, number: str, label: str = ""
) -> Household:
    """Keep a household that its biller has sent a bill for; again without harm. Raise HouseholdInvalid."""
    settings.biller(biller)
    if len(label) > _LABEL_MOST or not label.isprintable():
        raise HouseholdInvalid(field="label", value=label[:_LABEL_MOST], expected="at most 40 characters")
    known = select(bill.c.number).where(bill.c.biller == biller, bill.c.household == number).limit(1)
    with writing(city.engine) as conn:
        if conn.scalar(known) is None:
            raise HouseholdInvalid(
                field="household",
                value=number[:40],
                expected=Phrase("a household that {biller} has sent a bill for", biller=biller),
            )
        kept = households_of(conn, asn)
        if len(kept) >= _MOST and (biller, number) not in {(one.biller, one.number) for one in kept}:
            raise HouseholdInvalid(
                field="household", value=number, expected=Phrase("at most {most} of them", most=_MOST)
            )
        row = {"asn": asn, "biller": biller, "number": number, "label": label.strip()}
        insert_missing(conn, household, [row])
    return Household(biller=biller, number=number, label=label.strip())


def forget_household(city: City, asn: str, biller: str, number: str) -> bool:
    """Forget a household, and say whether it was kept."""
    mine = (household.c.asn == asn) & (household.c.biller == biller) & (household.c.number == number)
    with writing(city.engine) as conn:
        return conn.execute(delete(household).where(mine)).rowcount == 1


def households_of(conn: Connection, asn: str) -> list[Household]:
    """Give the households that a citizen keeps."""
    query = select(household).where(household.c.asn == asn).order_by(household.c.biller, household.c.number)
    return [Household(biller=row.biller, number=row.number, label=row.label) for row in conn.execute(query)]
