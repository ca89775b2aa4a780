"""What the core asks of utilities; the only module with hooks. What is heavy is imported when it is asked."""

from __future__ import annotations

from citycard import PluginInfo, hookimpl


@hookimpl
def citycard_plugin() -> PluginInfo:
    return PluginInfo(name="utilities", title="Water, power and heat", title_zh="公用事业", core=">=0.1,<0.2")
