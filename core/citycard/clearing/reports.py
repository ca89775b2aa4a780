"""What receiving and clearing answer: counts and amounts that add up, and what is still missing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import attrs

from citycard.clearing.codes import FileCode, FileState, State

__all__ = [
    "FileOutcome",
    "IntakeReport",
    "Missing",
    "PartnerTotal",
    "RowProblem",
    "RunReport",
    "SentOutcome",
    "StateTotal",
    "readable",
]


def readable(text: str) -> str:
    """Write bytes that are no text, and NUL, so that every database and every terminal can keep them."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


@attrs.frozen(kw_only=True)
class RowProblem:
    """Say what cannot be read: the line, the field, what stands there, and what was expected."""

    line: int
    field: str
    text: str
    expected: str


@attrs.frozen(kw_only=True)
class FileOutcome:
    """Say where one file ended; terminal, number, records and amount as far as they could be read."""

    name: str
    digest: str
    state: FileState
    code: FileCode
    reason: str = ""
    terminal: str = ""
    number: int | None = None
    records: int = 0
    amount_fen: int = 0


@attrs.frozen(kw_only=True)
class SentOutcome:
    """Say where a sender's file ended. Its batches have outcomes of their own.

    ``unreadable`` records end as R01; ``problems`` says of the first hundred line, field, text and what was
    expected.
    """

    name: str
    digest: str
    state: FileState
    code: FileCode
    reason: str = ""
    sender: str
    number: int
    format: str
    records: int
    amount_fen: int
    unreadable: int = 0
    problems: tuple[RowProblem, ...] = ()


@attrs.frozen(kw_only=True)
class Missing:
    """Name a batch that must exist and has not arrived (code F05); ``announced`` says who knows of it.

    Of a file that is missing in a sender's numbers, ``terminal`` is empty.
    """

    terminal: str
    number: int
    announced: str
    records: int | None = None
    amount_fen: int | None = None
    sender: str = ""


@attrs.frozen(kw_only=True)
class IntakeReport:
    """Answer one call of ``receive``: each file's outcome, and every batch that is missing after it.

    ``intake`` is the commit-ordered number of the call's last portion, None when there was nothing to write
    down. ``files`` has the batches of senders' files too; those files themselves stand in ``sent``.
    """

    intake: int | None
    files: tuple[FileOutcome, ...]
    missing: tuple[Missing, ...]
    sent: tuple[SentOutcome, ...] = ()

    def count(self, state: FileState | str) -> int:
        """Count the files that ended in one state."""
        return sum(outcome.state == state for outcome in self.files)

    @property
    def ends(self) -> list[SentOutcome | FileOutcome]:
        """Give where senders' files ended, then where batches did."""
        return [*self.sent, *self.files]

    @property
    def quarantined(self) -> int:
        """Count the batches and the senders' files that are quarantined."""
        return sum(outcome.state is FileState.QUARANTINED for outcome in self.ends)

    @property
    def records(self) -> int:
        """Count the records of the accepted files."""
        return sum(outcome.records for outcome in self.files if outcome.state is FileState.ACCEPTED)

    @property
    def amount_fen(self) -> int:
        """Sum the accepted files in fen."""
        return sum(outcome.amount_fen for outcome in self.files if outcome.state is FileState.ACCEPTED)


@attrs.frozen(kw_only=True)
class StateTotal:
    """Count the records of one state and code, with their sum in fen."""

    state: State
    code: str
    records: int
    amount_fen: int


@attrs.frozen(kw_only=True)
class PartnerTotal:
    """Hold what one partner is owed by one run: gross less fee is net.

    ``carried_fen`` is what it was owed before the run: online payments, and nets that were not paid; below
    zero it owes the city. ``paid_fen`` is net and carried together, or 0 where that is nothing, or the
    partner has no bank account or is suspended: then it stays payable. ``held_fen`` is what is above the
    partner's cap (N01) and stays payable, too.
    """

    partner: str
    records: int
    gross_fen: int
    fee_fen: int
    net_fen: int
    paid_fen: int
    carried_fen: int = 0
    held_fen: int = 0


