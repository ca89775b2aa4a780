"""Work on a schedule, the city's own and the plugins': which there is, which is due, and one run of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import attrs

from citycard.city.accounts import lapse
from citycard.city.closing import settle_due
from citycard.city.expiring import expire
from citycard.city.leases import JobRun, job_runs, leased
from citycard.city.orders import look_after_due
from citycard.city.sealing import SEALING, VERIFYING, require_unaltered, seal_city
from citycard.errors import CitycardError, JobBusy, JobUnknown

if TYPE_CHECKING:
    from citycard.city.city import City

__all__ = ["JobState", "due_jobs", "jobs", "run_due", "run_job"]

_log = logging.getLogger("citycard.jobs")


@attrs.frozen(kw_only=True)
class _OwnJob:
    """Work that every city does, whichever plugins it has."""

    title: str
    every: timedelta
    run: Callable[[City], object]


def _settle_cards(city: City) -> None:
    settle_due(city, actor="server")


def _look_after_uploads(city: City) -> None:
    from citycard.clearing.uploads import look_after_uploads

    look_after_uploads(city)


def _take_in_inbox(city: City) -> None:
    from citycard.clearing.dropping import Inbox

    inbox = city.config.clearing.inbox
    if inbox:
        folder = city.folder / inbox
        folder.mkdir(parents=True, exist_ok=True)
        with Inbox(folder) as dropped:
            while dropped.take_in(city) is not None:
                continue


_OWN = {
    "citycard.take-in-inbox": _OwnJob(
        title="Take in files that were dropped", every=timedelta(seconds=5), run=_take_in_inbox
    ),
    "citycard.settle-cards": _OwnJob(
        title="Fix what is owed for cards that were given up", every=timedelta(hours=1), run=_settle_cards
    ),
    "citycard.look-after-orders": _OwnJob(
        title="Ask the payment provider what became of orders", every=timedelta(seconds=5), run=look_after_due
    ),
    "citycard.expire-topups": _OwnJob(
        title="Give back the money of loads whose end no card showed", every=timedelta(hours=1), run=expire
    ),
    "citycard.lapse": _OwnJob(
        title="Take back subsidies and points whose time is over", every=timedelta(hours=1), run=lapse
    ),
    "citycard.expire-uploads": _OwnJob(
        title="Finish uploads that are whole, and forget those that were left off",
        every=timedelta(hours=1),
        run=_look_after_uploads,
    ),
    SEALING: _OwnJob(title="Seal the ledger", every=timedelta(minutes=1), run=seal_city),
    VERIFYING: _OwnJob(
        title="Verify the ledger against its seals", every=timedelta(days=1), run=require_unaltered
    ),
}


@attrs.frozen(kw_only=True)
class JobState:
    """A job, as ``<plugin>.<job>``, with its last run; the city's own are ``citycard.<job>``."""

    job: str
    title: str
    every: timedelta
    last: JobRun | None = None

    def due(self, now: datetime) -> bool:
        """Tell whether its turn has come: at once the first time, then one interval after it last began."""
        if self.last is None or self.last.started_at is None:
            return True
        return not self.last.runs(now) and self.last.started_at + self.every <= now


def jobs(city: City) -> list[JobState]:
    """List the city's own jobs, then those of the plugins that run, by plugin and then as declared."""
    runs = job_runs(city)
    own = [
        JobState(job=name, title=job.title, every=job.every, last=runs.get(name))
        for name, job in _OWN.items()
    ]
    return own + [
        JobState(job=name, title=owned.record.title, every=owned.record.every, last=runs.get(name))
        for owned in city.plugins.jobs()
        for name in [f"{owned.owner.plugin}.{owned.record.name}"]
    ]


def due_jobs(city: City) -> list[JobState]:
    """List the jobs whose turn has come; those of a plugin that a server is still opening wait."""
    now, starting = city.clock.now(), city.plugins.starting()
    return [each for each in jobs(city) if each.due(now) and each.job.partition(".")[0] not in starting]


def run_due(city: City, state: JobState) -> bool:
    """Run a job whose turn has come; return False when another process was faster.

    What the job raises is logged, and becomes the outcome of the run.
    """
    try:
        with leased(city, state.job, unless_since=city.clock.now() - state.every) as mine:
            if mine:
                _run(city, state.job)
            return mine
    except CitycardError as error:
        _log.warning("job %s: %s", state.job, error)
        return True


def run_job(city: City, job: str) -> None:
    """Run a job now, due or not; raise JobUnknown, JobBusy, PluginFailed, or what the job means to say."""
    known = {each.job: each for each in jobs(city)}
    if job not in known:
        raise JobUnknown(job=job, known=", ".join(known) or "none")
    with leased(city, job) as mine:
        if not mine:
            last = job_runs(city)[job]
            raise JobBusy(job=job, since=f"{last.started_at:%Y-%m-%d %H:%M:%S} UTC")
        _run(city, job)


def _run(city: City, job: str) -> None:
    if job in _OWN:
        _OWN[job].run(city)
        return
    # Counted like a request, so that the plugin is not closed under its job.
    with city.plugins.busy(job.partition(".")[0]):
        try:
            city.plugins.run_job(job)
        except KeyError as gone:  # what the job itself raises has become PluginFailed
            raise JobUnknown(job=job, known="others: its plugin was just switched off") from gone
