"""What a played morning came to: the one object that ``--json`` prints (docs/replay.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from citycard_transit.taps import BadRow

__all__ = ["Cleared", "Played", "Summary"]


@attrs.define(kw_only=True)
class Played:
    """What was counted while the taps were played. Amounts are fen, lines are lines of the source."""

    rows: int = 0
    played: int = 0
    duplicates: int = 0
    rejected: list[BadRow] = attrs.field(factory=list)
    duplicate_rows: list[BadRow] = attrs.field(factory=list)
    priced: int = 0
    inferred: int = 0
    inferred_transfers: int = 0
    predicted: int = 0
    explained: int = 0
    unexplained: list[int] = attrs.field(factory=list)
    charged_fen: int = 0
    by_operator: dict[str, int] = attrs.field(factory=dict)
    file_by_operator: dict[str, int] = attrs.field(factory=dict)
    explained_charged_fen: int = 0
    explained_file_fen: int = 0
    cards: int = 0
    terminals: int = 0
    entries: int = 0
    opened: int = 0
    incomplete: int = 0
    transfers: int = 0
    recovered: int = 0
    loads: int = 0
    loads_fen: int = 0
    purses_fen: int = 0
    batches: int = 0
    records: int = 0

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Played:
        """Read back what was written as JSON."""
        bad = {name: [BadRow(**row) for row in stored[name]] for name in ("rejected", "duplicate_rows")}
        return cls(**{**stored, **bad})


@attrs.frozen(kw_only=True)
class Cleared:
    """What clearing made of the records, by state and code, and what the bank is told to pay."""

    clearing: Mapping[str, int]
    codes: Mapping[str, int]
    settled_fen: int
    fees_fen: int
    unpaid_fen: int
    run: int
    run_digest: str
    run_changed: bool
    bank_file: str | None
    files: Mapping[str, int]
    missing: int


@attrs.frozen(kw_only=True)
class Summary:
    """The played morning with what clearing made of it; ``cleared`` is None while batches are held back."""

    source: str
    digest: str
    played: Played
    cleared: Cleared | None
    already_played: bool = False
    seconds: float
    phases: Mapping[str, float]
    peak_mib: int

    @property
    def taps_per_second(self) -> float:
        """Give the taps played for each second, from reading to the bank; 0 when none was played now."""
        if self.already_played or not self.seconds:
            return 0.0
        return round(self.played.played / self.seconds, 1)

    def as_json(self) -> dict[str, Any]:
        """Give the summary as one flat object of plain values."""
        nothing = Cleared(
            clearing={},
            codes={},
            settled_fen=0,
            fees_fen=0,
            unpaid_fen=0,
            run=0,
            run_digest="",
            run_changed=False,
            bank_file=None,
            files={},
            missing=0,
        )
        return {
            "source": self.source,
            "digest": self.digest,
            **attrs.asdict(self.played),
            **attrs.asdict(self.cleared or nothing),
            "handed_in": self.cleared is not None,
            "already_played": self.already_played,
            "seconds": round(self.seconds, 2),
            "taps_per_second": self.taps_per_second,
            "phases": {name: round(seconds, 2) for name, seconds in self.phases.items()},
            "peak_mib": self.peak_mib,
        }
