"""The settings a city runs communities by, and what a terminal knows of them offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from citycard.kernel.outside import TerminalConfig
from citycard.kernel.settings import shown, structure
from citycard_community.errors import CommunityOff
from citycard_community.settings import CommunitySettings

if TYPE_CHECKING:
    from citycard.city import City
    from citycard.city.till import Till
    from citycard.kernel.identity import PluginContext

__all__ = ["Known", "settings_of", "terminal_config"]

OWNER = "community"
_SECTION = "access"


@attrs.frozen(kw_only=True)
class Known:
    """What a terminal was told with its last configuration: settings, and serials that were revoked."""

    settings: CommunitySettings
    revoked: frozenset[int]

    @classmethod
    def of(cls, till: Till) -> Known:
        """Read a till's copy of the configuration; nothing else is asked."""
        told = till.configured(OWNER, _SECTION)
        settings = structure(
            CommunitySettings, told.get("settings", {}), where="terminal configuration", texts=True
        )
        return cls(settings=settings, revoked=frozenset(told.get("revoked", ())))


def settings_of(city: City) -> CommunitySettings:
    """Give the community settings of a city; raise CommunityOff when community does not run there."""
    if not city.plugins.enabled(OWNER):
        reason = city.plugins.report(OWNER).reason or "it is not enabled: citycard plugin enable community"
        raise CommunityOff(folder=city.folder, reason=" ".join(reason.split()))
    section = city.config.plugins.get(OWNER, {})
    return structure(CommunitySettings, section, where="city.toml: plugins.community")


def terminal_config(settings: CommunitySettings) -> TerminalConfig:
    """Declare what doors and gates need offline: the settings, and the rights that were revoked by now."""

    def current(context: PluginContext) -> dict[str, list[int]]:
        if context.engine is None or context.city is None:
            return {"revoked": []}
        # Imported here: a city is opened without the rights it gave.
        from citycard.store import reading
        from citycard_community.granting import revoked_serials

        with reading(context.engine) as conn:
            return {"revoked": revoked_serials(conn, context.city.now_local())}

    return TerminalConfig(name=_SECTION, values={"settings": shown(settings)}, current=current)
