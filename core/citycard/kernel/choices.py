"""What the city's configuration says about plugins: which may be imported, and which are on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import attrs

__all__ = ["Choices", "PluginChoices"]


class PluginChoices(Protocol):
    """``allow`` names the plugins that may be imported, None allows all that are installed.

    ``enable`` names those that are on until somebody switches them off; ``plugins`` holds the settings.
    """

    @property
    def allow(self) -> tuple[str, ...] | None: ...
    @property
    def enable(self) -> tuple[str, ...]: ...
    @property
    def plugins(self) -> Mapping[str, Mapping[str, Any]]: ...


@attrs.frozen(kw_only=True)
class Choices:
    """The choices as plain values, for a test or a place without a city."""

    allow: tuple[str, ...] | None = None
    enable: tuple[str, ...] = ()
    plugins: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
