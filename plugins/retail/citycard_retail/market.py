"""What retail works in: the city and its settings of retail."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import attrs

from citycard_retail.errors import RetailOff
from citycard_retail.settings import RetailSettings

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["Market", "digest_of", "market_of"]

_NAME = "retail"


@attrs.frozen
class Market:
    """A city whose merchants sell, and what it says about them."""

    city: City
    settings: RetailSettings

    def seal(self, text: str) -> str:
        """Seal a text about a person, so that nobody reads it without the vault; empty stays empty."""
        return self.city.vault.sealer(_NAME).seal(text.encode()).hex() if text else ""

    def open(self, sealed: str) -> str:
        """Read what ``seal`` sealed."""
        return self.city.vault.sealer(_NAME).open(bytes.fromhex(sealed)).decode() if sealed else ""


def market_of(city: City) -> Market:
    """Give the market of a city; raise RetailOff where retail does not run."""
    # Imported here: a command imports this to say that retail is off.
    from citycard.kernel.settings import structure

    if not city.plugins.enabled(_NAME):
        raise RetailOff(folder=city.folder)
    content = city.config.plugins.get(_NAME, {})
    return Market(city, structure(RetailSettings, content, where="city.toml: plugins.retail"))


def digest_of(content: Any) -> str:
    """Give what stands for plain values, to tell whether something is asked for again or anew."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()
