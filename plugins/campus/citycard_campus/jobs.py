"""What campus does by itself: settle meals after clearing, tell missed lessons, carry and give back pots.

Each job imports what it works with when it runs: declaring the jobs does without.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from citycard.clearing.events import RUN_CLOSED
from citycard.kernel.identity import HealthCheck
from citycard.kernel.outside import Job

if TYPE_CHECKING:
    from citycard.kernel.data import Event
    from citycard.kernel.identity import PluginContext
    from citycard_campus.campus import Campus

__all__ = ["CHECKS", "JOBS", "hear"]


def hear(event: Event, context: PluginContext) -> None:
    """Settle meals as soon as a clearing run is closed; the job does it when this was not heard."""
    if event.name == RUN_CLOSED:
        _settle(context)


def _campus(context: PluginContext) -> Campus:
    from citycard_campus.campus import Campus

    return Campus(context.city, context.settings)


def _tell_missing(context: PluginContext) -> None:
    from citycard_campus.attendance import tell_missing

    tell_missing(_campus(context))


def _settle(context: PluginContext) -> None:
    from citycard_campus.settling import settle

    settle(_campus(context))


def _follow_cards(context: PluginContext) -> None:
    from citycard_campus.replacing import follow_cards

    follow_cards(_campus(context))


def _carry(context: PluginContext) -> None:
    from citycard_campus.pots import carry_all

    carry_all(_campus(context))


def _return_rests(context: PluginContext) -> None:
    from citycard_campus.pots import return_rests

    return_rests(_campus(context))


def _books(context: PluginContext) -> str | None:
    # Outside a city, as in tests of plugins alone, there are no books.
    if context.city is None:
        return None
    from citycard.store import reading
    from citycard_campus.pots import standing

    campus = _campus(context)
    with reading(campus.engine) as conn:
        pots = [standing(campus, conn, school) for school in campus.settings.schools]
    wrong = [f"{one.school} by {one.difference_fen} fen" for one in pots if one.difference_fen]
    return f"meal pots and ledger differ: {', '.join(wrong)}" if wrong else None


JOBS = (
    Job(
        name="tell-missing",
        title="Tell guardians of missed lessons",
        every=timedelta(minutes=1),
        run=_tell_missing,
    ),
    Job(
        name="settle-meals",
        title="Pay canteens out of meal pots",
        every=timedelta(hours=1),
        run=_settle,
    ),
    Job(
        name="follow-cards",
        title="Let enrolments follow replaced cards",
        every=timedelta(hours=1),
        run=_follow_cards,
    ),
    Job(
        name="carry-meals",
        title="Put meal grants aside for cards",
        every=timedelta(hours=1),
        run=_carry,
    ),
    Job(
        name="return-meals",
        title="Give back what is left in pots that ended",
        every=timedelta(days=1),
        run=_return_rests,
    ),
)
CHECKS = (HealthCheck(name="meal-pots", title="Meal pots are what the ledger says", check=_books),)
