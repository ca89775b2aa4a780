"""What the core asks of retail; the only module with hooks. What is heavy is imported when it is asked."""

from __future__ import annotations

from citycard import PluginInfo, hookimpl


@hookimpl
def citycard_plugin() -> PluginInfo:
    return PluginInfo(name="retail", title="Shops and tills", title_zh="小额支付", core=">=0.1,<0.2")
