"""Raises late, inside a generator."""

from citycard import PluginInfo, Service, hookimpl


@hookimpl
def citycard_plugin():
    return PluginInfo(name="late", title="Late", core=">=0.1,<1")


@hookimpl
def citycard_services():
    yield Service(name="late", number=901, title="Late")
    msg = "after the first record"
    raise RuntimeError(msg)
