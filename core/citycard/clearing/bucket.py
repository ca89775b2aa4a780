"""One bucket of one run: every new record of its cards, and everything known about those beforehand.

Judging a bucket reads nothing else, so that it gives the same answer here, in another process, or elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property

import attrs
import numpy as np
import pyarrow as pa

from citycard.clearing.codes import Code
from citycard.clearing.columns import Array, digits, distinct, hexadecimal, moments, numbers
from citycard.clearing.sequence import Gap, SpentLoad

__all__ = ["Bucket", "Known", "Listing", "Loads", "States", "TerminalStanding"]


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


@attrs.define(kw_only=True, eq=False)
class Bucket:
    """The records of a bucket, in the one order that depends on nothing but the records.

    All arrays have one entry for each record: ``records`` is of ``RECORD``, ``signer`` the number of the
    terminal whose batch it came in, ``batch`` and ``line`` its place there, ``day`` the business date.
    """

    number: int
    records: Array
    readable: Array
    signer: Array
    batch: Array
    line: Array
    day: Array

    def __attrs_post_init__(self) -> None:
        order = np.lexsort((self.line, self.batch, self.signer))
        for name in ("records", "readable", "signer", "batch", "line", "day"):
            setattr(self, name, getattr(self, name).take(order))

    def __len__(self) -> int:
        return len(self.records)

    @cached_property
    def at(self) -> Array:
        """Give the local time of each record; NaT where it cannot be read."""
        return moments(digits(self.records, "at"))

    @cached_property
    def terminal(self) -> Array:
        """Give the number of the terminal that each record names; -1 where it cannot be read."""
        return np.where(self.readable, numbers(digits(self.records, "terminal")), -1)

    @cached_property
    def amount_fen(self) -> Array:
        """Give what each record charged."""
        return self.records["amount_fen"].astype(np.int64)

    @cached_property
    def signers(self) -> tuple[Array, Array]:
        """Give the terminals whose batches the records came in, each once, and each record's among them."""
        return np.unique(self.signer, return_inverse=True)

    @cached_property
    def _cards(self) -> tuple[Array, Array]:
        return distinct(digits(self.records, "asn"))

    @property
    def card(self) -> Array:
        """Give the place of each record's card in ``asns``."""
        return self._cards[1]

    @cached_property
    def asns(self) -> list[str]:
        """List the cards, each once, in the order of their digits."""
        found: list[str] = hexadecimal(self._cards[0]).to_pylist()
        return found

    @cached_property
    def by_card(self) -> Array:
        """Order the records by card, then by counter, then by time."""
        counter = self.records["counter"].astype(np.int64)
        return np.lexsort((self.at, self.card * (1 << 16) + counter))


@attrs.frozen(kw_only=True, eq=False)
class States:
    """Where cards stood after their last proven debit, as arrays; a new card has -1, 0, -1.

    ``spent_fen`` is all that was ever accepted of a card.
    """

    counter: Array
    balance_fen: Array
    online_atc: Array
    spent_fen: Array

    @classmethod
    def new(cls, count: int) -> States:
        """Give the states of cards that nobody has seen."""
        return cls(
            counter=np.full(count, -1, np.int64),
            balance_fen=np.zeros(count, np.int64),
            online_atc=np.full(count, -1, np.int64),
            spent_fen=np.zeros(count, np.int64),
        )

    def copy(self) -> States:
        """Give states that can be changed without changing these."""
        return States(
            counter=self.counter.copy(),
            balance_fen=self.balance_fen.copy(),
            online_atc=self.online_atc.copy(),
            spent_fen=self.spent_fen.copy(),
        )


@attrs.frozen(kw_only=True, eq=False)
class Loads:
    """What was loaded onto cards, or may have been, as arrays: by card, then by its online counter."""

    card: Array
    online_atc: Array
    amount_fen: Array
    proven: Array
    at: Array

    def of(self, card: int) -> list[SpentLoad]:
        """Give the loads of one card."""
        first, last = np.searchsorted(self.card, (card, card + 1))
        return [
            SpentLoad(
                int(self.online_atc[one]),
                int(self.amount_fen[one]),
                bool(self.proven[one]),
                self.at[one].item(),
            )
            for one in range(first, last)
        ]


@attrs.frozen(kw_only=True, eq=False)
class Known:
    """What is known before a bucket is judged: terminals by number, cards in the order of its ``asns``.

    ``issued`` says which cards were issued, ``expires_on`` each one's last day, ``closed_at`` the local time
    from which one is closed (NaT: it is not). ``unseen`` has the states of the bucket's other cards. Of few
    cards something is known by ASN: ``listings``, open ``gaps``, and in ``earlier`` earlier records by
    counter, if the run might repeat them.
    """

    terminals: Mapping[int, TerminalStanding]
    issued: Array
    expires_on: Array
    closed_at: Array
    states: States
    loads: Loads
    unseen: pa.Table | None = None
    listings: Mapping[str, list[Listing]] = attrs.field(factory=dict)
    gaps: Mapping[str, list[Gap]] = attrs.field(factory=dict)
    earlier: Mapping[str, Mapping[int, frozenset[bytes]]] = attrs.field(factory=dict)

    def acquirers(self, bucket: Bucket) -> tuple[list[str], Array]:
        """Give the partners whose terminals handed records in, and each record's place among them."""
        signers, whose = bucket.signers
        names = [self.terminals[number].partner for number in signers.tolist()]
        partners = sorted(set(names))
        place_of = {name: place for place, name in enumerate(partners)}
        places = np.array([place_of[name] for name in names], np.int64)
        return partners, places[whose]
