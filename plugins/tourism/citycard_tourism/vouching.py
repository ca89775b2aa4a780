"""What venues vouch for: whoever has a plan in force is entitled as its holder."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from citycard.kernel.services import Entitlement
from citycard.store import reading
from citycard_tourism.office import Office
from citycard_tourism.passes import active_plans

__all__ = ["vouched"]


def vouched(office: Office, asn: str, on: dt.date) -> Iterator[Entitlement]:
    """Give ``tourism-<plan>`` for each plan that a card has on a day."""
    names = {plan.number: plan.name for plan in office.settings.plans}
    with reading(office.engine) as conn:
        found = active_plans(conn, asn, on)
    for one in found:
        if one.plan in names:
            yield Entitlement(name=f"tourism-{names[one.plan]}", until=one.ends_on)
