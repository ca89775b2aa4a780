"""Payment providers: what the city asks of one, and an adapter that asks over HTTPS with signed requests.

- ``port``: the protocol that every provider's adapter follows, and its records;
- ``signing``: RSA-SHA256 over what was sent, with time and nonce, in both directions;
- ``https``: the adapter; ``transport`` sends and waits;
- ``sandbox``: a provider of one's own, in its own process, which can be told to fail.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

_MODULES = {
    "https": ("HttpsProvider",),
    "port": (
        "NewPayment",
        "Notification",
        "PaymentProvider",
        "PaymentReport",
        "PaymentState",
        "RefundState",
    ),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    # Who only names the states of a payment must not bring the sender over HTTPS along.
    if name not in _HOME:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
