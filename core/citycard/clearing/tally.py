"""Add up a judged bucket into small integers. Tallies of buckets are merged by addition, in any order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from typing import TypeVar

import attrs
import numpy as np

from citycard.clearing.bucket import Known
from citycard.clearing.codes import Code
from citycard.clearing.columns import Array
from citycard.clearing.judge import Judged
from citycard.clearing.verdicts import ACCEPTED, CODES

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
    """What a run comes to. ``earned`` is by payee and day, ``handed_in`` by acquirer, day and code.

    ``taken_up`` are those among the records that an earlier run held and this one decided.
    """

    codes: dict[Code, Sum] = attrs.field(factory=dict)
    notes: Counter[Code] = attrs.field(factory=Counter)
    earned: dict[tuple[str, date], Sum] = attrs.field(factory=dict)
    handed_in: dict[tuple[str, date, Code], Sum] = attrs.field(factory=dict)
    taken_up: Sum = attrs.field(factory=Sum)
    price_difference_fen: int = 0
    last_at: datetime | None = None
    business_date: date | None = None

    def merge(self, other: Tally) -> None:
        """Add another tally to this one."""
        _merge(self.codes, other.codes)
        _merge(self.earned, other.earned)
        _merge(self.handed_in, other.handed_in)
        self.notes.update(other.notes)
        self.taken_up.add(other.taken_up.amount_fen, other.taken_up.records)
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
    bucket, final, told, total = judged.bucket, judged.final, judged.told, Tally()
    if not told.any():
        return total
    accepted = ACCEPTED[final]
    days = bucket.day.astype(np.int64)
    partners, acquirer = known.acquirers(bucket)
    for (code, partner, day), found in _sums((final, acquirer, days), bucket.amount_fen, told):
        key = (partners[partner], _date(day), CODES[code])
        total.handed_in[key] = found
        total.codes.setdefault(key[2], Sum()).add(found.amount_fen, found.records)
    for notes in judged.verdicts.noted(final).values():
        total.notes.update(notes)
    again = told & (bucket.held_run > 0)
    total.taken_up.add(int(bucket.amount_fen[again].sum()), int(again.sum()))
    total.business_date = bucket.day.max().item()
    if accepted.any():
        total.last_at = bucket.at[accepted].max().item()
    _earn(total, judged, accepted)
    priced = accepted & (judged.verdicts.price_fen >= 0)
    total.price_difference_fen = int((bucket.amount_fen[priced] - judged.verdicts.price_fen[priced]).sum())
    return total


def _earn(total: Tally, judged: Judged, accepted: Array) -> None:
    paid = accepted & (judged.verdicts.division >= 0)
    keys = (judged.verdicts.division, judged.bucket.day.astype(np.int64))
    for (division, day), found in _sums(keys, judged.bucket.amount_fen, paid):
        for partner, part_fen in judged.verdicts.divisions[division]:
            earned = total.earned.setdefault((partner, _date(day)), Sum())
            earned.add(part_fen * found.records, found.records)


def _sums(keys: tuple[Array, ...], amount_fen: Array, where: Array) -> Iterator[tuple[tuple[int, ...], Sum]]:
    """Count and add up what has the same keys."""
    keys, amount_fen = tuple(key[where] for key in keys), amount_fen[where]
    order = np.lexsort(keys)
    ordered = [key[order] for key in keys]
    if not len(order):
        return
    changes = np.any([key[1:] != key[:-1] for key in ordered], axis=0)
    begins = np.flatnonzero(np.r_[True, changes])
    counts = np.diff(np.r_[begins, len(order)]).tolist()
    sums = np.add.reduceat(amount_fen[order], begins).tolist()
    for place, count, sum_fen in zip(begins, counts, sums, strict=True):
        yield tuple(int(key[place]) for key in ordered), Sum(count, sum_fen)


def _date(day: int) -> date:
    found: date = np.datetime64(day, "D").item()
    return found
