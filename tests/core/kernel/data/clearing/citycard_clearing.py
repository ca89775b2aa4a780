"""Takes a name of the core."""

from citycard import PluginInfo, hookimpl


@hookimpl
def citycard_plugin():
    return PluginInfo(name="clearing", title="Clearing", core=">=0.1,<1")
