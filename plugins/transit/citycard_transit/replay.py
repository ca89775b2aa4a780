"""A morning from the first tap to the bank: open, play, hand in, clear, settle. It may break off anywhere.

Until its draft is written a play has changed nothing but the registry, and is played again. From then on it
is only handed in and cleared, and each of these steps may be repeated.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
from sqlalchemy import select

from citycard.clearing.intake import receive
from citycard.clearing.reports import PartnerTotal, RunReport
from citycard.clearing.run import clear
from citycard.clearing.tables import batch_file, clearing_run
from citycard.kernel.settings import structure
from citycard.kernel.states import State
from citycard.store import reading
from citycard_transit.errors import TransitOff, TransitRefused
from citycard_transit.opening import known_products, open_all
from citycard_transit.play import Outcome, Stage, play
from citycard_transit.playbook import Playbook
from citycard_transit.products import infer
from citycard_transit.services import Fares
from citycard_transit.settings import TransitSettings
from citycard_transit.summary import Cleared, Played, Summary
from citycard_transit.taps import Tap, Taps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from citycard.city import City
    from citycard.clearing.reports import IntakeReport

__all__ = ["MANIFEST_NAME", "Clockwork", "Progress", "replay", "settings_of"]

MANIFEST_NAME = "manifest.json"
_KIB_PER_MIB = 1024

Progress = Callable[[Sequence[Tap]], Iterable[Tap]]


class Clockwork:
    """Times the phases of a replay, from the moment it is made."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self.phases: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time one phase."""
        began = time.monotonic()
        yield
        self.phases[name] = time.monotonic() - began

    def seconds(self) -> float:
        """Give the seconds since the start."""
        return time.monotonic() - self._started


def settings_of(city: City) -> TransitSettings:
    """Give the transit settings of a city.

    Raise TransitOff when the city has transit switched off, and TransitRefused when it is wanted and does
    not run, such as for a mistake in ``[plugins.transit]``.
    """
    if not city.plugins.enabled("transit"):
        found = city.plugins.report("transit")
        if found.state is State.DISABLED or not found.reason:
            raise TransitOff(folder=city.folder)
        raise TransitRefused(folder=city.folder, reason=" ".join(found.reason.split()))
    return structure(
        TransitSettings, city.config.plugins.get("transit", {}), where="city.toml: plugins.transit"
    )


def replay(
    city: City,
    source: Taps,
    *,
    clockwork: Clockwork,
    progress: Progress = iter,
    keep: bool = True,
    hold: Path | None = None,
) -> Summary:
    """Play a morning in a city, clear and settle it, and say what came of it.

    Taps that were played in this city before (by their digest) are not played again: the summary is the
    earlier one, and clearing is run once more, which changes nothing. ``keep`` the cards for later plays.
    ``hold`` writes the batch files and their manifest into a folder instead of handing them in.
    """
    book = Playbook(city, source.digest)
    settings = settings_of(city)
    with book.alone():
        return _replay(
            city, source, book, settings, clockwork=clockwork, progress=progress, keep=keep, hold=hold
        )


def _replay(
    city: City,
    source: Taps,
    book: Playbook,
    settings: TransitSettings,
    *,
    clockwork: Clockwork,
    progress: Progress,
    keep: bool,
    hold: Path | None,
) -> Summary:
    stored = book.summary()
    if stored is not None:
        return _again(city, stored, clockwork)
    draft = book.draft()
    if draft is None:
        _play(city, source, book, settings, clockwork=clockwork, progress=progress, keep=keep)
        draft = book.draft()
        assert draft is not None, "it was just written and posted"
    if hold is not None:
        _hold(hold, book.batches(), draft.manifest)
        return _summary(source, draft.played, None, clockwork)
    with clockwork.phase("hand in"):
        batches = book.batches()
        intake = receive(city, batches, draft.manifest)
    with clockwork.phase("clear"):
        last = clear(city)
        report = _run_of(city, intake, last) if batches else last
    summary = _summary(source, draft.played, _cleared(report, intake), clockwork)
    book.write_summary(summary.as_json())
    return summary


