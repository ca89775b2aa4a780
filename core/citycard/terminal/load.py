"""Loads: what a terminal asks of the host that grants money, and what it gives back."""

from __future__ import annotations

import datetime as dt
from typing import Protocol

import attrs

__all__ = ["Load", "LoadHost"]


@attrs.frozen(kw_only=True)
class Load:
    """A finished load, proven by ``tac``. ``counter`` is the online counter before."""

    asn: str
    counter: int
    amount_fen: int
    balance_before_fen: int
    balance_after_fen: int
    tac: bytes = attrs.field(repr=False)
    key_version: int
    algorithm: int
    terminal: str
    at: dt.datetime
    recovered: bool = False


class LoadHost(Protocol):
    """The host that may put money on cards. All calls may be repeated; the host remembers what it answered.

    A load is named by ``asn`` (20 digits) and ``online_atc`` (the counter before it). ``terminal`` has 12
    digits, ``at`` is the city's local time.
    """

    def begin(
        self,
        asn: str,
        key_version: int,
        balance_fen: int,
        online_atc: int,
        rnd: bytes,
        mac1: bytes,
        amount_fen: int,
        terminal: str,
        at: dt.datetime,
    ) -> bytes:
        """Check MAC1, remember the load as pending and return MAC2; LoadRefused when it is not granted."""
        ...

    def confirm(self, asn: str, online_atc: int, tac: bytes) -> None:
        """Take the card's TAC: the money is on it. ``tac`` is empty when only the card's log shows it."""
        ...

    def reverse(self, asn: str, online_atc: int) -> None:
        """Take note that the card proves the load was not done."""
        ...
