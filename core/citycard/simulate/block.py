"""Make one block of cards: their records, what is lost of them, and what clearing must say."""

from __future__ import annotations

import attrs
import numpy as np

from citycard.card.enums import TransactionType
from citycard.clearing.codes import Code
from citycard.clearing.verdicts import NUMBERS
from citycard.simulate.columns import Flags, Ints, Rows, bcd, moments, ranks
from citycard.simulate.faults import (
    JUMP_FEN,
    Chosen,
    choose,
    extras,
    follow_gaps,
    price_changes,
    spoil,
)
from citycard.simulate.ground import DAY, NOON
from citycard.simulate.kinds import CardFault
from citycard.simulate.rides import Rides, dice, ride
from citycard.simulate.spool import WAITING
from citycard.simulate.tariff import Prices
from citycard.simulate.world import World

__all__ = ["Cards", "make_block"]

_RESERVE_FEN, _STEP_FEN = 2000, 1000
# A card and a counter make a tag; the last bit is for a second record under one counter.
_COUNTERS = 1 << 16


@attrs.frozen(kw_only=True, eq=False)
class Cards:
    """What the city must know of a block of cards from number ``first``.

    By card: the ``products`` (places among the world's), what is loaded before the first tap, whether the
    city knows of that, whether it was ``issued``, had ``expired`` before, and is ``for_tests``. ``listed``
    come onto the blacklist; gaps of ``rolled_back`` are written off. Both are card numbers of the city.
    """

    first: int
    products: Ints
    load_fen: Ints
    loaded: Flags
    issued: Flags
    expired: Flags
    for_tests: Flags
    listed: Ints
    rolled_back: Ints


