"""Forgot a mark on one of its hooks."""

from citycard import PluginInfo, hookimpl


@hookimpl
def citycard_plugin():
    return PluginInfo(name="unmarked", title="Unmarked", core=">=0.1,<1")


def citycard_sectors():
    return ()
