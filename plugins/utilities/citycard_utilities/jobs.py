"""What happens by time, and when clearing closes a run; every part again without harm.

Each part imports what it works with when it runs: declaring them does without.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from citycard import HealthCheck, Job, PluginContext

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["JOBS", "after_run", "checks"]


def after_run(city: City, settings: Any) -> None:
    """Match what clearing accepted, hand billers their files, and give back what was too much."""
    from citycard_utilities.handout import hand_out
    from citycard_utilities.matching import match_runs
    from citycard_utilities.returning import give_returns, note_refunds

    match_runs(city, settings)
    hand_out(city, settings)
    note_refunds(city, settings)
    give_returns(city)


def _match(context: PluginContext) -> None:
    after_run(context.city, context.settings)


def _finish(context: PluginContext) -> None:
    from citycard_utilities.paying import finish_pending
    from citycard_utilities.returning import give_returns

    finish_pending(context.city, context.settings)
    give_returns(context.city)


def _collect(context: PluginContext) -> None:
    from citycard_utilities.mandates import collect

    collect(context.city, context.settings)


JOBS = (
    Job(
        name="match",
        title="Match cleared payments with their bills, and hand billers their files",
        every=dt.timedelta(minutes=10),
        run=_match,
    ),
    Job(
        name="finish",
        title="Finish payments of bills that were broken off",
        every=dt.timedelta(minutes=1),
        run=_finish,
    ),
    Job(name="collect", title="Collect bills by direct debit", every=dt.timedelta(hours=1), run=_collect),
)


def checks() -> list[HealthCheck]:
    """Give the checks that an operator can run."""
    return [
        HealthCheck(
            name="returns",
            title="Money that goes back has moved",
            check=_waiting,
            repair=_finish,
        ),
        HealthCheck(
            name="settlements",
            title="Every biller has the file of every settlement",
            check=_without_file,
            repair=_match,
        ),
    ]


def _without_file(context: PluginContext) -> str | None:
    from citycard_utilities.handout import missing_files

    if context.city is None:
        return None
    missing = missing_files(context.city, context.settings)
    if not missing:
        return None
    biller, run = missing[0]
    command = f"citycard utilities export --biller {biller} --run {run}"
    return f"{len(missing)} settlements have no file, the first {biller}'s of run {run}: {command} says why"


def _waiting(context: PluginContext) -> str | None:
    from citycard.store import reading
    from citycard_utilities.returning import returns_of

    if context.engine is None:
        return None
    with reading(context.engine) as conn:
        kept = [one for one in returns_of(conn, pending=True) if one.told]
    return f"{len(kept)} returns were refused, the first ({kept[0].id}): {kept[0].told}" if kept else None
