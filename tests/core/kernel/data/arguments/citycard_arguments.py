"""Asks for an argument that the hook does not have."""

from citycard import PluginInfo, hookimpl


@hookimpl
def citycard_plugin():
    return PluginInfo(name="arguments", title="Arguments", core=">=0.1,<1")


@hookimpl
def citycard_sectors(setting):
    return ()
