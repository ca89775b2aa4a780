"""Charge an account once for each id, and ask whether money moved before anything says that it did not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from citycard.errors import CitycardError, PaymentUnknown
from citycard.wallet.payments import Payments

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["charge_once", "is_paid"]


def charge_once(city: City, identity: UUID, asn: str, *, service: str, **asked: Any) -> None:
    """Charge an account, unless it was paid under this id before: then nothing is in the way any more.

    Raise what ``charge`` raises; nothing was paid for the service then.
    """
    from citycard.city.charging import charge

    if is_paid(city, identity, service):
        return
    try:
        charge(city, identity, asn, service=service, **asked)
    except CitycardError:
        # The same call may have come twice at once, and the other one paid.
        if is_paid(city, identity, service):
            return
        raise


def is_paid(city: City, identity: UUID, service: str) -> bool:
    """Say whether an account paid for a service under an id."""
    try:
        return Payments(city.wallet).find(identity).service == service
    except PaymentUnknown:
        return False
