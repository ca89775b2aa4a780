"""A statement: sections with an opening and a closing balance, and lines that lead from one to the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import attrs

from citycard.errors import PeriodInvalid

__all__ = ["Entry", "Line", "Period", "Said", "Section", "Statement"]

_INSTANT = timedelta(microseconds=1)


@attrs.frozen
class Said:
    """The same words in English and Chinese."""

    en: str
    zh: str

    def both(self) -> str:
        """Give both languages in one line; once where they are the same."""
        return self.en if self.en == self.zh else f"{self.en} {self.zh}"


@attrs.frozen(kw_only=True)
class Period:
    """The days from ``since`` to ``until``, both included, by the time at which money was booked."""

    since: date
    until: date

    def __attrs_post_init__(self) -> None:
        if self.since > self.until:
            raise PeriodInvalid(since=self.since, until=self.until)

    def moments(self, timezone: ZoneInfo) -> tuple[datetime, datetime]:
        """Give the last moment before the period and its own last moment, aware."""
        begins = datetime.combine(self.since, time(), timezone)
        ends = datetime.combine(self.until + timedelta(days=1), time(), timezone)
        return begins - _INSTANT, ends - _INSTANT


@attrs.frozen(kw_only=True)
class Entry:
    """One movement: when it was booked and when it happened (local), what, by whom, where, and why.

    ``amount_fen`` is positive for what came in; ``code`` is the transfer's code (docs/ledger.md);
    ``reference`` is the id of the transfer, or of the record behind it.
    """

    booked_at: datetime
    at: datetime
    code: int
    what: Said
    who: str = ""
    where: str = ""
    why: Said = Said("", "")
    amount_fen: int
    reference: str = ""


@attrs.frozen(kw_only=True)
class Line(Entry):
    """An entry and what the account holds after it."""

    balance_fen: int


@attrs.frozen(kw_only=True)
class Section:
    """One account in a period: what it held before and after, and its entries, read anew each time."""

    address: str
    title: Said
    opening_fen: int
    closing_fen: int
    entries: Callable[[], Iterator[Entry]] = attrs.field(repr=False, eq=False)

    def lines(self) -> Iterator[Line]:
        """Give the lines, oldest first; they lead from the opening to the closing balance, or do not end."""
        balance_fen = self.opening_fen
        for entry in self.entries():
            balance_fen += entry.amount_fen
            yield Line(
                **{field.name: getattr(entry, field.name) for field in attrs.fields(Entry)},
                balance_fen=balance_fen,
            )
        assert balance_fen == self.closing_fen, f"{self.address}: {balance_fen} is not {self.closing_fen}"


@attrs.frozen(kw_only=True)
class Statement:
    """All money of a card or partner in a period. ``made_at`` is the city's local time."""

    kind: str
    subject: str
    title: Said
    name: Said
    city: Said
    period: Period
    made_at: datetime
    sections: tuple[Section, ...]
