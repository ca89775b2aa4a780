"""Who a plugin is, what it gets while it runs, and how it can be asked whether it is well."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from citycard.clock import Clock, SystemClock
from citycard.kernel.check import one_of_pattern, requirement, specifier, strings, words

if TYPE_CHECKING:
    from sqlalchemy import Engine

__all__ = ["PLUGIN_NAME", "HealthCheck", "PluginContext", "PluginInfo"]

# Letters and digits only, so that no plugin's table prefix (name + "_") can be the beginning of another's.
PLUGIN_NAME = re.compile(r"[a-z][a-z0-9]{1,19}")


@attrs.frozen(kw_only=True)
class PluginInfo:
    """Say who a plugin is: its name (also its entry point's), title, core versions, and the plugins it needs.

    ``core`` is a version range such as ``>=0.1,<0.2`` (PEP 440); each of ``requires`` is a plugin's name,
    with a range of its distribution's versions when that matters: ``transit`` or ``transit>=0.1``.
    """

    name: str = attrs.field(validator=one_of_pattern(PLUGIN_NAME, "2 to 20 lower-case letters and digits"))
    title: str = attrs.field(validator=words)
    title_zh: str = ""
    core: str = attrs.field(validator=specifier)
    requires: tuple[str, ...] = attrs.field(
        default=(), converter=strings, validator=attrs.validators.deep_iterable(requirement)
    )
    description: str = ""


@attrs.frozen(kw_only=True)
class PluginContext:
    """What a plugin's running parts are given: its settings, the city's database, folder and clock.

    ``city`` is the ``citycard.city.City`` that the plugin runs in, as ``city_of(request)`` is for endpoints.
    """

    plugin: str
    settings: Any = None
    engine: Engine | None = None
    folder: Path | None = None
    clock: Clock = attrs.field(factory=SystemClock)
    city: Any = None


@attrs.frozen(kw_only=True)
class HealthCheck:
    """A question an operator can ask: ``check`` returns None when all is well, else one sentence.

    ``repair``, when there is one, puts it right; it may run twice.
    """

    name: str = attrs.field(validator=words)
    title: str = attrs.field(validator=words)
    check: Callable[[PluginContext], str | None] = attrs.field(validator=attrs.validators.is_callable())
    repair: Callable[[PluginContext], None] | None = None
