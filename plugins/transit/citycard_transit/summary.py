"""What a played morning came to: the one object that ``--json`` prints. docs/replay.md describes every field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from citycard_transit.taps import BadRow

__all__ = ["Played", "Summary"]


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


@attrs.frozen(kw_only=True)
class Summary:
    """The played morning with what clearing made of it.

    ``played`` is written out field by field beside the others; ``clearing`` counts records by state.
    """

    source: str
    digest: str
    played: Played
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
    already_played: bool = False
    seconds: float = 0.0
    taps_per_second: float = 0.0
    peak_mib: int = 0

    def as_json(self) -> dict[str, Any]:
        """Give the summary as one flat object of plain values."""
        flat = attrs.asdict(self)
        return {**flat.pop("played"), **flat}
