"""What tests of every distribution share: how Hypothesis searches, and the power cuts counted at the end.

The fixtures that a plugin's author has as well, such as a real PostgreSQL server, are in
``citycard.testing.fixtures``; pytest finds them by itself.
"""

from collections import Counter

from hypothesis import settings

# A machine with two busy cores is slow now and then; that is no bug, so no example has a deadline.
settings.register_profile("citycard", deadline=None, print_blob=True)
settings.load_profile("citycard")

CUTS = {"cuts", "power_cuts"}


def pytest_terminal_summary(terminalreporter):
    """Say how often the power was cut, and where: an exhaustive test shows how much it tried."""
    counted = Counter()
    for report in terminalreporter.stats.get("passed", []):
        for name, count in report.user_properties:
            if name in CUTS:
                counted[report.nodeid.rpartition("/")[2].replace(".py::", ": ").replace("_", " ")] += count
    if counted:
        terminalreporter.section("power cuts, each survived with the old state or the new one")
        for test, count in sorted(counted.items()):
            terminalreporter.write_line(f"{count:6}  {test}")
        terminalreporter.write_line(f"{counted.total():6}  in all")
