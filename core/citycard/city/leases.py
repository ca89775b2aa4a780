"""One runner at a time: whoever holds a job's row runs it, and says so again while it does.

A runner that dies says nothing more, and after a minute its job is anybody's again. So a job never waits for
ever, and may in the worst case run twice.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import attrs
from sqlalchemy import Connection, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from citycard.errors import CitycardError
from citycard.kernel.tables import job_run
from citycard.store import reading, writing
from citycard.store.bulk import insert_missing

if TYPE_CHECKING:
    from citycard.city.city import City

__all__ = ["JobRun", "job_runs", "leased"]

_LEASE = timedelta(minutes=1)
_RENEW_S = 20.0
_LONGEST = 400


@attrs.frozen(kw_only=True)
class JobRun:
    """The last run of a job. ``outcome`` is empty while it runs, then ``done`` or why it failed."""

    job: str
    started_at: datetime | None
    leased_until: datetime | None
    finished_at: datetime | None
    outcome: str

    def runs(self, now: datetime) -> bool:
        """Tell whether somebody runs it now."""
        return self.finished_at is None and self.leased_until is not None and self.leased_until > now


def job_runs(city: City) -> dict[str, JobRun]:
    """Give the last run of every job that ever ran, by the job's name."""
    with reading(city.engine) as conn:
        rows = conn.execute(select(job_run))
        return {row.job: JobRun(**row._mapping) for row in rows}  # noqa: SLF001 - a Row's own way


@contextmanager
def leased(city: City, job: str, *, unless_since: datetime | None = None) -> Iterator[bool]:
    """Hold a job while it runs; give False when somebody else does, or has begun after ``unless_since``.

    What is raised inside becomes the outcome of the run, and is passed on.
    """
    with writing(city.engine) as conn:
        mine = _claim(conn, job, city.clock.now(), unless_since)
    if not mine:
        yield False
        return
    outcome, ended = "done", threading.Event()
    renewing = threading.Thread(target=_renew, args=(city, job, ended), daemon=True)
    renewing.start()
    try:
        yield True
    except CitycardError as error:
        outcome = str(error)
        raise
    except BaseException as error:
        outcome = f"interrupted by {type(error).__name__}"
        raise
    finally:
        ended.set()
        renewing.join()
        with writing(city.engine) as conn:
            values = {"finished_at": city.clock.now(), "outcome": outcome[:_LONGEST]}
            conn.execute(update(job_run).where(job_run.c.job == job).values(values))


def _claim(conn: Connection, job: str, now: datetime, unless_since: datetime | None) -> bool:
    insert_missing(conn, job_run, [{"job": job, "outcome": ""}])
    free = or_(
        job_run.c.started_at.is_(None), job_run.c.finished_at.is_not(None), job_run.c.leased_until <= now
    )
    taking = update(job_run).where(job_run.c.job == job, free)
    if unless_since is not None:
        taking = taking.where(or_(job_run.c.started_at.is_(None), job_run.c.started_at <= unless_since))
    values = {"started_at": now, "leased_until": now + _LEASE, "finished_at": None, "outcome": ""}
    return conn.execute(taking.values(values)).rowcount == 1


def _renew(city: City, job: str, ended: threading.Event) -> None:
    while not ended.wait(_RENEW_S):
        until = city.clock.now() + _LEASE
        # A store that is away for a moment is asked again; the lease is longer than one turn.
        with suppress(SQLAlchemyError), writing(city.engine) as conn:
            conn.execute(update(job_run).where(job_run.c.job == job).values(leased_until=until))
