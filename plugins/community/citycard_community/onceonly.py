"""Charge an account once for each id, and let what was asked fall only where no money moves any more."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Connection

from citycard.errors import CitycardError, PaymentUnknown
from citycard.store import writing
from citycard.wallet.payments import Payments

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["charge_once", "drop_unpaid", "is_paid"]


def charge_once(
    city: City,
    identity: UUID,
    asn: str,
    *,
    service: str,
    drop: Callable[[Connection], object],
    **asked: Any,
) -> None:
    """Charge an account, unless it was paid under this id before: then nothing is in the way any more.

    Raise what ``charge`` raises; then ``drop`` took back what had been written down for it, and nothing was
    paid for the service nor ever is under this id.
    """
    from citycard.city.charging import charge

    if is_paid(city, identity, service):
        return
    try:
        charge(city, identity, asn, service=service, **asked)
    except CitycardError:
        # The same call may have come twice at once, and the other one paid.
        if drop_unpaid(city, identity, service, drop):
            raise


def drop_unpaid(city: City, identity: UUID, service: str, drop: Callable[[Connection], object]) -> bool:
    """Let ``drop`` take back what was asked for under an id, unless it was paid; say whether it did.

    A request that is still on its way pays nothing any more: the id is given up in the same transaction.
    """
    from citycard.city.charging import give_up_charge

    with writing(city.engine) as conn:
        paid = give_up_charge(city, conn, identity, actor="community")
        if paid is not None and paid.service == service:
            return False
        drop(conn)
        return True


def is_paid(city: City, identity: UUID, service: str) -> bool:
    """Say whether an account paid for a service under an id."""
    try:
        return Payments(city.wallet).find(identity).service == service
    except PaymentUnknown:
        return False
