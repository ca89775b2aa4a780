"""Register what a simulation needs: partners, terminals, SAMs, cards, and a first load on every card."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import Connection

from citycard import registry
from citycard.card.enums import CardKind
from citycard.errors import SimulationThere
from citycard.simulate.block import Block
from citycard.simulate.ground import DAY, NOON
from citycard.simulate.kinds import TerminalFault
from citycard.simulate.world import World
from citycard.store import reading, writing
from citycard.wallet.load import Load, LoadState, Proof, load_id
from citycard.wallet.loadbook import keep

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["open_cards", "open_terminals", "publish_list", "refuse_second"]

_LOADED = dt.timedelta(hours=4)
_REASON = "simulated"


def refuse_second(city: City, world: World) -> None:
    """Raise SimulationThere when the city has simulated terminals."""
    number = world.terminal(0)
    with reading(city.engine) as conn:
        if any(found.number == number for found in registry.terminals(conn)):
            raise SimulationThere(what=f"terminal {number}")


def open_terminals(city: City, world: World) -> None:
    """Open the partners of the plugins and the terminals, but those that nobody registered."""
    city.open_declared()
    ground, plan = world.ground, world.plan
    strangers = {one.terminal for one in ground.troubles if one.kind is TerminalFault.UNREGISTERED}
    terminals = [
        registry.Terminal(number=world.terminal(number), partner=partner, opened_on=plan.start)
        for partner, start, size in zip(world.tariff.partners, ground.starts, ground.sizes, strict=True)
        for number in range(int(start), int(start + size))
        if number not in strangers
    ]
    with writing(city.engine) as conn:
        registry.add_terminals(conn, terminals)
        for one in ground.troubles:
            if one.kind is TerminalFault.SAM_REVOKED:
                _revoked_sam(
                    conn, city, world.terminal(one.terminal), _aware(city, world, one.day * DAY + NOON)
                )


def _revoked_sam(conn: Connection, city: City, terminal: str, at: dt.datetime) -> None:
    from citycard.registry.sams import Sam, add_sam, revoke_sam

    sam = add_sam(conn, Sam(number=terminal.zfill(20), terminal=terminal, issued_at=city.clock.now()))
    revoke_sam(conn, sam.number, reason=_REASON, at=at)


def open_cards(city: City, world: World, block: Block) -> None:
    """Register the cards of a block and load them, with the postings; list those that are to be refused."""
    issue, start = city.issuing.card, world.plan.start
    patterns = [issue(world.asn(0), product.name, start) for product in world.products]
    cards, loads = [], []
    for place in np.flatnonzero(block.issued).tolist():
        asn, like = world.asn(block.first + place), patterns[int(block.products[place])]
        last_day = start - dt.timedelta(days=1) if block.expired[place] else like.expires_on
        cards.append(
            registry.Card(
                asn=asn,
                issuer=like.issuer,
                product=like.product,
                product_version=like.product_version,
                kind=CardKind.TEST if block.for_tests[place] else like.kind,
                issued_on=min(like.issued_on, last_day),
                expires_on=last_day,
            )
        )
        if block.loaded[place]:
            loads.append(_load(world, asn, int(block.load_fen[place])))
    with writing(city.engine) as conn:
        registry.add_cards(conn, cards)
        keep(conn, city.ledger, loads)
        if len(block.listed):
            registry.blacklist_cards(
                conn, [world.asn(card) for card in block.listed.tolist()], reason=_REASON
            )


def _load(world: World, asn: str, amount_fen: int) -> Load:
    at, terminal = world.plan.midnight + _LOADED, world.terminal(0)
    return Load(
        id=load_id(asn, 0, b"", terminal, at),
        asn=asn,
        online_atc=0,
        key_version=world.key_version,
        amount_fen=amount_fen,
        balance_before_fen=0,
        terminal=terminal,
        agent="",
        at=at,
        mac1="00000000",
        state=LoadState.PROVEN,
        proof=Proof.TAC,
        tac="00000000",
    )


def publish_list(city: City, world: World) -> None:
    """Publish the blacklist as of the first noon; without a card on it, nothing comes out."""
    with writing(city.engine) as conn:
        registry.publish_blacklist(conn, at=_aware(city, world, NOON))


def _aware(city: City, world: World, seconds: int) -> dt.datetime:
    local = world.plan.midnight + dt.timedelta(seconds=seconds)
    return local.replace(tzinfo=city.timezone).astimezone(dt.UTC)
