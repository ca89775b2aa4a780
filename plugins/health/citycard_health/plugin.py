"""What the core asks of health; the only module with hooks. What is heavy is imported when it is asked."""

from __future__ import annotations

from citycard import PluginInfo, hookimpl


@hookimpl
def citycard_plugin() -> PluginInfo:
    return PluginInfo(name="health", title="Health", title_zh="居民健康", core=">=0.1,<0.2")
