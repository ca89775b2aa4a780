"""The ``citycard`` command: one module per group of commands, loaded when it is called.

``main`` finds the groups; ``output`` prints one JSON object or words; ``options`` holds what commands share.
"""
