"""Its entry point is named otherwise than the plugin."""

from citycard import PluginInfo, hookimpl


@hookimpl
def citycard_plugin():
    return PluginInfo(name="renamed", title="Somebody else", core=">=0.1,<1")
