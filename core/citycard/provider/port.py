"""What a city asks of a payment provider. Every call may be repeated: an order is named by its number."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import attrs

__all__ = [
    "NewPayment",
    "Notification",
    "PaymentProvider",
    "PaymentReport",
    "PaymentState",
    "RefundState",
]


class PaymentState(StrEnum):
    """What a provider knows of an order: nothing, that it waits, was paid, or cannot be paid any more."""

    UNKNOWN = "unknown"
    UNPAID = "unpaid"
    PAID = "paid"
    CLOSED = "closed"


class RefundState(StrEnum):
    """What a provider knows of a refund: nothing, that it is under way, or that the money is given back."""

    UNKNOWN = "unknown"
    PENDING = "pending"
    DONE = "done"


@attrs.frozen(kw_only=True)
class NewPayment:
    """An order to be paid: ``number`` has at most 32 letters and digits, ``expires_at`` is aware.

    ``agreement`` is the provider's agreement that pays at once; without one the citizen pays.
    """

    number: str
    amount_fen: int
    description: str
    notify_url: str
    expires_at: datetime
    agreement: str = ""


@attrs.frozen(kw_only=True)
class PaymentReport:
    """What a provider says of an order. ``pay_url`` is where the citizen pays, as long as it waits."""

    number: str
    state: PaymentState = attrs.field(converter=PaymentState)
    amount_fen: int = 0
    transaction: str = ""
    pay_url: str = ""


@attrs.frozen(kw_only=True)
class Notification:
    """A verified notification: what the provider says of an order, and the nonce that it is taken once by."""

    report: PaymentReport
    nonce: str


class PaymentProvider(Protocol):
    """A payment provider. ProviderUnavailable: it may have been done; ProviderRefused: it was not."""

    @property
    def name(self) -> str:
        """The provider's name in the city's books."""
        ...

    def create(self, payment: NewPayment) -> PaymentReport:
        """Make an order, or give the one of this number as it is."""
        ...

    def query(self, number: str) -> PaymentReport:
        """Say what became of an order."""
        ...

    def close(self, number: str) -> PaymentReport:
        """Let an order be paid no more; one that was paid stays paid, and the report says so."""
        ...

    def refund(self, number: str, refund: str, amount_fen: int) -> RefundState:
        """Give a paid order's money back, once under the number ``refund``."""
        ...

    def query_refund(self, refund: str) -> RefundState:
        """Say what became of a refund."""
        ...

    def read_notification(self, path: str, headers: Mapping[str, str], body: bytes) -> Notification:
        """Verify a notification that was sent to ``path``; raise NotificationRefused."""
        ...
