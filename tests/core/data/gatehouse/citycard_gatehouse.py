"""A wall with two gates, each opened at a terminal of its own, and a tap room where any terminal does."""

from __future__ import annotations

from citycard import PluginInfo, hookimpl
from citycard.kernel.habits import Habit, HabitTap
from citycard.kernel.services import Participant, Service

EAST, WEST = "990200000071", "990200000072"


@hookimpl
def citycard_plugin():
    return PluginInfo(name="gatehouse", title="Gatehouse", core=">=0.1,<1")


@hookimpl
def citycard_participants():
    yield Participant(id="wardens", name="Wardens", account_no="62009901WARDENS")


@hookimpl
def citycard_services():
    yield Service(name="gate", number=811, title="Gate", habits=gates)


def gates():
    for number in (EAST, WEST):
        yield Habit(there=(HabitTap(partner="wardens", terminal=number),), weight=3)
    yield Habit(there=(HabitTap(partner="wardens", list_price_fen=300),))
