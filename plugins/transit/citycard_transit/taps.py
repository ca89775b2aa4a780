"""One tap of one card at one gate or validator, wherever it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum

import attrs

__all__ = ["BadRow", "Named", "Tap", "TapKind", "Taps"]


class TapKind(Enum):
    """What the rider did."""

    ENTRY = "entry"
    EXIT = "exit"
    BUS = "bus"


@attrs.frozen(kw_only=True)
class Tap:
    """A card at a gate: who, where, when, and what the source says about the price.

    ``line`` is the line of the file (its header is line 1) or the number in a generated morning.
    ``list_price_fen`` is None where the city's own tables give the base price, ``paid_fen`` None where the
    source does not say what was paid, ``transfer`` None where the gate finds out from the card itself,
    ``product`` None where it has to be inferred. ``torn`` is the write on the card's memory at which the card
    leaves the field, for a tap that the rider has to repeat.
    """

    line: int
    card: str
    at: datetime
    kind: TapKind
    terminal: str
    operator: str
    place: str
    vehicle: str = ""
    list_price_fen: int | None = None
    paid_fen: int | None = None
    transfer: bool | None = None
    product: str | None = None
    business_date: date
    torn: int | None = None

    @property
    def priced(self) -> bool:
        """Tell whether this tap ends a ride that has a price."""
        return self.kind is not TapKind.ENTRY


@attrs.frozen(kw_only=True)
class BadRow:
    """A row that cannot be played: its line in the file, and why."""

    line: int
    reason: str


@attrs.frozen(kw_only=True)
class Named:
    """What a source knows about a place beyond the word in the tap: its number, its name, and its line."""

    code: int
    name: str
    line: str = ""


@attrs.frozen(kw_only=True)
class Taps:
    """Everything a source held: the taps in its own order, what was wrong, and a digest of the content.

    ``names`` says more about places, by the word that stands in the taps.
    """

    source: str
    digest: str
    rows: int
    taps: tuple[Tap, ...]
    rejected: tuple[BadRow, ...] = ()
    duplicates: tuple[BadRow, ...] = ()
    names: Mapping[str, Named] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        # Every row is in exactly one place; a reader that loses one is wrong.
        assert self.rows == len(self.taps) + len(self.rejected) + len(self.duplicates)