def _play(
    city: City,
    source: Taps,
    book: Playbook,
    settings: TransitSettings,
    *,
    clockwork: Clockwork,
    progress: Progress,
    keep: bool,
) -> None:
    with clockwork.phase("open"):
        taps = sorted(source.taps, key=lambda tap: (tap.at, tap.line))
        fares = Fares.of(settings)
        plan = infer(taps, fares, known_products(city, taps))
        opened = open_all(city, settings, source, plan.products)
        images, terminals = book.earlier()
    played = Played(
        rows=source.rows,
        duplicates=len(source.duplicates),
        rejected=list(source.rejected),
        duplicate_rows=list(source.duplicates),
    )
    with clockwork.phase("play"), city.desk.buffered() as desk:
        stage = Stage(
            city=city,
            desk=desk,
            fares=fares,
            opened=opened,
            plan=plan,
            images=images,
            terminals=terminals,
            keep=keep,
        )
        outcome = play(stage, taps, played, progress)
        # The draft counts only with its loads, which are posted when this block is left.
        book.write_draft(outcome, _manifest(source, outcome), outcome.first_load, keep=keep)


def _manifest(source: Taps, outcome: Outcome) -> dict[str, Any]:
    return {
        "collector": f"replay-{source.digest[:16]}",
        "number": 1,
        "batches": [batch.line() for batch in outcome.batches],
    }


def _hold(folder: Path, batches: Sequence[tuple[str, bytes]], manifest: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in batches:
        (folder / name).write_bytes(content)
    (folder / MANIFEST_NAME).write_text(json.dumps(manifest, indent=2), encoding="utf-8")


def _run_of(city: City, intake: IntakeReport, last: RunReport) -> RunReport:
    """Find the run that cleared these files: not the last one, when others came between."""
    digests = [outcome.digest for outcome in intake.files[:1]]
    with reading(city.engine) as conn:
        accepted = select(batch_file.c.intake).where(
            batch_file.c.digest.in_(digests), batch_file.c.state == "accepted"
        )
        number = conn.scalar(accepted.limit(1))
        run = select(clearing_run.c.number, clearing_run.c.report).where(
            clearing_run.c.from_intake < number, clearing_run.c.watermark >= number
        )
        row = conn.execute(run).one_or_none() if number is not None else None
    if row is None or row.number == last.number:
        return last
    return RunReport.of(row.report, changed=False, missing=last.missing)


def _cleared(report: RunReport, intake: IntakeReport) -> Cleared:
    states: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    for total in report.totals:
        states[total.state.value] += total.records
        codes[total.code] += total.records
    return Cleared(
        clearing={state: states[state] for state in ("accepted", "rejected", "suspended", "duplicate")},
        codes=dict(codes),
        settled_fen=sum(_paid_of_net_fen(partner) for partner in report.partners),
        fees_fen=report.fees_fen,
        unpaid_fen=sum(partner.net_fen - _paid_of_net_fen(partner) for partner in report.partners),
        run=report.number,
        run_digest=report.digest,
        run_changed=report.changed,
        bank_file=report.bank_file,
        files=dict(Counter(outcome.state.value for outcome in intake.files)),
        missing=len(report.missing),
    )


def _paid_of_net_fen(partner: PartnerTotal) -> int:
    """Say what of a run's own net was paid: beyond it lies what earlier runs had left owed."""
    return min(partner.net_fen, partner.paid_fen)


def _again(city: City, stored: Mapping[str, Any], clockwork: Clockwork) -> Summary:
    """Give the summary of an earlier play, after clearing was run once more."""
    with clockwork.phase("clear"):
        report = clear(city)
    names = [field.name for field in attrs.fields(Played)]
    played = Played.of({name: stored[name] for name in names})
    cleared = {field.name: stored[field.name] for field in attrs.fields(Cleared)}
    return Summary(
        source=stored["source"],
        digest=stored["digest"],
        played=played,
        cleared=Cleared(**{**cleared, "run_changed": report.changed}),
        already_played=True,
        seconds=clockwork.seconds(),
        phases=clockwork.phases,
        peak_mib=_peak_mib(),
    )


def _summary(source: Taps, played: Played, cleared: Cleared | None, clockwork: Clockwork) -> Summary:
    return Summary(
        source=source.source,
        digest=source.digest,
        played=played,
        cleared=cleared,
        seconds=clockwork.seconds(),
        phases=clockwork.phases,
        peak_mib=_peak_mib(),
    )


def _peak_mib() -> int:
    """Give the most memory that this process and its helper ever held, together."""
    used = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    # Linux counts KiB, macOS bytes.
    return used // (_KIB_PER_MIB if sys.platform != "darwin" else _KIB_PER_MIB**2)
