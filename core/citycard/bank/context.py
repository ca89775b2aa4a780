"""What the bank's side of a city needs from the city around it."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

import attrs
from sqlalchemy import Engine

from citycard.bank.calendar import BusinessCalendar
from citycard.bank.instruction import BankAccount
from citycard.clock import Clock
from citycard.ledger.ledger import Ledger

__all__ = ["BankContext", "BankTerms", "local_now", "today"]


@attrs.frozen(kw_only=True)
class BankTerms:
    """Hold the trust account, the days on which banks work, and when a payment is overdue.

    A payment that was to be executed more than ``overdue_days`` business days before the last statement and
    stands in none is missing (M01).
    """

    debtor: BankAccount
    calendar: BusinessCalendar = attrs.field(factory=BusinessCalendar)
    timezone: str = "Asia/Shanghai"
    overdue_days: int = attrs.field(default=3, validator=attrs.validators.ge(0))


class BankContext(Protocol):
    """Supply store, folder, ledger, clock and terms."""

    @property
    def engine(self) -> Engine: ...
    @property
    def folder(self) -> Path: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def bank_terms(self) -> BankTerms: ...


def local_now(context: BankContext) -> datetime:
    """Give the city's local time: naive, whole seconds."""
    zone = ZoneInfo(context.bank_terms.timezone)
    return context.clock.now().astimezone(zone).replace(tzinfo=None, microsecond=0)


def today(context: BankContext) -> date:
    """Give the city's day."""
    return local_now(context).date()
