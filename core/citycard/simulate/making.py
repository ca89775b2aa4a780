"""Make a simulated city: register it, let its cards tap, write the batch files and the truth."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import attrs

from citycard.errors import SimulationThere
from citycard.simulate.block import make_block
from citycard.simulate.dealing import Dealer, folder_name
from citycard.simulate.delivering import Progress
from citycard.simulate.kinds import CardFault, TerminalFault
from citycard.simulate.opening import open_cards, open_terminals, publish_list, refuse_second
from citycard.simulate.plan import SimulationPlan
from citycard.simulate.rides import blocks
from citycard.simulate.signing import Signer
from citycard.simulate.spool import Spool
from citycard.simulate.truth import Delivery, Fault, Truth
from citycard.simulate.world import World

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["simulate"]

_Item = TypeVar("_Item")


def _quietly(items: Sequence[_Item], _: str) -> Iterator[_Item]:
    yield from items


def simulate(city: City, plan: SimulationPlan, out: Path, progress: Progress = _quietly) -> Truth:
    """Simulate a plan in a city: register terminals and cards, write batches and ``truth.json`` to ``out``.

    ``progress(items, label)`` goes through a list and may say how far it is. Raise SimulationThere,
    HabitsMissing or HabitInvalid. Broken off, begin anew with a new city.
    """
    if out.exists() and any(out.iterdir()):
        raise SimulationThere(what=f"something in {out}")
    world = World.of(city, plan)
    refuse_second(city, world)
    out.mkdir(parents=True, exist_ok=True)
    open_terminals(city, world)
    dealer = Dealer(world, Signer(city, world), out)
    rolled_back: list[str] = []
    with tempfile.TemporaryDirectory(dir=out) as folder:
        spool = Spool(Path(folder), plan.terminals, plan.records)
        for first, last in progress(blocks(plan), "cards"):
            block = make_block(world, first, last)
            open_cards(city, world, block)
            spool.add(block.rows)
            rolled_back += [world.asn(card) for card in block.rolled_back.tolist()]
        publish_list(city, world)
        for part in progress(range(len(spool)), "files"):
            dealer.deal(spool.part(part))
        spool.close()
    truth = _truth(world, dealer, rolled_back)
    truth.write(out)
    return truth


def _truth(world: World, dealer: Dealer, rolled_back: list[str]) -> Truth:
    plan = world.plan
    found = {one.fault for one in dealer.records}
    found |= {one.fault for one in dealer.files} | {one.fault for one in dealer.missing}
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
        for delivery, (files, records) in enumerate(dealer.written)
    ]
    return Truth(
        plan=attrs.asdict(plan) | {"start": plan.start.isoformat()},
        first_terminal=world.terminal(0),
        terminals=plan.terminals,
        deliveries=tuple(deliveries),
        faults=tuple(_fault(world, number) for number in sorted(found)),
        records=tuple(dealer.records),
        files=tuple(dealer.files),
        missing=tuple(dealer.missing),
    )


def _fault(world: World, number: int) -> Fault:
    troubles = world.ground.troubles
    kind: CardFault | TerminalFault
    if number <= len(troubles):
        kind = troubles[number - 1].kind
    else:
        kind = CardFault.dealt(number - len(troubles) - 1)
    return Fault(number, kind.title, kind.code.name)
