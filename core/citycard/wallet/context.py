"""What the kinds of money need from the city around them, and the transfers they are made of."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import attrs
from sqlalchemy import Engine

from citycard.clock import Clock
from citycard.ledger.ledger import Ledger
from citycard.ledger.records import Limit, Transfer
from citycard.wallet.limits import CityLimits

__all__ = ["Payee", "WalletContext"]


@attrs.frozen(kw_only=True)
class Payee:
    """A partner that is paid: its id, and its kind, by which subsidies know what they are for."""

    partner: str
    kind: str = ""


@attrs.frozen(kw_only=True)
class WalletContext:
    """The ledger, the city's clock and time zone, and its limits."""

    ledger: Ledger
    clock: Clock
    timezone: ZoneInfo
    limits: CityLimits = attrs.field(factory=CityLimits)

    @property
    def engine(self) -> Engine:
        """The store, in which ledger and wallet lie together."""
        return self.ledger.engine

    def now_local(self) -> datetime:
        """Give the city's local time: naive, whole seconds."""
        return self.clock.now().astimezone(self.timezone).replace(tzinfo=None, microsecond=0)

    def today(self) -> date:
        """Give the city's day."""
        return self.now_local().date()

    def transfer(
        self,
        identity: UUID,
        debit: str,
        credit: str,
        amount_fen: int,
        code: int,
        *,
        ref: str,
        group: UUID | None = None,
        limits: tuple[Limit, ...] = (),
    ) -> Transfer:
        """Make a transfer that happens now."""
        at = self.now_local()
        return Transfer(
            id=identity,
            debit_address=debit,
            credit_address=credit,
            amount_fen=amount_fen,
            code=code,
            event_time=at,
            business_date=at.date(),
            group=group,
            ref=ref,
            limits=limits,
        )
