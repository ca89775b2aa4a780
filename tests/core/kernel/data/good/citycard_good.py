"""A plugin without a fault, which has to run on whatever the others do."""

from citycard import PluginInfo, Service, hookimpl


@hookimpl
def citycard_plugin():
    return PluginInfo(name="good", title="Well behaved", core=">=0.1,<1")


@hookimpl
def citycard_services():
    yield Service(name="good", number=900, title="Well behaved")
