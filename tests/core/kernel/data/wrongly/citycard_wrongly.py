"""Says who it is with a string."""

from citycard import hookimpl


@hookimpl
def citycard_plugin():
    return "wrongly"
