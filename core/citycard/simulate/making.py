"""Make a simulated city: register it, let its cards tap, write the batch files and the truth."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import attrs

from citycard.errors import SimulationThere
from citycard.simulate.dealing import Dealt, folder_name
from citycard.simulate.delivering import Progress
from citycard.simulate.kinds import CardFault, TerminalFault
from citycard.simulate.opening import open_cards, open_terminals, publish_list, refuse_second
from citycard.simulate.plan import SimulationPlan
from citycard.simulate.rides import blocks
from citycard.simulate.spool import parts_of
from citycard.simulate.truth import Delivery, Fault, Truth
from citycard.simulate.working import hands
from citycard.simulate.world import World

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["simulate"]

_Item = TypeVar("_Item")


def _quietly(items: Sequence[_Item], _: str) -> Iterator[_Item]:
    yield from items


def simulate(
    city: City,
    plan: SimulationPlan,
    out: Path,
    progress: Progress = _quietly,
    *,
    processes: int | None = None,
) -> Truth:
    """Simulate a plan in a city: register terminals and cards, write batches and ``truth.json`` to ``out``.

    ``progress(items, label)`` goes through a list and may say how far it is. What is made does not depend on
    ``processes``; without a number, as many work as it is worth. Raise SimulationThere,
    HabitsMissing, HabitInvalid or SimulationDied. Broken off, begin anew with a new city.
    """
    if out.exists() and any(out.iterdir()):
        raise SimulationThere(what=f"something in {out}")
    world = World.of(city, plan)
    refuse_second(city, world)
    out.mkdir(parents=True, exist_ok=True)
    open_terminals(city, world)
    dealt = Dealt.none(plan)
    with (
        tempfile.TemporaryDirectory(dir=out) as folder,
        hands(city, world, Path(folder), out, processes) as working,
    ):
        spans = blocks(plan)
        cards = [made for _, made in zip(progress(spans, "cards"), working.make(spans), strict=True)]
        parts = range(parts_of(plan))
        dealing = working.deal(parts)
        # While other processes deal, this one opens the cards.
        open_cards(city, world, cards)
        publish_list(city, world)
        for _, some in zip(progress(parts, "files"), dealing, strict=True):
            dealt.add(some)
    rolled_back = [world.asn(card) for one in cards for card in one.rolled_back.tolist()]
    truth = _truth(world, dealt, rolled_back)
    truth.write(out)
    return truth


def _truth(world: World, dealt: Dealt, rolled_back: list[str]) -> Truth:
    plan = world.plan
    found = {one.fault for one in dealt.records}
    found |= {one.fault for one in dealt.files} | {one.fault for one in dealt.missing}
    revoked = [
        world.terminal(one.terminal)
        for one in world.ground.troubles
        if one.kind is TerminalFault.REVOKED and one.number in found
    ]
    deliveries = [
        Delivery(
            folder=folder_name(delivery),
            files=files,
            records=records,
            revoked=revoked if delivery == plan.days - 1 else (),
            rolled_back=rolled_back if delivery == plan.days else (),
        )
        for delivery, (files, records) in enumerate(dealt.written.tolist())
    ]
    return Truth(
        plan=attrs.asdict(plan) | {"start": plan.start.isoformat()},
        first_terminal=f"{world.first_terminal:012d}",
        terminals=plan.terminals,
        named=tuple(number for number in world.tariff.terminals if number),
        deliveries=tuple(deliveries),
        faults=tuple(_fault(world, number) for number in sorted(found)),
        records=tuple(dealt.records),
        files=tuple(dealt.files),
        missing=tuple(dealt.missing),
    )


def _fault(world: World, number: int) -> Fault:
    troubles = world.ground.troubles
    kind: CardFault | TerminalFault
    if number <= len(troubles):
        kind = troubles[number - 1].kind
    else:
        kind = CardFault.dealt(number - len(troubles) - 1)
    return Fault(number, kind.title, kind.code.name)
