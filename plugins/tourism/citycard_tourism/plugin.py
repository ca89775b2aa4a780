"""What the core asks of tourism; the only module with hooks. What is heavy is imported when it is asked."""

from __future__ import annotations

from citycard import PluginInfo, hookimpl


@hookimpl
def citycard_plugin() -> PluginInfo:
    return PluginInfo(name="tourism", title="Culture and leisure", title_zh="旅游娱乐", core=">=0.1,<0.2")
