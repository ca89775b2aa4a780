"""What became of the records of a bucket, as columns: deciding codes, findings beside them, prices, parts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import attrs
import numpy as np

from citycard.clearing.codes import UNMOVED, Code, State
from citycard.clearing.columns import Array

__all__ = ["ACCEPTED", "CODES", "HELD", "NUMBERS", "Verdicts"]

CODES: Final = tuple(Code)
"""The codes by number, in the order of their definition; number 0 is OK."""

NUMBERS: Final = {code: number for number, code in enumerate(CODES)}

ACCEPTED: Final = np.array([code.state is State.ACCEPTED for code in CODES])
"""Whether a code, by its number, lets a record be accepted."""

HELD: Final = np.array([code in {Code.G01, Code.T03} for code in CODES])
"""Whether a code, by its number, holds a record: a later run takes it up again (``clearing.held``)."""

_MOVED: Final = np.array([code not in UNMOVED for code in CODES])

assert CODES[0] is Code.OK


@attrs.define(kw_only=True, eq=False)
class Verdicts:
    """One verdict for each record, in the order of its bucket.

    ``codes`` has the number of the code that decided, 0 while none did; ``notes`` the findings beside it, of
    the few records that have any; ``price_fen`` the price recomputed, -1 where there is none. ``division`` is
    the place in ``divisions`` of who gets how much, -1 for nobody.
    """

    codes: Array
    price_fen: Array
    division: Array
    notes: dict[int, list[Code]] = attrs.field(factory=dict)
    divisions: list[tuple[tuple[str, int], ...]] = attrs.field(factory=list)

    @classmethod
    def of(cls, count: int) -> Verdicts:
        """Begin with nothing decided."""
        return cls(
            codes=np.zeros(count, np.uint8),
            price_fen=np.full(count, -1, np.int64),
            division=np.full(count, -1, np.int32),
        )

    @property
    def open(self) -> Array:
        """Say which records nothing has decided yet."""
        found: Array = self.codes == 0
        return found

    @property
    def unrefused(self) -> Array:
        """Say which records count as evidence of what their card did, whatever else is wrong with them."""
        found: Array = _MOVED[self.codes]
        return found

    def set(self, where: Array, code: Code) -> None:
        """Let a code decide records (a mask, or places), whatever did before."""
        self.codes[where] = NUMBERS[code]

    def decide(self, places: Iterable[int] | Array, code: Code) -> None:
        """Let a finding decide, where nothing else did; accepted findings never decide and are noted."""
        for place in places:
            if self.codes[place] == 0 and code.state is not State.ACCEPTED:
                self.codes[place] = NUMBERS[code]
            else:
                self.notes.setdefault(int(place), []).append(code)

    def final(self) -> Array:
        """Give the number of the one code of each record: what decided, else the first finding, else OK."""
        codes = self.codes.copy()
        for place, notes in self.notes.items():
            if codes[place] == 0:
                codes[place] = NUMBERS[notes[0]]
        return codes

    def noted(self, final: Array) -> dict[int, list[Code]]:
        """Give the findings that are not the one code of their record."""
        found = {
            place: [note for note in notes if note is not CODES[final[place]]]
            for place, notes in sorted(self.notes.items())
        }
        return {place: notes for place, notes in found.items() if notes}
