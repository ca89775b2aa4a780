"""One of two distributions that bring a plugin of one name."""

from citycard import PluginInfo, hookimpl


@hookimpl
def citycard_plugin():
    return PluginInfo(name="twin", title="Twin, first", core=">=0.1,<1")
