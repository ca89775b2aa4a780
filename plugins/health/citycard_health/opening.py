"""The settings that health runs with in a city, for whoever the kernel does not ask: commands and tills."""

from __future__ import annotations

from typing import TYPE_CHECKING

from citycard.kernel.settings import structure
from citycard_health.errors import HealthOff
from citycard_health.settings import HealthSettings

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["settings_of"]


def settings_of(city: City) -> HealthSettings:
    """Give the settings of health in a city; raise HealthOff where it does not run, with the reason."""
    if not city.plugins.enabled("health"):
        reason = " ".join(city.plugins.report("health").reason.split()) or "it is not enabled"
        raise HealthOff(folder=city.folder, reason=reason)
    section = city.config.plugins.get("health", {})
    return structure(HealthSettings, section, where="city.toml: plugins.health")
