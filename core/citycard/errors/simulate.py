"""Errors of the simulator."""

from __future__ import annotations

from citycard.errors.base import CitycardError

__all__ = [
    "HabitInvalid",
    "HabitsMissing",
    "SimulationDied",
    "SimulationPlanInvalid",
    "SimulationThere",
    "TruthMissing",
]


class HabitsMissing(CitycardError):
    """No plugin that is on says how its services are used."""

    status = 409
    exit_code = 4
    sentence = (
        "no service of this city has habits, so nobody would tap: switch on a plugin whose services have "
        "some, such as transit with operators"
    )


class HabitInvalid(CitycardError):
    """A plugin's habit cannot be tapped."""

    status = 409
    sentence = "a habit of service {service!r} cannot be tapped: {problem}"


class SimulationPlanInvalid(CitycardError):
    """A number of the plan is out of bounds."""

    sentence = "{field} is {value}: expected {expected}"


class SimulationDied(CitycardError):
    """A process of the simulation ended in the midst of its work."""

    status = 503
    exit_code = 4
    sentence = (
        "a process of the simulation was killed, perhaps for want of memory: "
        "simulate into a new city and a new folder"
    )


class SimulationThere(CitycardError):
    """The city has simulated terminals already, or the folder for the files is not empty."""

    status = 409
    exit_code = 5
    sentence = "{what} is there already: simulate into a new city and a new folder"


class TruthMissing(CitycardError):
    """The folder has no truth of a simulation."""

    status = 404
    exit_code = 4
    sentence = "{path} is missing or damaged: `citycard simulate` writes it beside the batch files"
