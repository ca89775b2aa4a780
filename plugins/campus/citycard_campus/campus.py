"""A city's campus: the city with the settings of its schools, and the keys and seals that belong to them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Self

import attrs

from citycard.kernel.settings import structure
from citycard.keys import KeyStatus
from citycard_campus.errors import CampusOff
from citycard_campus.marks import KEY
from citycard_campus.settings import CampusSettings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from citycard.city import City

__all__ = ["Campus"]

_OWNER = "campus"
_HONOURED = (KeyStatus.CURRENT, KeyStatus.ACCEPTED)


@attrs.frozen
class Campus:
    """What every part of the plugin works in."""

    city: City
    settings: CampusSettings

    @classmethod
    def of(cls, city: City) -> Self:
        """Give the campus of a city; raise CampusOff where it is not enabled."""
        if not city.plugins.enabled(_OWNER):
            raise CampusOff(folder=city.folder)
        section = city.config.plugins.get(_OWNER, {})
        return cls(city, structure(CampusSettings, section, where="city.toml: plugins.campus"))

    @property
    def engine(self) -> Engine:
        """The city's database."""
        return self.city.engine

    def now(self) -> dt.datetime:
        """Give the city's local time in whole seconds."""
        return self.city.now_local().replace(microsecond=0)

    def keys(self, asn8: bytes) -> list[bytes]:
        """Give a card's campus keys, as the SAM of a school's terminal derives them: the newest first.

        Marks are made with the first, and those of every version that is still honoured are good.
        """
        versions = [row for row in self.city.vault.versions() if row.purpose == KEY.name]
        good = [row.version for row in versions if row.status in _HONOURED]
        return [self.city.vault.card_key(KEY.name, asn8, version) for version in sorted(good, reverse=True)]

    def sealed(self, text: str) -> bytes:
        """Seal what is personal and never looked up."""
        return self.city.vault.sealer(_OWNER).seal(text.encode())

    def opened(self, sealed: bytes) -> str:
        """Open what was sealed; empty where it was erased."""
        return self.city.vault.sealer(_OWNER).open(sealed).decode() if sealed else ""
