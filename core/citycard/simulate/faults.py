"""Choose the cards of a block that get a fault, spoil their records, and write down what must be found.

Each fault has a card of its own, and that card taps only where no terminal is in trouble. So what a fault
does follows from it alone (docs/simulate.md lists it), and the truth needs no clearing to be known.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs
import numpy as np

from citycard.clearing.codes import Code
from citycard.clearing.verdicts import NUMBERS
from citycard.simulate.columns import Flags, Ints, Rows, bcd, moments
from citycard.simulate.ground import DAY, NOON
from citycard.simulate.kinds import CardFault
from citycard.simulate.rides import Rides, dice
from citycard.simulate.spool import Copy, Spoil
from citycard.simulate.world import World
from citycard.terminal.record import RecordFlag, RecordKind

__all__ = ["JUMP_FEN", "Chosen", "choose", "extras", "follow_gaps", "price_changes", "spoil"]

JUMP_FEN: Final = 100
"""What a card's balance jumps by where no load explains it."""

_DIFFERS_FEN, _TOO_FAR_FEN = 50, 100
_LISTED = frozenset({CardFault.LISTED, CardFault.LISTED_UNSEEN})
_FOREIGN: Final = np.frombuffer(bytes.fromhex("0101999999999999"), dtype=np.uint8)
_NO_SERVICE, _NO_KEY, _NO_TYPE, _NO_ALGORITHM, _NO_VERSION, _NO_MONTH = 0xFFFF, 0xFA, 0x77, 0x7E, 0, 0x13
_MONTH = 2
_AHEAD, _BEHIND = 3 * DAY, -60 * DAY
_AGAIN, _JUST_BEFORE = 1200, -90
_MORNING = 9 * 3600


@attrs.frozen(kw_only=True, eq=False)
class Chosen:
    """The faults of a block: which rows each kind is on, and the fault's number in the truth."""

    rows: dict[CardFault, Ints]
    numbers: dict[CardFault, Ints]
    cards: Ints

    def __iter__(self) -> Iterator[tuple[CardFault, Ints, Ints]]:
        return ((kind, rows, self.numbers[kind]) for kind, rows in self.rows.items())

    def of(self, kind: CardFault) -> Ints:
        """Give the rows of a kind."""
        return self.rows.get(kind, np.empty(0, dtype=np.int64))


def choose(world: World, rides: Rides, price_fen: Ints, first: int, last: int) -> Chosen:
    """Deal the block's faults, all kinds in turn, to cards whose records allow them.

    The record that is meant is paid, and is neither the first nor the last of its card, but for the kind that
    is on the last. A block whose cards have too few records gets fewer faults.
    """
    begin, end = world.plan.share(world.plan.card_faults, first, last)
    rng = dice(world.plan, first, 3)
    ended = np.append(rides.counter[1:], 0) == 0
    paid = (rides.counter > 0) & (price_fen > 0)
    inner = paid & ~ended
    fits = dict.fromkeys(_LISTED, inner & (rides.seconds >= NOON))
    fits[CardFault.UNPROVEN_LAST] = paid & ended
    kinds = world.tariff.kind[rides.tap]
    entered = np.append(False, kinds[:-1] == RecordKind.ENTRY) & (rides.counter > 0)
    fits[CardFault.ENTRY_UNSEEN] = inner & (kinds == RecordKind.EXIT) & entered
    bounds = np.searchsorted(rides.card, np.arange(last - first + 1))
    waiting = [int(card) for card in rng.permutation(np.unique(rides.card[inner]))]
    rows: dict[CardFault, list[int]] = {}
    numbers: dict[CardFault, list[int]] = {}
    for place in range(begin, end):
        kind = CardFault.dealt(place)
        if kind is CardFault.FARE_TOO_FAR and world.price_limit_fen * 2 > world.amount_limit_fen:
            continue
        fit = fits.get(kind, inner)
        for turn, card in enumerate(waiting):
            able = np.flatnonzero(fit[bounds[card] : bounds[card + 1]])
            if len(able):
                rows.setdefault(kind, []).append(int(bounds[card] + able[rng.integers(len(able))]))
                numbers.setdefault(kind, []).append(len(world.ground.troubles) + place + 1)
                del waiting[turn]
                break
    chosen = {kind: np.array(places) for kind, places in rows.items()}
    cards = np.concatenate([rides.card[places] for places in chosen.values()] or [rides.card[:0]])
    return Chosen(
        rows=chosen, numbers={kind: np.array(given) for kind, given in numbers.items()}, cards=cards
    )


