"""Hand a simulation in: receive each delivery, let happen what must happen in between, and clear it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from citycard import registry
from citycard.clearing.gaps import write_off_card_gaps
from citycard.registry.records import TerminalStatus
from citycard.simulate.truth import Delivery, Truth
from citycard.store import writing

if TYPE_CHECKING:
    from citycard.city import City
    from citycard.clearing.reports import RunReport

__all__ = ["Progress", "clear_simulation", "hand_in", "intervene"]

Progress = Callable[[Sequence[Any], str], Iterable[Any]]
"""Goes through a list, and may say how far it is under a label."""


def clear_simulation(
    city: City, folder: Path, truth: Truth, *, engine: str = "", progress: Progress = lambda items, _: items
) -> list[RunReport]:
    """Receive and clear the deliveries of a simulation one after the other; give the report of each run.

    ``engine`` names where buckets are judged, as ``clearing.run.clear`` takes it.
    """
    from citycard.clearing.run import clear

    reports = []
    for delivery in progress(truth.deliveries, "deliveries"):
        hand_in(city, folder, delivery)
        reports.append(clear(city, engine=engine))
    return reports


def hand_in(city: City, folder: Path, delivery: Delivery) -> None:
    """Receive one delivery, and let happen what is to happen before it is cleared."""
    from citycard.clearing.intake import receive

    receive(city, sorted((folder / delivery.folder).glob("*.ccb"), key=attrgetter("name")))
    intervene(city, delivery)


def intervene(city: City, delivery: Delivery) -> None:
    """Do what a simulation wants done between receiving a delivery and clearing it.

    Terminals are revoked whose records wait to be cleared, and gaps are written off whose records came too
    late for that.
    """
    with writing(city.engine) as conn:
        for terminal in delivery.revoked:
            registry.set_terminal_status(conn, terminal, TerminalStatus.REVOKED)
        write_off_card_gaps(
            conn,
            delivery.rolled_back,
            actor="simulate",
            reason="the records come too late",
            at=city.clock.now(),
        )
