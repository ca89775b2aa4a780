"""What everything at a venue works in: the city, its settings, the time, and rights to concessions."""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from typing import TYPE_CHECKING

from citycard_tourism.seals import Seals
from citycard_tourism.settings import TourismSettings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from citycard.city import City
    from citycard.kernel.identity import PluginContext

__all__ = ["Office"]


class Office:
    """A city with the settings of its venues."""

    def __init__(self, city: City, settings: TourismSettings) -> None:
        self.city, self.settings = city, settings

    @classmethod
    def of(cls, context: PluginContext) -> Office:
        """Give the office of a running plugin."""
        return cls(context.city, context.settings)

    @property
    def engine(self) -> Engine:
        """The city's database."""
        return self.city.engine

    @property
    def now(self) -> dt.datetime:
        """The city's local time, in whole seconds."""
        return self.city.now_local()

    @cached_property
    def seals(self) -> Seals:
        """What writes and checks the codes of rights on cards."""
        return Seals(self.city.vault)

    def rights(self, asn: str) -> int:
        """Give what the holder of a card is entitled to now, as bits; raise RegistryMissing."""
        return self.settings.given(right.name for right in self.city.entitlements(asn, self.now))
