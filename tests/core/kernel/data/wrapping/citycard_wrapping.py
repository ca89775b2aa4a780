"""Wants to change what others say."""

from citycard import PluginInfo, hookimpl


@hookimpl
def citycard_plugin():
    return PluginInfo(name="wrapping", title="Wrapping", core=">=0.1,<1")


@hookimpl(wrapper=True)
def citycard_sectors():
    answers = yield
    return answers[:-1]
