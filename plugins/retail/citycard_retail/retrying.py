"""Give back again what was refused: each try under an id of its own, after every refusal later."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from citycard.ids import derived_id
from citycard.store import reading
from citycard_retail.market import Market
from citycard_retail.refunds import find_given_back

__all__ = ["is_due", "next_try"]

_WAIT = timedelta(minutes=15)


def next_try(market: Market, first: UUID) -> UUID:
    """Give the id under which a refund is asked for now that may have been refused.

    A refusal stands for its id, so that the next try has its own: ``first`` with a number.
    """
    return _tries(market, first)[0]


def is_due(market: Market, first: UUID) -> bool:
    """Say whether a refund is tried again by now: after every refusal later, at last once a day."""
    _, refused, at = _tries(market, first)
    wait = min(_WAIT * 2 ** min(refused, 10), timedelta(days=1))
    return at is None or market.city.now_local() >= at + wait


def _tries(market: Market, first: UUID) -> tuple[UUID, int, datetime | None]:
    """Give the id of the try that is next, how many were refused, and when the last was."""
    refused, at = 0, None
    with reading(market.city.engine) as conn:
        while True:
            identity = derived_id("retail try", first, refused) if refused else first
            known = find_given_back(conn, identity)
            if known is None or known.state != "refused":
                return identity, refused, at
            refused, at = refused + 1, known.at
