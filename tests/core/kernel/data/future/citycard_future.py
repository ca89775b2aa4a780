"""Works with a core that does not exist yet."""

from citycard import PluginInfo, hookimpl


@hookimpl
def citycard_plugin():
    return PluginInfo(name="future", title="From the future", core=">=99")
