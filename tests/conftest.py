"""What tests of every distribution share: how Hypothesis searches, and what is counted at the end.

The fixtures that a plugin's author has as well, such as a real PostgreSQL server, are in
``citycard.testing.fixtures``; pytest finds them by itself.
"""

from collections import Counter

from hypothesis import settings

# A machine with two busy cores is slow now and then; that is no bug, so no example has a deadline.
settings.register_profile("citycard", deadline=None, print_blob=True)
settings.load_profile("citycard")

CUTS = "power cuts, each survived with the old state or the new one"
STEPS = "commands given to a chip and to the card written from the specification, every byte the same"
INPUTS = "made-up inputs, each answered or refused by name, and no refused one changed anything"
LEDGER = (
    "steps of callers of a ledger and of the model written from its page, every answer and every row the same"
)
KILLS = "processes and servers killed under a ledger, each time with nothing half-done and nothing lost"
TOLD = "answers that callers of a ledger had when it was killed, every one of them found again: lost 0"
COUNTED = {
    "cuts": CUTS,
    "power_cuts": CUTS,
    "steps": STEPS,
    "inputs": INPUTS,
    "ledger_steps": LEDGER,
    "ledger_kills": KILLS,
    "ledger_acknowledged": TOLD,
}


def pytest_configure(config):
    """Let pytest rewrite the assertions of tests, and of those that plugins inherit, but not the product.

    It would parse each module that a thread of a city imports, and Python 3.11.7 was seen to fail at that
    while another thread parsed ("AST constructor recursion depth mismatch").
    """
    hook = config.pluginmanager.rewrite_hook
    hook._must_rewrite.discard("citycard")
    hook._must_rewrite.add("citycard.testing")
    hook._marked_for_rewrite_cache.clear()


def pytest_terminal_summary(terminalreporter):
    """Say how much an exhaustive or random test tried, and where: power cuts, commands, inputs."""
    sections = {title: Counter() for title in COUNTED.values()}
    for report in terminalreporter.stats.get("passed", []):
        for name, count in report.user_properties:
            if name in COUNTED:
                test = report.nodeid.rpartition("/")[2].replace(".py::", ": ").replace("_", " ")
                sections[COUNTED[name]][test] += count
    for title, counted in sections.items():
        if not counted:
            continue
        terminalreporter.section(title)
        for test, count in sorted(counted.items()):
            terminalreporter.write_line(f"{count:6}  {test}")
        terminalreporter.write_line(f"{counted.total():6}  in all")
