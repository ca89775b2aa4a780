"""Gives records without end."""

from itertools import count

from citycard import PluginInfo, Service, hookimpl


@hookimpl
def citycard_plugin():
    return PluginInfo(name="endless", title="Endless", core=">=0.1,<1")


@hookimpl
def citycard_services():
    for number in count(1):
        yield Service(name=f"endless-{number}", number=1 + number % 60000, title="Endless")
