"""Answers with a coroutine that nobody would await."""

from citycard import PluginInfo, hookimpl


@hookimpl
def citycard_plugin():
    return PluginInfo(name="coroutine", title="Coroutine", core=">=0.1,<1")


@hookimpl
async def citycard_sectors():
    return ()