def price_changes(world: World, chosen: Chosen, amount_fen: Ints) -> None:
    """Let the terminals of two kinds of fault charge more than the price."""
    amount_fen[chosen.of(CardFault.FARE_DIFFERS)] += _DIFFERS_FEN
    amount_fen[chosen.of(CardFault.FARE_TOO_FAR)] += world.price_limit_fen + _TOO_FAR_FEN


def spoil(world: World, rides: Rides, chosen: Chosen, rows: Rows) -> None:
    """Spoil the records that faults are on, and write the codes by which they must be found."""
    record = rows["record"]
    for kind, places, numbers in chosen:
        rows["fault"][places] = numbers
        if kind not in _COPIED and kind is not CardFault.NEVER_HANDED_IN:
            rows["code"][places] = NUMBERS[kind.code]
    odd = {kind: places[numbers % 2 == 1] for kind, places, numbers in chosen}
    unreadable = chosen.of(CardFault.UNREADABLE)
    record["version"][unreadable] = _NO_VERSION
    months = odd.get(CardFault.UNREADABLE, unreadable)
    record["version"][months], record["at"][months, _MONTH] = 1, _NO_MONTH
    record["issuer"][chosen.of(CardFault.FOREIGN_ISSUER)] = _FOREIGN
    record["tti"][chosen.of(CardFault.TYPE_UNKNOWN)] = _NO_TYPE
    record["algorithm"][chosen.of(CardFault.ALGORITHM_UNKNOWN)] = _NO_ALGORITHM
    record["key_version"][chosen.of(CardFault.KEY_UNKNOWN)] = _NO_KEY
    record["service"][chosen.of(CardFault.FARE_UNKNOWN)] = _NO_SERVICE
    record["balance_after_fen"][chosen.of(CardFault.SUM_WRONG)] += 1
    unproven = np.concatenate([chosen.of(CardFault.UNPROVEN_PAID), chosen.of(CardFault.UNPROVEN_LAST)])
    record["flags"][unproven] |= int(RecordFlag.UNPROVEN)
    for kind, by in ((CardFault.IN_THE_FUTURE, _AHEAD), (CardFault.TOO_OLD, _BEHIND)):
        places = chosen.of(kind)
        record["at"][places] = moments(rides.seconds[places] + by, world.plan.midnight)
    rows["spoil"][chosen.of(CardFault.TAC_WRONG)] = Spoil.TAC_WRONG
    rows["spoil"][unproven] = Spoil.TAC_NONE
    rows["spoil"][chosen.of(CardFault.MAC_WRONG)] = Spoil.MAC_WRONG
    _other_terminal(world, rows, chosen.of(CardFault.OTHER_TERMINAL))
    late = np.concatenate([chosen.of(CardFault.LATE), chosen.of(CardFault.ROLLED_BACK)])
    rows["delivery"][late] = world.plan.days
    _whole_cards(world, rides, chosen, rows)
    _not_loaded(rides, chosen, rows)
    exits = chosen.of(CardFault.ENTRY_UNSEEN)
    record["kind"][exits - 1] = RecordKind.OPENED
    rows["code"][exits], rows["code"][exits - 1] = 0, NUMBERS[Code.G02]
    rows["fault"][exits - 1], rows["fault"][exits] = rows["fault"][exits], 0


def _other_terminal(world: World, rows: Rows, places: Ints) -> None:
    """Let records say that they are of the terminal beside the one that hands them in."""
    ground, terminal = world.ground, rows["terminal"][places].astype(np.int64)
    pool = np.searchsorted(ground.starts, terminal, side="right") - 1
    start = ground.starts[pool]
    beside = start + (terminal - start + 1) % ground.calm[pool]
    # One that is alone in its pool has none beside it.
    beside = np.where(beside == terminal, (terminal + 1) % len(world.terminals), beside)
    rows["record"]["terminal"][places] = bcd(world.terminals[beside], 6)