@attrs.frozen(kw_only=True)
class RunReport:
    """Answer one call of ``clear``.

    ``changed`` is False when there was nothing new; then the report is that of the last run, or an empty
    one with number 0. ``totals`` add up to ``records`` and ``amount_fen``: what was handed in, and of it
    ``taken_up`` and ``taken_up_fen``, which an earlier run held and this one decided; ``notes`` counts
    findings that did not decide a record's state. ``digest`` is the same for the same records under
    the same rules, on every ``engine``: the one that did the work of the run.
    """

    number: int
    changed: bool
    watermark: int
    closed_at: datetime | None
    business_date: date | None
    records: int
    amount_fen: int
    totals: tuple[StateTotal, ...]
    notes: tuple[tuple[str, int], ...]
    partners: tuple[PartnerTotal, ...]
    price_difference_fen: int
    rules_version: str
    digest: str
    bank_file: str | None
    engine: str = ""
    taken_up: int = 0
    taken_up_fen: int = 0
    missing: tuple[Missing, ...] = ()

    def count(self, state: State | str) -> int:
        """Count the records that ended in one state."""
        return sum(total.records for total in self.totals if total.state == state)

    @property
    def gross_fen(self) -> int:
        """Sum what the partners earned, before fees."""
        return sum(partner.gross_fen for partner in self.partners)

    @property
    def fees_fen(self) -> int:
        """Sum the clearing fees."""
        return sum(partner.fee_fen for partner in self.partners)

    @property
    def settled_fen(self) -> int:
        """Sum what the bank is told to pay."""
        return sum(partner.paid_fen for partner in self.partners)

    def as_json(self) -> dict[str, Any]:
        """Give the report as plain values with its sums, for ``--json``."""
        return self.stored() | {
            "changed": self.changed,
            "missing": [attrs.asdict(missing) for missing in self.missing],
            "gross_fen": self.gross_fen,
            "fees_fen": self.fees_fen,
            "settled_fen": self.settled_fen,
            "clearing": {state.value: self.count(state) for state in State},
        }

    def stored(self) -> dict[str, Any]:
        """Give what is kept of the report in the run's row: JSON without what depends on the call."""
        plain = attrs.asdict(self, filter=lambda field, _: field.name not in {"changed", "missing"})
        plain["closed_at"] = self.closed_at.isoformat() if self.closed_at else None
        plain["business_date"] = self.business_date.isoformat() if self.business_date else None
        plain["notes"] = dict(self.notes)
        plain["totals"] = [attrs.asdict(total) | {"state": total.state.value} for total in self.totals]
        return plain

    @classmethod
    def of(cls, stored: Mapping[str, Any], *, changed: bool, missing: tuple[Missing, ...]) -> RunReport:
        """Read a kept report back; an empty one stands for the time before the first run."""
        closed_at, day = stored.get("closed_at"), stored.get("business_date")
        return cls(
            number=stored.get("number", 0),
            changed=changed,
            watermark=stored.get("watermark", 0),
            closed_at=datetime.fromisoformat(closed_at) if closed_at else None,
            business_date=date.fromisoformat(day) if day else None,
            records=stored.get("records", 0),
            amount_fen=stored.get("amount_fen", 0),
            totals=tuple(
                StateTotal(**total | {"state": State(total["state"])}) for total in stored.get("totals", ())
            ),
            notes=tuple(sorted(stored.get("notes", {}).items())),
            partners=tuple(PartnerTotal(**partner) for partner in stored.get("partners", ())),
            price_difference_fen=stored.get("price_difference_fen", 0),
            rules_version=stored.get("rules_version", ""),
            digest=stored.get("digest", ""),
            bank_file=stored.get("bank_file"),
            engine=stored.get("engine", ""),
            taken_up=stored.get("taken_up", 0),
            taken_up_fen=stored.get("taken_up_fen", 0),
            missing=missing,
        )
