"""A plugin whose code raises wherever it is called while it runs, and whose partner cannot be opened."""

from datetime import timedelta

from citycard import Job, Participant, PluginInfo, hookimpl


@hookimpl
def citycard_plugin():
    return PluginInfo(name="loud", title="Loud", core=">=0.1,<1")


@hookimpl
def citycard_participants():
    yield Participant(id="loud", name="Loud", district="nowhere")


@hookimpl
def citycard_on_event(event):
    raise RuntimeError("I do not want to hear it")


@hookimpl
def citycard_entitlements(holder, at):
    raise RuntimeError("I do not vouch for anybody")


def shout(context):
    raise RuntimeError("so loud")


@hookimpl
def citycard_jobs():
    yield Job(name="shout", title="Shout", every=timedelta(minutes=1), run=shout)
