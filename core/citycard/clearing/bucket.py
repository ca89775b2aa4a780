"""One bucket of one run: every new record of its cards, and everything known about those beforehand.

Judging a bucket reads nothing else, so that it gives the same answer here, in another process, or elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import attrs

from citycard.clearing.codes import Code, State
from citycard.clearing.sequence import CardState, Gap, SpentLoad

__all__ = ["Bucket", "Known", "Listing", "TerminalStanding", "Verdict"]


@attrs.frozen(kw_only=True)
class TerminalStanding:
    """Who runs a terminal, and whether it may still hand in; ``sam_revoked_at`` is local time."""

    partner: str
    revoked: bool
    sam_revoked_at: datetime | None = None


@attrs.frozen
class Listing:
    """A card on the lists from ``added_in``, which came out at ``published``, until before ``removed_in``."""

    added_in: int
    removed_in: int | None
    published: datetime

    def judge(self, held: int, at: datetime) -> Code | None:
        """Say who bears a tap at a terminal that held list ``held``: B01, B02, or None: not listed."""
        if self.removed_in is not None and held >= self.removed_in:
            return None
        if held >= self.added_in:
            return Code.B01
        return Code.B02 if at >= self.published else None


@attrs.frozen(kw_only=True)
class Known:
    """What is known before a bucket is judged: terminals by number, everything else by ASN.

    ``cards`` has every issued card, with the local time at which it was closed, if it was; ``earlier`` holds
    earlier records by ASN and counter, where the run might repeat them.
    """

    terminals: Mapping[str, TerminalStanding]
    cards: Mapping[str, datetime | None]
    listings: Mapping[str, list[Listing]] = attrs.field(factory=dict)
    states: Mapping[str, CardState] = attrs.field(factory=dict)
    gaps: Mapping[str, list[Gap]] = attrs.field(factory=dict)
    loads: Mapping[str, list[SpentLoad]] = attrs.field(factory=dict)
    earlier: Mapping[str, Mapping[int, frozenset[bytes]]] = attrs.field(factory=dict)


@attrs.define(kw_only=True)
class Verdict:
    """What became of one record: the deciding code, findings beside it, the price and who gets what."""

    code: Code | None = None
    notes: list[Code] = attrs.field(factory=list)
    price_fen: int | None = None
    parts: tuple[tuple[str, int], ...] = ()

    @property
    def final(self) -> Code:
        """Give the one code that the record ends with: what decided, else the first finding, else OK."""
        return self.code or (self.notes[0] if self.notes else Code.OK)

    @property
    def state(self) -> State:
        """Give the one state that the record ends in."""
        return self.final.state

    def decide(self, code: Code) -> None:
        """Let a finding decide, unless another did; accepted findings never decide."""
        if self.code is None and code.state is not State.ACCEPTED:
            self.code = code
        else:
            self.notes.append(code)


@attrs.define(kw_only=True)
class Bucket:
    """The records of a bucket as columns, in the one order that depends on nothing but the records."""

    number: int
    columns: dict[str, list[Any]]
    verdicts: list[Verdict] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        keys = ("batch_terminal", "batch_number", "line")
        order = list(zip(*(self.columns[key] for key in keys), range(len(self.columns["raw"])), strict=True))
        order.sort()
        places = [entry[-1] for entry in order]
        self.columns = {name: [values[at] for at in places] for name, values in self.columns.items()}
        self.verdicts = [Verdict() for _ in places]

    def __len__(self) -> int:
        return len(self.verdicts)

    @property
    def dates(self) -> list[date]:
        """Give each record's business date."""
        return self.columns["business_date"]
