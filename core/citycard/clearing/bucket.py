"""One bucket of one run: every new record of its cards, and everything known about those beforehand.

Judging a bucket reads nothing else, so that it gives the same answer here, in another process, or elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cached_property
from typing import Final

import attrs
import numpy as np
import pyarrow as pa

from citycard.clearing.codes import Code
from citycard.clearing.columns import BUCKETS, SLICES, Array, digits, distinct, hexadecimal, moments, numbers
from citycard.clearing.sequence import Gap, SpentLoad
from citycard.keys.lanes import block_words

__all__ = [
    "CITY_SIGNERS",
    "NO_DAY",
    "NO_TRIP",
    "Bucket",
    "Issuer",
    "Known",
    "Listing",
    "Loads",
    "States",
    "TerminalStanding",
    "cut",
    "foreign_records",
]


CITY_SIGNERS: Final = 10_000
"""Below it, a signer is no terminal but the code of the city whose file the record came in."""


NO_TRIP: Final = -1
"""A card that is on no trip, or of which nobody knows."""

NO_DAY: Final = -1
"""The day of a card of which nobody knows what it paid on its last day."""


@attrs.frozen(kw_only=True)
class TerminalStanding:
    """Who runs a terminal, and whether it may still hand in; ``sam_revoked_at`` is local time.

    One stands for each other city whose records came in as well. ``lists`` then says which of our blacklists
    its terminals held, by the number of theirs.
    """

    partner: str
    revoked: bool
    sam_revoked_at: datetime | None = None
    lists: tuple[tuple[int, int], ...] | None = None

    def list_held(self, number: int) -> int:
        """Give the number of our list that the terminal's list contained, whoever numbered that one."""
        if self.lists is None:
            return number
        return max((ours for theirs, ours in self.lists if theirs <= number), default=0)


@attrs.frozen
class Issuer:
    """The issuer id (8 bytes, hexadecimal) of another city, and from when until when its cards are served."""

    id: str
    valid_from: date
    valid_to: date | None


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
    """The records of a bucket, or of some slices of it, in the one order that depends on nothing else.

    All arrays have one entry for each record: ``records`` is of ``RECORD``, ``signer`` the number of the
    terminal whose batch it came in, ``batch`` and ``line`` its place there, ``day`` the business date.
    ``held_run`` is the run that held a record which is taken up again, 0 for what is new; ``mac_holds`` says
    which MACs of terminals were found right before.
    """

    number: int
    slices: range = range(SLICES)
    records: Array
    readable: Array
    signer: Array
    batch: Array
    line: Array
    day: Array
    held_run: Array = attrs.field()

    @held_run.default
    def _all_new(self) -> Array:
        return np.zeros(len(self.records), np.int32)

    mac_holds: Array = attrs.field()

    @mac_holds.default
    def _none_found_right(self) -> Array:
        return np.zeros(len(self.records), bool)

    def __attrs_post_init__(self) -> None:
        order = np.lexsort((self.line, self.batch, self.signer))
        for name in ("records", "readable", "signer", "batch", "line", "day", "held_run", "mac_holds"):
            setattr(self, name, getattr(self, name).take(order))

    def __len__(self) -> int:
        return len(self.records)

    @property
    def share(self) -> int:
        """Give the number of what is judged here: the bucket's, and BUCKETS times its first slice's."""
        return self.number + BUCKETS * self.slices.start

    @cached_property
    def at(self) -> Array:
        """Give the local time of each record; NaT where it cannot be read."""
        return moments(digits(self.records, "at"))

    @cached_property
    def terminal(self) -> Array:
        """Give the number of the terminal that each record names; -1 where it cannot be read."""
        return np.where(self.readable, numbers(digits(self.records, "terminal")), -1)

    @cached_property
    def from_city(self) -> Array:
        """Say which records another city handed in, of cards of ours."""
        found: Array = self.signer < CITY_SIGNERS
        return found

    @cached_property
    def amount_fen(self) -> Array:
        """Give what each record charged."""
        return self.records["amount_fen"].astype(np.int64)

    @cached_property
    def before_fen(self) -> Array:
        """Give what each record says that the purse held before."""
        return self.records["balance_before_fen"].astype(np.int64)

    @cached_property
    def after_fen(self) -> Array:
        """Give what each record says that the purse held after."""
        return self.records["balance_after_fen"].astype(np.int64)

    @cached_property
    def counter(self) -> Array:
        """Give the counter of each record's card."""
        return self.records["counter"].astype(np.int64)

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
        return np.lexsort((self.at, self.card * (1 << 16) + self.counter))


