"""When a run of clearing closed: kiosk payments whose card was taken away too early are known to be made."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from citycard.store import reading
from citycard_community.billing import asked_from_purse, finish_payment
from citycard_community.fees import FEE
from citycard_community.sectors import FeeFacts
from citycard_community.services import NUMBERS

if TYPE_CHECKING:
    from citycard.city import City
    from citycard.clearing.accepted import AcceptedRecord
    from citycard.kernel.data import Event
    from citycard.kernel.identity import PluginContext

__all__ = ["hear"]


def hear(event: Event, context: PluginContext) -> None:
    """Finish the payments that the records of a closed run say were made."""
    from citycard.clearing.accepted import accepted_records, decided_records
    from citycard.clearing.events import RUN_CLOSED

    if event.name != RUN_CLOSED:
        return
    city: City = context.city
    run, fee = event.body.run, (NUMBERS[FEE],)
    with reading(city.engine) as conn:
        waiting = asked_from_purse(conn)
        if not waiting:
            return
        asked_fen = {one.id: one.amount_fen for one in waiting}
        paid = {_payment(one) for one in accepted_records(city, conn, run, fee)}
        # What people decided to pay in part paid no bill.
        paid |= {
            _payment(one)
            for one in decided_records(city, conn, run, fee)
            if one.amount_fen == asked_fen.get(_payment(one))
        }
    for one in waiting:
        if one.id in paid:
            finish_payment(city, context.settings, one.id)


def _payment(record: AcceptedRecord) -> UUID:
    return UUID(bytes=record.read(FeeFacts).payment)
