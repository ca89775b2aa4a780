"""Add up a judged bucket into small integers. Tallies of buckets are merged by addition, in any order."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from typing import TypeVar

import attrs

from citycard.clearing.bucket import Known
from citycard.clearing.codes import Code, State
from citycard.clearing.judge import Judged

__all__ = ["Sum", "Tally", "tally"]

_Key = TypeVar("_Key")


@attrs.define
class Sum:
    """A number of records and their amount."""

    records: int = 0
    amount_fen: int = 0

    def add(self, amount_fen: int, records: int = 1) -> None:
        """Add records."""
        self.records += records
        self.amount_fen += amount_fen


@attrs.define(kw_only=True)
class Tally:
    """What a run comes to. ``earned`` is by payee and day, ``handed_in`` by acquirer, day and code."""

    codes: dict[Code, Sum] = attrs.field(factory=dict)
    notes: Counter[Code] = attrs.field(factory=Counter)
    earned: dict[tuple[str, date], Sum] = attrs.field(factory=dict)
    handed_in: dict[tuple[str, date, Code], Sum] = attrs.field(factory=dict)
    price_difference_fen: int = 0
    last_at: datetime | None = None
    business_date: date | None = None

    def merge(self, other: Tally) -> None:
        """Add another tally to this one."""
        _merge(self.codes, other.codes)
        _merge(self.earned, other.earned)
        _merge(self.handed_in, other.handed_in)
        self.notes.update(other.notes)
        self.price_difference_fen += other.price_difference_fen
        moments = [moment for moment in (self.last_at, other.last_at) if moment]
        self.last_at = max(moments, default=None)
        days = [day for day in (self.business_date, other.business_date) if day]
        self.business_date = max(days, default=None)


def _merge(mine: dict[_Key, Sum], theirs: dict[_Key, Sum]) -> None:
    for key, found in theirs.items():
        mine.setdefault(key, Sum()).add(found.amount_fen, found.records)


def tally(judged: Judged, known: Known) -> Tally:
    """Add up one bucket."""
    total, columns = Tally(), judged.bucket.columns
    rows = zip(
        judged.bucket.verdicts,
        columns["amount_fen"],
        columns["business_date"],
        columns["batch_terminal"],
        columns["at"],
        strict=True,
    )
    for verdict, amount_fen, day, terminal, at in rows:
        code = verdict.final
        acquirer = known.terminals[terminal].partner
        total.codes.setdefault(code, Sum()).add(amount_fen)
        total.handed_in.setdefault((acquirer, day, code), Sum()).add(amount_fen)
        total.notes.update(note for note in verdict.notes if note is not code)
        if total.business_date is None or day > total.business_date:
            total.business_date = day
        if code.state is not State.ACCEPTED:
            continue
        if total.last_at is None or at > total.last_at:
            total.last_at = at
        for partner, part_fen in verdict.parts:
            total.earned.setdefault((partner, day), Sum()).add(part_fen)
        if verdict.price_fen is not None:
            total.price_difference_fen += amount_fen - verdict.price_fen
    return total
