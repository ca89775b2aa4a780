"""Find circuits of few gates for an S-box: how the circuits in ``sboxes`` were found, and may be found again.

An output is a function of six inputs. It may be a wire already there, or one or two gates on such wires. If
not, it is split by an input ``x``: a function ``f`` that is right where ``x`` is 0, and ``f ^ (x & g)``,
where ``g`` mends it where ``x`` is 1; or the other way round, ``f ^ (x | g)``. Both need to be right only on
half of the table, where more wires fit. The order of inputs, of outputs, and the choice between wires as
good are drawn, so that another seed finds another circuit. The idea of splitting so is Kwan's (2000).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from citycard.keys.sboxes import INPUTS, Circuit

__all__ = ["minimise", "table", "truth"]

_ALL: Final = (1 << 64) - 1
# What a wire is, over all 64 inputs of a box: bit x is its value for the input x.
_INPUTS: Final = tuple(sum(1 << x for x in range(64) if x >> (INPUTS - 1 - i) & 1) for i in range(INPUTS))
_MOST: Final = 60
_CHOICES: Final = 8
_Gate = tuple[str, int, int]
_Words = NDArray[np.uint64]


def table(rows: str) -> list[int]:
    """Return the 64 values of an S-box out of ``sboxes.TABLES``, in the order of the six input bits."""
    digits = [[int(digit, 16) for digit in row] for row in rows.split()]
    return [digits[x >> 4 & 2 | x & 1][x >> 1 & 15] for x in range(64)]


def truth(rows: str, bit: int) -> int:
    """Return one output bit of an S-box, 0 the highest, as 64 bits: bit x is its value for the input x."""
    return sum(1 << x for x, value in enumerate(table(rows)) if value >> (3 - bit) & 1)


def minimise(rows: str, seed: int) -> Circuit:
    """Return the circuit that this seed finds for an S-box: right, and about 60 gates."""
    dice = random.Random(seed)  # noqa: S311 - no secret is drawn
    order, turns = list(range(INPUTS)), list(range(4))
    dice.shuffle(order)
    dice.shuffle(turns)
    wires, outputs = _Wires(values=_INPUTS, gates=()), [0] * 4
    for bit in turns:
        found = _made(wires, truth(rows, bit), _ALL, order, dice, _MOST)
        assert found is not None, "every function of six inputs is found within the most gates"
        wires, outputs[bit] = found
    return _used(wires.gates, outputs, seed)


@attrs.frozen(kw_only=True)
class _Wires:
    """What is computed so far: the inputs and the gates, each with its value for all 64 inputs."""

    values: tuple[int, ...]
    gates: tuple[_Gate, ...]

    def more(self, sign: str, left: int, right: int) -> tuple[_Wires, int]:
        one, other = self.values[left], self.values[right]
        value = {"&": one & other, "|": one | other, "^": one ^ other, "~": one ^ _ALL}[sign]
        gates = (*self.gates, (sign, left, right))
        return _Wires(values=(*self.values, value), gates=gates), len(self.values)

    def all(self, gates: Iterable[_Gate]) -> tuple[_Wires, int]:
        """Add gates; a wire below zero is the one made before."""
        wires, last = self, -1
        for sign, left, right in gates:
            wires, last = wires.more(sign, last if left < 0 else left, last if right < 0 else right)
        return wires, last


_Found = tuple[_Wires, int] | None


def _made(wires: _Wires, wanted: int, care: int, order: list[int], dice: random.Random, most: int) -> _Found:
    """Return the wires with one that is ``wanted`` where ``care`` is 1, after at most so many more gates."""
    if most < 0:
        return None
    found = _near(wires, wanted & care, care, dice, most)
    if found is not None or most < 3 or not order:  # noqa: PLR2004 - a split is two gates and what they join
        return found
    best = None
    x, rest = order[0], order[1:]
    signs = ["&", "|"]
    dice.shuffle(signs)
    for sign in signs:
        mends = _INPUTS[x] if sign == "&" else _INPUTS[x] ^ _ALL
        turned = wanted if sign == "&" else wanted ^ _ALL
        first = _made(wires, turned, care & ~mends, rest, dice, most - 2)
        if first is None:
            continue
        part, base = first
        spent = len(part.gates) - len(wires.gates)
        second = _made(part, wanted ^ part.values[base], care & mends, rest, dice, most - 2 - spent)
        if second is None:
            continue
        whole, mend = second
        best = whole.all([(sign, x, mend), ("^", base, -1)])
        most = len(best[0].gates) - len(wires.gates) - 1
    return best


def _near(wires: _Wires, wanted: int, care: int, dice: random.Random, most: int) -> _Found:
    """Return a wire that fits with none, one or two gates more, by the fewest that do."""
    seen = np.array(wires.values, dtype=np.uint64) & np.uint64(care)
    here, there = np.uint64(wanted), np.uint64(wanted ^ care)
    fits = np.flatnonzero(seen == here)
    if len(fits):
        return wires, int(dice.choice(fits.tolist()))
    if most < 1:
        return None
    pairs = _Pairs(seen)
    one = [[("~", int(i), int(i))] for i in np.flatnonzero(seen == there)] or pairs.equal(here)
    if one or most == 1:
        return wires.all(dice.choice(one)) if one else None
    two = [[*gates, ("~", -1, -1)] for gates in pairs.equal(there)] or [
        *pairs.joined(here),
        *_inverted(seen, here, np.uint64(care)),
    ]
    return wires.all(dice.choice(two)) if two else None


class _Pairs:
    """Every gate over two of the wires, and what it gives."""

    def __init__(self, seen: _Words) -> None:
        self._seen = seen
        self._left, self._right = np.triu_indices(len(seen), 1)
        one, other = seen[self._left], seen[self._right]
        self._values = np.concatenate([one & other, one | other, one ^ other])

    def equal(self, wanted: np.uint64) -> list[list[_Gate]]:
        return [[self._gate(place)] for place in np.flatnonzero(self._values == wanted).tolist()]

    def joined(self, wanted: np.uint64) -> Iterator[list[_Gate]]:
        """Yield a pair and a gate that joins it with one more wire."""
        order = np.argsort(self._values, kind="stable")
        ordered = self._values[order]
        places = np.searchsorted(ordered, self._seen ^ wanted) % len(ordered)
        for wire in np.flatnonzero(ordered[places] == self._seen ^ wanted).tolist():
            yield [self._gate(int(order[places[wire]])), ("^", -1, wire)]
        for wire in np.flatnonzero(self._seen & wanted == wanted).tolist():
            for place in np.flatnonzero(self._values & self._seen[wire] == wanted)[:_CHOICES].tolist():
                yield [self._gate(place), ("&", -1, wire)]
        for wire in np.flatnonzero(self._seen | wanted == wanted).tolist():
            for place in np.flatnonzero(self._values | self._seen[wire] == wanted)[:_CHOICES].tolist():
                yield [self._gate(place), ("|", -1, wire)]

    def _gate(self, place: int) -> _Gate:
        kind, pair = divmod(place, len(self._left))
        return "&|^"[kind], int(self._left[pair]), int(self._right[pair])


def _inverted(seen: _Words, wanted: np.uint64, care: np.uint64) -> Iterator[list[_Gate]]:
    """Yield an inverted wire and a gate that joins it with another."""
    turned = seen ^ care
    for wire, value in enumerate(seen):
        for place in np.flatnonzero(turned & value == wanted).tolist():
            yield [("~", place, place), ("&", -1, wire)]
        for place in np.flatnonzero(turned | value == wanted).tolist():
            yield [("~", place, place), ("|", -1, wire)]


def _used(gates: tuple[_Gate, ...], outputs: list[int], seed: int) -> Circuit:
    """Return the circuit without gates that no output comes from."""
    needed = set(outputs)
    for wire in range(len(gates) + INPUTS - 1, INPUTS - 1, -1):
        if wire in needed:
            needed.update(gates[wire - INPUTS][1:])
    kept = sorted(wire for wire in needed if wire >= INPUTS)
    names = {**{i: i for i in range(INPUTS)}, **{wire: INPUTS + i for i, wire in enumerate(kept)}}
    chosen = (gates[wire - INPUTS] for wire in kept)
    return Circuit(
        gates=tuple((sign, names[left], names[right]) for sign, left, right in chosen),
        outputs=tuple(names[wire] for wire in outputs),
        seed=seed,
    )
