"""Needs a plugin that nobody has."""

from citycard import PluginInfo, hookimpl


@hookimpl
def citycard_plugin():
    return PluginInfo(name="needy", title="Needy", core=">=0.1,<1", requires=("nowhere",))
