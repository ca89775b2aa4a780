"""The supervision report (监督考核): how far the card got, by domain, district and partner, against targets.

Nobody is to be found in it: of a part of the city, a number of cards below 5 is not told.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import attrs
from sqlalchemy import func, select

from citycard import registry
from citycard.city.supervisionlines import (
    Choice,
    Lines,
    Scope,
    SupervisionFigures,
    SupervisionLine,
    registered_in,
)
from citycard.city.targets import EVERY, Progress, Target, progress
from citycard.city.uses import NONE, Span, UsesBy
from citycard.city.usesbook import UsesBook
from citycard.clearing.tables import clearing_run
from citycard.errors import Phrase, QueryInvalid, SupervisionTargetInvalid
from citycard.kernel.states import State
from citycard.store import reading

if TYPE_CHECKING:
    from citycard.city.city import City

__all__ = [
    "Choice",
    "Scope",
    "SupervisionFigures",
    "SupervisionLine",
    "SupervisionReport",
    "SupervisionTarget",
    "choices",
    "scope_of",
    "span_before",
    "supervise",
]

_EARLIEST, _LATEST = date(2000, 1, 1), date(2099, 12, 31)
_LONGEST_DAYS = 3660


@attrs.frozen(kw_only=True)
class SupervisionTarget:
    """A target of ``city.toml``, what its domain and district are called, and how far it is."""

    target: Target
    domain: Choice
    district: Choice
    progress: Progress


@attrs.frozen(kw_only=True)
class SupervisionReport:
    """The report. ``run`` is the last clearing run in it; a record that comes later is in later reports.

    ``partners`` are the first of ``partners_found``, by turnover.
    """

    city: str
    city_zh: str
    since: date
    until: date
    before_since: date
    before_until: date
    district: str
    domain: str
    made_at: datetime
    run: int | None
    total: SupervisionLine
    domains: tuple[SupervisionLine, ...]
    districts: tuple[SupervisionLine, ...]
    partners: tuple[SupervisionLine, ...]
    partners_found: int
    targets: tuple[SupervisionTarget, ...]


def scope_of(
    city: City,
    *,
    since: date | None = None,
    until: date | None = None,
    district: str = "",
    domain: str = "",
) -> Scope:
    """Make what a report is about; this month up to today when days are left out. Raise QueryInvalid."""
    until = until or max(since or _EARLIEST, city.now_local().date())
    since = since or until.replace(day=1)
    for name, day in (("until", until), ("since", since)):
        if not _EARLIEST <= day <= _LATEST:
            raise QueryInvalid(
                field=name,
                text=str(day),
                expected=Phrase("a day from {earliest} to {latest}", earliest=_EARLIEST, latest=_LATEST),
            )
    if not since <= until < since + timedelta(days=_LONGEST_DAYS):
        expected = Phrase(
            "a day from {since} on, at most {longest_days} days in all",
            since=since,
            longest_days=_LONGEST_DAYS,
        )
        raise QueryInvalid(field="until", text=str(until), expected=expected)
    districts, domains = choices(city)
    for name, wish, known in (("district", district, districts), ("domain", domain, domains)):
        if wish and all(wish != choice.id for choice in known):
            expected = Phrase("one of {known}", known=", ".join(choice.id for choice in known))
            raise QueryInvalid(field=name, text=wish[:40], expected=expected)
    return Scope(span=Span(since, until), district=district, domain=domain)


def choices(city: City) -> tuple[tuple[Choice, ...], tuple[Choice, ...]]:
    """Give the districts, and the domains: the plugins that the city allows. What belongs to none is last."""
    with reading(city.engine) as conn:
        found = registry.districts(conn)
    districts = [Choice(id=one.id, title=one.name, title_zh=one.name_zh) for one in found]
    serving = {owned.owner.plugin for owned in city.plugins.services()}
    domains = [
        Choice(id=one.name, title=one.title or one.name, title_zh=one.title_zh)
        for one in city.plugins.reports()
        if one.name in serving or not (one.running or one.state is State.FOUND)
    ]
    return (
        (*districts, Choice(id=NONE, title="no district", title_zh="无区县")),
        (*domains, Choice(id=NONE, title="other", title_zh="其他")),
    )


def span_before(span: Span) -> Span:
    """Give the span to compare with: the same days of the month before, else as many days right before.

    A whole month is compared with the whole month before it, whichever of them is longer.
    """
    since, until = span.since, span.until
    first = until.replace(day=1)
    if since != first:
        return Span(since - (until - since) - timedelta(days=1), since - timedelta(days=1))
    last = first - timedelta(days=1)
    whole = (until + timedelta(days=1)).day == 1
    return Span(last.replace(day=1), last if whole else last.replace(day=min(until.day, last.day)))


def supervise(
    city: City, scope: Scope, *, partners: int = 100, book: UsesBook | None = None
) -> SupervisionReport:
    """Make the report, with so many ``partners`` at most; raise SupervisionTargetInvalid.

    What a ``book`` has counted before is not counted again.
    """
    districts, domains = choices(city)
    targets = _targets(city, scope, domains)
    before, today = span_before(scope.span), city.now_local().date()
    ends = [min(target.until, scope.span.until, today) for target in targets]
    windows = [Span(target.since, max(end, target.since)) for target, end in zip(targets, ends, strict=True)]
    counted = (book or UsesBook(city)).read([scope.span, before, *windows])
    with reading(city.engine) as conn:
        run = conn.scalar(select(func.max(clearing_run.c.number)).where(clearing_run.c.state == "closed"))
        registered = registered_in(conn, scope)
    lines = Lines(scope=scope, now=counted[scope.span], before=counted[before], registered=registered)
    found = lines.partners()
    named = city.config.city
    return SupervisionReport(
        city=named.name,
        city_zh=named.name_zh,
        since=scope.span.since,
        until=scope.span.until,
        before_since=before.since,
        before_until=before.until,
        district=scope.district,
        domain=scope.domain,
        made_at=city.now_local(),
        run=run,
        total=lines.total(),
        domains=lines.domains(domains),
        districts=lines.districts(districts),
        partners=found[:partners],
        partners_found=len(found),
        targets=tuple(
            SupervisionTarget(
                target=target,
                domain=_named(target.domain, domains, "all domains", "全部领域"),
                district=_named(target.district, districts, "all districts", "全部区县"),
                progress=progress(target, _reached(target, counted[window]), end),
            )
            for target, window, end in zip(targets, windows, ends, strict=True)
        ),
    )


# ── targets ──────────────────────────────────────────────────────────────────────────────────────


def _targets(city: City, scope: Scope, domains: Iterable[Choice]) -> tuple[Target, ...]:
    """Give the targets of a scope whose days meet it, in their order in city.toml."""
    known = [EVERY, *(one.id for one in domains)]
    for place, target in enumerate(city.config.supervision.targets):
        if target.domain not in known:
            raise SupervisionTargetInvalid(place=place, domain=target.domain, known=", ".join(known))
    return tuple(
        target
        for target in city.config.supervision.targets
        if target.since <= scope.span.until
        and target.until >= scope.span.since
        and scope.domain in {"", target.domain}
        and scope.district in {"", target.district}
    )


def _reached(target: Target, counted: UsesBy) -> int:
    uses = counted.of(
        domain=None if target.domain == EVERY else target.domain,
        district=None if target.district == EVERY else target.district,
    )
    reached: int = getattr(uses, target.measure.value)
    return reached


def _named(name: str, known: Iterable[Choice], every: str, every_zh: str) -> Choice:
    if name == EVERY:
        return Choice(id=EVERY, title=every, title_zh=every_zh)
    return next(one for one in known if one.id == name)
