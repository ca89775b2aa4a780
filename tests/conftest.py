"""What tests of every distribution share: how Hypothesis searches.

The fixtures that a plugin's author has as well, such as a real PostgreSQL server, are in
``citycard.testing.fixtures``; pytest finds them by itself.
"""

from hypothesis import settings

# A machine with two busy cores is slow now and then; that is no bug, so no example has a deadline.
settings.register_profile("citycard", deadline=None, print_blob=True)
settings.load_profile("citycard")
