"""What the core asks of campus; the only module with hooks. What is heavy is imported when it is asked."""

from __future__ import annotations

from citycard import PluginInfo, hookimpl


@hookimpl
def citycard_plugin() -> PluginInfo:
    return PluginInfo(name="campus", title="Campus", title_zh="教育消费", core=">=0.1,<0.2")