def make_block(world: World, prices: Prices, first: int, last: int) -> tuple[Cards, Rows]:
    """Make the cards from ``first`` to before ``last``, and their records, which wait to be signed."""
    rides = ride(world.plan, world.tariff, len(world.products), first, last)
    more_fen = np.zeros(len(rides.card), dtype=np.int64)
    price_fen, amount_fen, earlier_fen = _prices(prices, rides, more_fen)
    chosen = choose(world, rides, price_fen, first, last)
    price_changes(world, chosen, more_fen)
    if more_fen.any():
        _, amount_fen, earlier_fen = _prices(prices, rides, more_fen)
    spent_fen = np.bincount(rides.card, weights=amount_fen, minlength=last - first).astype(np.int64)
    # Enough is left for one more debit, so that even a made-up record of the card adds up.
    reserve_fen = int(amount_fen.max(initial=0)) + _RESERVE_FEN
    load_fen = -(-(spent_fen + reserve_fen) // _STEP_FEN) * _STEP_FEN
    rows = np.zeros(len(rides.card), dtype=WAITING)
    rows["terminal"] = _terminals(world, rides, chosen, first)
    rows["tag"] = ((first + rides.card) * _COUNTERS + rides.counter) * 2
    rows["second"], rows["day"], rows["delivery"] = rides.seconds, rides.days, rides.days
    _write(world, rides, rows, first)
    prices.claim(rows["record"], earlier_fen)
    _pay(rides, chosen, rows, amount_fen, load_fen)
    lost = _hold(world, rides, rows)
    spoil(world, rides, chosen, rows)
    for kind, places, _ in chosen:
        lost[places] |= kind.lost
    follow_gaps(rides, rows, lost)
    more = extras(world, chosen, rows)
    kept = np.ones(len(rows), dtype=np.bool_)
    kept[chosen.of(CardFault.NEVER_HANDED_IN)] = False
    listed = np.concatenate([chosen.of(CardFault.LISTED), chosen.of(CardFault.LISTED_UNSEEN)])
    cards = Cards(
        first=first,
        products=rides.products,
        load_fen=load_fen,
        loaded=~_cards_with(rides, chosen, CardFault.NOT_LOADED),
        issued=~_cards_with(rides, chosen, CardFault.NEVER_ISSUED),
        expired=_cards_with(rides, chosen, CardFault.EXPIRED),
        for_tests=_cards_with(rides, chosen, CardFault.TEST_CARD),
        listed=np.sort(first + rides.card[listed]),
        rolled_back=np.sort(first + rides.card[chosen.of(CardFault.ROLLED_BACK)]),
    )
    return cards, np.concatenate([rows[kept], more], dtype=rows.dtype)


def _prices(prices: Prices, rides: Rides, more_fen: Ints) -> tuple[Ints, Ints, Ints]:
    """Give prices, what is charged with ``more_fen`` on top, and what the card had paid before on the day."""
    products, none = rides.products[rides.card], np.zeros(len(rides.card), dtype=np.int64)
    if not prices.depend_on_the_day:
        price_fen = prices.of(rides.tap, products, rides.seconds)
        return price_fen, price_fen + more_fen, none
    price_fen, amount_fen, earlier_fen = none.copy(), none.copy(), none
    counts = prices.count(rides.tap)
    turn = ranks(rides.card, rides.seconds // DAY)
    order = np.argsort(turn, kind="stable")
    # All first debits of a day at once, then all second ones.
    for rows in np.split(order, np.cumsum(np.bincount(turn))[:-1]):
        if len(rows) and turn[rows[0]]:
            earlier_fen[rows] = earlier_fen[rows - 1] + counts[rows - 1] * amount_fen[rows - 1]
        asked = (one[rows] for one in (rides.tap, products, rides.seconds, earlier_fen))
        price_fen[rows] = prices.of(*asked)
        amount_fen[rows] = price_fen[rows] + more_fen[rows]
    return price_fen, amount_fen, earlier_fen


def _cards_with(rides: Rides, chosen: Chosen, kind: CardFault) -> Flags:
    found = np.zeros(len(rides.products), dtype=np.bool_)
    found[rides.card[chosen.of(kind)]] = True
    return found


def _terminals(world: World, rides: Rides, chosen: Chosen, first: int) -> Ints:
    ground, pool = world.ground, world.tariff.pool[rides.tap]
    own_fault = np.zeros(len(rides.products), dtype=np.bool_)
    own_fault[chosen.cards] = True
    choice = np.where(own_fault[rides.card], ground.calm[pool], ground.sizes[pool])
    drawn = dice(world.plan, first, 2).random(len(pool))
    return ground.starts[pool] + (drawn * choice).astype(np.int64)


def _write(world: World, rides: Rides, rows: Rows, first: int) -> None:
    """Write what the terminal knows and what the card says, but money and proofs."""
    record, tariff = rows["record"], world.tariff
    kinds = np.array([product.kind for product in world.products])
    record["version"], record["tti"] = 1, TransactionType.COMPOSITE
    record["kind"], record["service"] = tariff.kind[rides.tap], tariff.service[rides.tap]
    record["issuer"] = np.frombuffer(world.issuer, dtype=np.uint8)
    record["asn"] = bcd(world.first_asn + first + rides.card, record["asn"].shape[1])
    record["card_kind"] = kinds[rides.products[rides.card]]
    record["key_version"], record["algorithm"] = world.key_version, world.algorithm
    record["counter"] = rides.counter
    record["terminal"] = bcd(world.terminals[rows["terminal"]], record["terminal"].shape[1])
    record["at"] = moments(rides.seconds, world.plan.midnight)
    record["config"] = world.config
    record["blacklist"] = world.list_number + (rides.seconds >= NOON)
    record["list_price_fen"] = tariff.list_price_fen[rides.tap]
    record["facts"] = tariff.facts[rides.tap]


def _pay(rides: Rides, chosen: Chosen, rows: Rows, amount_fen: Ints, load_fen: Ints) -> None:
    """Write the balances of every card, from its load on without a break, but where one is wanted."""
    paid = np.cumsum(amount_fen) - amount_fen
    firsts = np.flatnonzero(rides.counter == 0)
    paid -= np.repeat(paid[firsts], np.diff(np.append(firsts, len(paid))))
    jumped = np.full(len(load_fen), np.iinfo(np.int64).max)
    jumps = chosen.of(CardFault.BALANCE_JUMPS)
    jumped[rides.card[jumps]] = rides.counter[jumps]
    before_fen = load_fen[rides.card] - paid + JUMP_FEN * (rides.counter >= jumped[rides.card])
    rows["record"]["balance_before_fen"] = before_fen
    rows["record"]["amount_fen"] = amount_fen
    rows["record"]["balance_after_fen"] = before_fen - amount_fen


def _hold(world: World, rides: Rides, rows: Rows) -> Flags:
    """Mark what terminals in trouble took, and say what of it never arrives."""
    ground, terminals = world.ground, rows["terminal"].astype(np.int64)
    lost = ground.lost(terminals, rides.days, rides.seconds)
    revoked, sam_revoked = ground.held(terminals, rides.days, rides.seconds, world.plan.days - 1)
    rows["code"][revoked], rows["code"][sam_revoked] = NUMBERS[Code.B05], NUMBERS[Code.B06]
    touched = lost | revoked | sam_revoked
    rows["fault"][touched] = ground.fault[terminals[touched]]
    return lost