@attrs.frozen(kw_only=True, eq=False)
class States:
    """Where cards stood after their last proven debit, as arrays; a new card has -1, 0, -1.

    ``spent_fen`` is all that was ever accepted of a card, ``riding`` the service of a trip that it
    began, ``spent_today_fen`` what it paid on its latest day, ``spent_day``, in days from 1970. That is all
    if ``day_whole``, and else the least. ``short`` says that C04 was said of it, and that its shadow was not
    up again since.
    """

    counter: Array
    balance_fen: Array
    online_atc: Array
    spent_fen: Array
    riding: Array
    spent_day: Array
    spent_today_fen: Array
    day_whole: Array
    short: Array

    @classmethod
    def new(cls, count: int) -> States:
        """Give the states of cards that nobody has seen."""
        return cls(
            counter=np.full(count, -1, np.int64),
            balance_fen=np.zeros(count, np.int64),
            online_atc=np.full(count, -1, np.int64),
            spent_fen=np.zeros(count, np.int64),
            riding=np.full(count, NO_TRIP, np.int64),
            spent_day=np.full(count, NO_DAY, np.int64),
            spent_today_fen=np.zeros(count, np.int64),
            day_whole=np.zeros(count, bool),
            short=np.zeros(count, bool),
        )

    def copy(self) -> States:
        """Give states that can be changed without changing these."""
        return States(**{name: getattr(self, name).copy() for name in attrs.fields_dict(States)})


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

    ``issued`` says which cards were issued, ``test_cards`` which are for tests; ``expires_on`` is each one's
    last day, ``closed_at`` the local time from which one is closed (NaT: it is not). ``unseen`` has the
    states of the bucket's other cards. Of few cards something is known by ASN: ``listings``, open ``gaps``,
    and in ``earlier`` earlier records by counter, if the run might repeat them. ``settled`` has what people
    decided, in the same way, ``purses`` what the books say was put onto cards that may have spent more.
    ``issuers`` are those of other cities, ``deferred`` the TAC key versions that cannot be used in this run.
    """

    terminals: Mapping[int, TerminalStanding]
    issued: Array
    test_cards: Array
    expires_on: Array
    closed_at: Array
    states: States
    loads: Loads
    unseen: pa.Table | None = None
    issuers: Sequence[Issuer] = ()
    deferred: frozenset[int] = frozenset()
    listings: Mapping[str, list[Listing]] = attrs.field(factory=dict)
    gaps: Mapping[str, list[Gap]] = attrs.field(factory=dict)
    earlier: Mapping[str, Mapping[int, frozenset[bytes]]] = attrs.field(factory=dict)
    settled: Mapping[str, Mapping[int, frozenset[bytes]]] = attrs.field(factory=dict)
    purses: Mapping[str, int] = attrs.field(factory=dict)

    def foreign(self, bucket: Bucket) -> Array:
        """Say which records are of cards of another city (``foreign_records``)."""
        return foreign_records(bucket, self.issuers)

    def acquirers(self, bucket: Bucket) -> tuple[list[str], Array]:
        """Give the partners whose terminals handed records in, and each record's place among them."""
        signers, whose = bucket.signers
        names = [self.terminals[number].partner for number in signers.tolist()]
        partners = sorted(set(names))
        place_of = {name: place for place, name in enumerate(partners)}
        places = np.array([place_of[name] for name in names], np.int64)
        return partners, places[whose]


def cut(records: int, most: int) -> list[range]:
    """Cut a bucket of so many new records into slices of at most about ``most``, as far as that goes."""
    pieces = 1
    while pieces < SLICES and records > most * pieces:
        pieces *= 2
    size = SLICES // pieces
    return [range(begin, begin + size) for begin in range(0, SLICES, size)]


def foreign_records(bucket: Bucket, issuers: Sequence[Issuer]) -> Array:
    """Say which records are of cards of another city, used here on a day on which it took part."""
    found = np.zeros(len(bucket), bool)
    if not issuers:
        return found
    words = block_words(digits(bucket.records, "issuer"))
    for issuer in issuers:
        until = np.datetime64(issuer.valid_to or date.max, "D") + 1
        served = (bucket.at >= np.datetime64(issuer.valid_from, "D")) & (bucket.at < until)
        found |= (words == np.uint64(int(issuer.id, 16))) & served
    return found & ~bucket.from_city
