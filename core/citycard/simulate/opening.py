"""Register what a simulation needs: partners, terminals, SAMs, cards, and a first load on every card."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from itertools import compress
from operator import attrgetter
from typing import TYPE_CHECKING

import attrs
import numpy as np
from sqlalchemy import Connection

from citycard import registry
from citycard.card.enums import CardKind
from citycard.errors import SimulationThere
from citycard.simulate.block import Cards
from citycard.simulate.ground import DAY, NOON
from citycard.simulate.kinds import TerminalFault
from citycard.simulate.world import World
from citycard.store import reading, writing
from citycard.wallet.firstloads import keep_firsts
from citycard.wallet.load import Load, LoadState, Proof, load_id

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["open_cards", "open_terminals", "publish_list", "refuse_second"]

_LOADED = dt.timedelta(hours=4)
_REASON = "simulated"
# Half a million cards: a table whose keys are in no order is gone through once for so many.
_BLOCKS_AT_ONCE = 32
_COLUMNS = tuple(map(attrgetter, ("products", "expired", "for_tests", "loaded", "load_fen")))


def refuse_second(city: City, world: World) -> None:
    """Raise SimulationThere when the city has simulated terminals or cards."""
    number, asn = f"{world.first_terminal:012d}", world.asn(0)
    with reading(city.engine) as conn:
        if any(found.number == number for found in registry.terminals(conn)):
            raise SimulationThere(what=f"terminal {number}")
        if registry.cards_by_asn(conn, [asn]):
            raise SimulationThere(what=f"card {asn}")


def open_terminals(city: City, world: World) -> None:
    """Open the partners of the plugins and the terminals, but those that nobody is to have registered.

    A terminal that a habit names may be there: it stays as it is.
    """
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
        there = {found.number for found in registry.terminals(conn)}
        registry.add_terminals(conn, [one for one in terminals if one.number not in there])
        for one in ground.troubles:
            if one.kind is TerminalFault.SAM_REVOKED:
                _revoked_sam(
                    conn, city, world.terminal(one.terminal), _aware(city, world, one.day * DAY + NOON)
                )


def _revoked_sam(conn: Connection, city: City, terminal: str, at: dt.datetime) -> None:
    from citycard.registry.sams import Sam, add_sam, revoke_sam

    sam = add_sam(conn, Sam(number=terminal.zfill(20), terminal=terminal, issued_at=city.clock.now()))
    revoke_sam(conn, sam.number, reason=_REASON, at=at)


def open_cards(city: City, world: World, blocks: Sequence[Cards]) -> None:
    """Register the cards of blocks and load them, with the postings; list those that are to be refused."""
    start, before = world.plan.start, world.plan.start - dt.timedelta(days=1)
    issue = city.issuing.card
    patterns = [issue(world.asn(0), product.name, start) for product in world.products]
    likes = [_likes(like, before) for like in patterns]
    like = _load(world)
    for some in _together(blocks):
        cards = np.concatenate([one.first + np.flatnonzero(one.issued) for one in some])
        products, over, for_tests, loaded, load_fen = (
            np.concatenate([column(one)[one.issued] for one in some]).tolist() for column in _COLUMNS
        )
        asns = [world.asn(card) for card in cards.tolist()]
        listed = [world.asn(card) for one in some for card in one.listed.tolist()]
        made = (
            likes[product][gone][tried]
            for product, gone, tried in zip(products, over, for_tests, strict=True)
        )
        told = list(compress(zip(asns, load_fen, strict=True), loaded))
        with writing(city.engine) as conn:
            registry.add_new_cards(conn, asns, made)
            keep_firsts(conn, city.ledger, like, [asn for asn, _ in told], [fen for _, fen in told])
            if listed:
                registry.blacklist_cards(conn, listed, reason=_REASON)


def _likes(like: registry.Card, before: dt.date) -> list[list[registry.Card]]:
    """Give cards like one, and those that expired on a day, of each an ordinary one and one for tests."""
    expired = attrs.evolve(like, issued_on=min(like.issued_on, before), expires_on=before)
    return [[one, attrs.evolve(one, kind=CardKind.TEST)] for one in (like, expired)]


def _together(blocks: Sequence[Cards]) -> Iterator[list[Cards]]:
    """Put blocks together that are to be written in one transaction."""
    left = list(blocks)
    while left:
        some, left = left[:_BLOCKS_AT_ONCE], left[_BLOCKS_AT_ONCE:]
        yield some


def _load(world: World) -> Load:
    at, terminal = world.plan.midnight + _LOADED, f"{world.first_terminal:012d}"
    return Load(
        id=load_id("", 0, b"", terminal, at),
        asn="",
        online_atc=0,
        key_version=world.key_version,
        amount_fen=1,
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