def _whole_cards(world: World, rides: Rides, chosen: Chosen, rows: Rows) -> None:
    """Mark every record of cards that are listed, from noon on, not issued, expired, or for tests."""
    noon = rides.seconds >= NOON
    for kind, counts in (
        (CardFault.LISTED, noon),
        (CardFault.LISTED_UNSEEN, noon),
        (CardFault.NEVER_ISSUED, np.ones_like(noon)),
        (CardFault.EXPIRED, np.ones_like(noon)),
        (CardFault.TEST_CARD, np.ones_like(noon)),
    ):
        places = chosen.of(kind)
        by_card = np.zeros(len(rides.products), dtype=np.int64)
        by_card[rides.card[places]] = chosen.numbers.get(kind, places)
        marked = (by_card[rides.card] > 0) & counts
        rows["code"][marked] = NUMBERS[kind.code]
        rows["fault"][marked] = by_card[rides.card][marked]
        if kind is CardFault.LISTED_UNSEEN:
            rows["record"]["blacklist"][marked] = world.list_number


def _not_loaded(rides: Rides, chosen: Chosen, rows: Rows) -> None:
    """Mark, of cards with money that nobody loaded, their first record, and the first paid after it."""
    paid = (rides.counter > 0) & (rows["record"]["amount_fen"] > 0)
    for place, number in zip(
        chosen.of(CardFault.NOT_LOADED), chosen.numbers.get(CardFault.NOT_LOADED, ()), strict=True
    ):
        first = place - rides.counter[place]
        spent = first + np.flatnonzero(paid[first : place + 1])[0]
        rows["code"][place], rows["fault"][place] = 0, 0
        rows["code"][first], rows["code"][spent] = NUMBERS[Code.C03], NUMBERS[Code.C04]
        rows["fault"][[first, spent]] = number


# ── records that nobody should have handed in ────────────────────────────────────────────────────

_COPIED: Final = {
    CardFault.REPEATED: Copy.EXACT,
    CardFault.REPEATED_LATER: Copy.EXACT,
    CardFault.SERIAL_TWICE: Copy.SERIAL,
    CardFault.COUNTER_TWICE: Copy.NONE,
    CardFault.CLONE: Copy.NONE,
    CardFault.UNPROVEN_UNPAID: Copy.NONE,
}


def extras(world: World, chosen: Chosen, rows: Rows) -> Rows:
    """Give the records that are handed in beside the true ones: repeated ones, of clones, of torn debits."""
    plan = world.plan
    found = [rows[:0]]
    for kind, copy in _COPIED.items():
        extra = rows[chosen.of(kind)].copy()
        extra["code"], extra["copy"] = NUMBERS[kind.code], copy
        if kind in {CardFault.REPEATED_LATER, CardFault.CLONE}:
            extra["delivery"] = plan.days
        if copy is Copy.NONE:
            extra["tag"] += 1
            seconds = extra["second"].astype(np.int64) + _AGAIN
            if kind is CardFault.CLONE:
                seconds[:] = plan.days * DAY + _MORNING
            elif kind is CardFault.UNPROVEN_UNPAID:
                # A debit that did not happen, and that the rider then tried once more.
                seconds += _JUST_BEFORE - _AGAIN
                extra["record"]["flags"] |= int(RecordFlag.UNPROVEN)
                extra["spoil"] = Spoil.TAC_NONE
            extra["second"], extra["record"]["at"] = seconds, moments(seconds, plan.midnight)
        elif copy is Copy.SERIAL:
            record = extra["record"]
            record["counter"] += 1
            record["balance_before_fen"] -= record["amount_fen"]
            record["balance_after_fen"] -= record["amount_fen"]
        found.append(extra)
    # What is true of these cards is in order.
    for kind in _COPIED:
        rows["fault"][chosen.of(kind)] = 0
    return np.concatenate(found, dtype=rows.dtype)


def follow_gaps(rides: Rides, rows: Rows, lost: Flags) -> None:
    """Write C01 where a debit arrives and the one before it did not."""
    before = np.append(False, lost[:-1]) & (rides.counter > 0)
    found = before & ~lost & (rows["code"] == 0)
    rows["code"][found] = NUMBERS[Code.C01]
    rows["fault"][found] = rows["fault"][np.flatnonzero(found) - 1]
