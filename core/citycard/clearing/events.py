"""What clearing tells, once it was committed."""

from __future__ import annotations

import attrs

__all__ = ["RUN_CLOSED", "RunClosed"]

RUN_CLOSED = "clearing.run-closed"


@attrs.frozen(kw_only=True)
class RunClosed:
    """A run was closed: its number, how many records it judged, and what the bank is told to pay for it."""

    run: int
    records: int
    settled_fen: int
