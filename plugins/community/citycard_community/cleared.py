"""When a run of clearing closed: kiosk payments whose card was taken away too early are known to be made."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from citycard.card.codec import decode, layout_of
from citycard.clearing.events import RUN_CLOSED
from citycard.clearing.finding import find_record
from citycard.clearing.records import select_cleared
from citycard.store import reading
from citycard_community.billing import asked_from_purse, finish_payment
from citycard_community.fees import FEE
from citycard_community.sectors import FeeFacts
from citycard_community.services import NUMBERS

if TYPE_CHECKING:
    from citycard.city import City
    from citycard.kernel.data import Event
    from citycard.kernel.identity import PluginContext

__all__ = ["hear"]

_MOST = 100_000


def hear(event: Event, context: PluginContext) -> None:
    """Finish the payments that the records of a closed run say were made."""
    if event.name != RUN_CLOSED:
        return
    city: City = context.city
    run = event.body.run
    with reading(city.engine) as conn:
        waiting = asked_from_purse(conn)
        if not waiting:
            return
        values = {"service": NUMBERS[FEE], "cards": sorted({one.asn for one in waiting})}
        conditions = (
            "service = $service",
            "state = 'accepted'",
            "asn IN (SELECT unnest($cards::VARCHAR[]))",
        )
        found = select_cleared(city, conn, conditions, values, runs=range(run, run + 1), limit=_MOST)
        records = [find_record(city, conn, one.id).record for one in found]
    paid = {
        UUID(bytes=decode(FeeFacts, record.facts[: layout_of(FeeFacts).size]).payment)
        for record in records
        if record
    }
    for one in waiting:
        if one.id in paid:
            finish_payment(city, context.settings, one.id)
