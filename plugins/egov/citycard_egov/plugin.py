"""What the core asks of egov; the only module with hooks. What is heavy is imported when it is asked."""

from __future__ import annotations

from citycard import PluginInfo, hookimpl


@hookimpl
def citycard_plugin() -> PluginInfo:
    return PluginInfo(name="egov", title="City hall", title_zh="电子政务", core=">=0.1,<0.2")
