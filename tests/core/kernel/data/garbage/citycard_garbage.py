"""Gives a string where a record is expected."""

from citycard import PluginInfo, hookimpl


@hookimpl
def citycard_plugin():
    return PluginInfo(name="garbage", title="Garbage", core=">=0.1,<1")


@hookimpl
def citycard_routes():
    yield "/visits"
