"""Implements a hook that does not exist."""

from citycard import PluginInfo, hookimpl


@hookimpl
def citycard_plugin():
    return PluginInfo(name="misspelt", title="Misspelt", core=">=0.1,<1")


@hookimpl
def citycard_sektors():
    return ()
