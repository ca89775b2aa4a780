"""What the core asks of community; the only module with hooks. What is heavy is imported when it is asked."""

from __future__ import annotations

from citycard import PluginInfo, hookimpl


@hookimpl
def citycard_plugin() -> PluginInfo:
    return PluginInfo(name="community", title="Community", title_zh="数字社区", core=">=0.1,<0.2")
