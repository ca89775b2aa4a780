"""The settings of utilities in a city, for commands and tests; endpoints and jobs are given them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from citycard.kernel.settings import structure
from citycard_utilities.errors import UtilitiesOff
from citycard_utilities.settings import UtilitySettings

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["settings_of"]

_OWNER = "utilities"


def settings_of(city: City) -> UtilitySettings:
    """Give the settings of utilities in a city; raise UtilitiesOff where it does not run, with the reason."""
    if not city.plugins.enabled(_OWNER):
        reason = " ".join(city.plugins.report(_OWNER).reason.split()) or "it is not enabled"
        raise UtilitiesOff(folder=city.folder, reason=reason)
    section = city.config.plugins.get(_OWNER, {})
    return structure(UtilitySettings, section, where="city.toml: plugins.utilities")
