"""Payment providers: what the city asks of one, and an adapter that asks over HTTPS with signed requests.

- ``port``: the protocol that every provider's adapter follows, and its records;
- ``signing``: RSA-SHA256 over what was sent, with time and nonce, in both directions;
- ``https``: the adapter; ``transport`` sends and waits;
- ``sandbox``: a provider of one's own, in its own process, which can be told to fail.
"""

from __future__ import annotations

from citycard.provider.https import HttpsProvider
from citycard.provider.port import (
    NewPayment,
    Notification,
    PaymentProvider,
    PaymentReport,
    PaymentState,
    RefundState,
)

__all__ = [
    "HttpsProvider",
    "NewPayment",
    "Notification",
    "PaymentProvider",
    "PaymentReport",
    "PaymentState",
    "RefundState",
]
