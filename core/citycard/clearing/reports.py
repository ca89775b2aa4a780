"""What receiving and clearing answer: counts and amounts that add up, and what is still missing."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import attrs

from citycard.clearing.codes import FileCode, FileState, State

__all__ = ["FileOutcome", "IntakeReport", "Missing", "PartnerTotal", "RunReport", "StateTotal"]


@attrs.frozen(kw_only=True)
class FileOutcome:
    """Say where one file handed in ended; terminal, number, records and amount as far as they could be read."""

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
class Missing:
    """Name a batch that must exist and has not arrived (code F05); ``announced`` says who knows of it."""

    terminal: str
    number: int
    announced: str
    records: int | None = None
    amount_fen: int | None = None


@attrs.frozen(kw_only=True)
class IntakeReport:
    """Answer one call of ``receive``: each file's outcome, and every batch missing after it, from whatever call.

    ``intake`` is the commit-ordered number of the call, None when there was nothing to write down.
    """

    intake: int | None
    files: tuple[FileOutcome, ...]
    missing: tuple[Missing, ...]

    def count(self, state: FileState) -> int:
        """Count the files that ended in one state."""
        return sum(outcome.state is state for outcome in self.files)

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

    ``paid_fen`` is net, or 0 for a partner without a bank account or that is suspended: then the net stays payable.
    """

    partner: str
    records: int
    gross_fen: int
    fee_fen: int
    net_fen: int
    paid_fen: int


@attrs.frozen(kw_only=True)
class RunReport:
    """Answer one call of ``clear``.

    ``changed`` is False when there was nothing new; then the report is that of the last run, or an empty one with
    number 0. ``totals`` add up to ``records`` and ``amount_fen`` (what was handed in); ``notes`` counts findings that
    did not decide a record's state. ``digest`` is the same for the same records under the same rules.
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
    missing: tuple[Missing, ...] = ()

    def count(self, state: State) -> int:
        """Count the records that ended in one state."""
        return sum(total.records for total in self.totals if total.state is state)

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
        """Give the report as plain values, for ``--json`` and for the run's row."""
        return attrs.asdict(self) | {
            "gross_fen": self.gross_fen,
            "fees_fen": self.fees_fen,
            "settled_fen": self.settled_fen,
            "states": {str(state): self.count(state) for state in State},
        }
