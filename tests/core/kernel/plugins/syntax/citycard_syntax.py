"""Cannot even be compiled."""

def citycard_plugin(:
