"""What the exchange needs from the city around it, beside what clearing needs."""

from __future__ import annotations

from typing import Protocol

from citycard.clearing.context import ClearingContext
from citycard.keys import SealSigner

__all__ = ["ExchangeContext"]


class ExchangeContext(ClearingContext, Protocol):
    """Supply the exchange with the city's four digits and with what signs its files."""

    @property
    def code(self) -> str: ...
    @property
    def exchange_signer(self) -> SealSigner: ...
