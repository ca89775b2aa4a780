"""The supervision report (监督考核): how far the card got, by domain, district and partner, against targets.

Nobody is to be found in it: of a part of the city, a number of cards below 5 is not told.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import attrs
from sqlalchemy import Connection, func, select

from citycard import registry
from citycard.city.targets import EVERY, FEW, Progress, Target, progress
from citycard.city.uses import NONE, Span, Uses, UsesBy
from citycard.city.usesbook import UsesBook
from citycard.clearing.tables import clearing_run
from citycard.errors import QueryInvalid, SupervisionTargetInvalid
from citycard.kernel.states import State
from citycard.registry.records import PartnerStatus, TerminalStatus
from citycard.registry.tables import terminal
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
class Scope:
    """What a report is about: the days of ``span``, and a district and a domain; all where they are empty.

    ``-`` stands for partners without a district, or for what belongs to no domain that is on.
    """

    span: Span
    district: str = ""
    domain: str = ""

    @property
    def whole_city(self) -> bool:
        """Tell whether it is about the whole city."""
        return not (self.district or self.domain)


@attrs.frozen(kw_only=True)
class Choice:
    """A district or a domain by id, and what it is called."""

    id: str
    title: str
    title_zh: str = ""


@attrs.frozen(kw_only=True)
class SupervisionFigures:
    """What was counted: cards that were used, uses, gross turnover, partners and terminals that were used.

    ``cards`` is None where from 1 to 4 cards of a part of the city were used.
    """

    cards: int | None
    uses: int
    turnover_fen: int
    partners: int
    terminals: int


@attrs.frozen(kw_only=True)
class SupervisionLine:
    """A domain, a district, a partner or all together: what was counted now and in the period before.

    ``partners_registered`` and ``terminals_registered`` are None of a domain: partners belong to none.
    """

    id: str
    title: str
    title_zh: str
    now: SupervisionFigures
    before: SupervisionFigures
    partners_registered: int | None = None
    terminals_registered: int | None = None

    @property
    def cards_change(self) -> int | None:
        """Give how many cards more were used than before; None where one of both is not told."""
        now, before = self.now.cards, self.before.cards
        return None if now is None or before is None else now - before

    @property
    def uses_change(self) -> int:
        """Give how many uses more there were than before."""
        return self.now.uses - self.before.uses

    @property
    def turnover_change_fen(self) -> int:
        """Give how many fen more were paid than before."""
        return self.now.turnover_fen - self.before.turnover_fen


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
            raise QueryInvalid(field=name, text=str(day), expected=f"a day from {_EARLIEST} to {_LATEST}")
    if not since <= until < since + timedelta(days=_LONGEST_DAYS):
        expected = f"a day from {since} on, at most {_LONGEST_DAYS} days in all"
        raise QueryInvalid(field="until", text=str(until), expected=expected)
    districts, domains = choices(city)
    for name, wish, known in (("district", district, districts), ("domain", domain, domains)):
        if wish and all(wish != choice.id for choice in known):
            expected = f"one of {', '.join(choice.id for choice in known)}"
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
        registered = _registered(conn, scope)
    lines = _Lines(scope=scope, now=counted[scope.span], before=counted[before], registered=registered)
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


# ── who takes part ───────────────────────────────────────────────────────────────────────────────


@attrs.frozen(kw_only=True)
class _Registered:
    """A partner that is active, or was used; ``terminals`` are those in use by the end of the period."""

    partner: registry.Partner
    terminals: int

    @property
    def district(self) -> str:
        return self.partner.district or NONE


def _registered(conn: Connection, scope: Scope) -> tuple[_Registered, ...]:
    working = select(terminal.c.partner, func.count().label("working")).where(
        terminal.c.status == TerminalStatus.ACTIVE, terminal.c.opened_on <= scope.span.until
    )
    terminals = {row.partner: row.working for row in conn.execute(working.group_by(terminal.c.partner))}
    return tuple(
        _Registered(partner=one, terminals=terminals.get(one.id, 0))
        for one in registry.partners(conn)
        if scope.district in {"", one.district or NONE}
    )


# ── lines ────────────────────────────────────────────────────────────────────────────────────────


@attrs.frozen(kw_only=True)
class _Lines:
    """What becomes the lines of a report: the counts of both periods, and the partners of its scope."""

    scope: Scope
    now: UsesBy
    before: UsesBy
    registered: tuple[_Registered, ...]

    def total(self) -> SupervisionLine:
        return self._line(Choice(id="", title="all together", title_zh="合计"), whole=self.scope.whole_city)

    def domains(self, known: Iterable[Choice]) -> tuple[SupervisionLine, ...]:
        lines = [self._line(one, domain=one.id) for one in known if self.scope.domain in {"", one.id}]
        return _sorted(line for line in lines if line.id != NONE or _used(line))

    def districts(self, known: Iterable[Choice]) -> tuple[SupervisionLine, ...]:
        lines = [self._line(one, district=one.id) for one in known if self.scope.district in {"", one.id}]
        return _sorted(line for line in lines if line.id != NONE or line.partners_registered or _used(line))

    def partners(self) -> tuple[SupervisionLine, ...]:
        lines = [
            (one, self._line(Choice(id=one.partner.id, title=one.partner.name), partner=one.partner.id))
            for one in self.registered
        ]
        waits = not self.scope.domain
        return _sorted(
            line
            for one, line in lines
            if _used(line) or (waits and one.partner.status is PartnerStatus.ACTIVE)
        )

    def _line(
        self, named: Choice, *, domain: str = "", district: str = "", partner: str = "", whole: bool = False
    ) -> SupervisionLine:
        about = {
            "domain": domain or self.scope.domain or None,
            "district": district or self.scope.district or None,
            "partner": partner or None,
        }
        count = about["domain"] is None
        here = [one for one in self.registered if _stands(one, district, partner)] if count else []
        return SupervisionLine(
            id=named.id,
            title=named.title,
            title_zh=named.title_zh or named.title,
            now=_figures(self.now.of(**about), whole=whole),
            before=_figures(self.before.of(**about), whole=whole),
            partners_registered=len(here) if count else None,
            terminals_registered=sum(one.terminals for one in here) if count else None,
        )


def _stands(one: _Registered, district: str, partner: str) -> bool:
    return (
        one.partner.status is PartnerStatus.ACTIVE
        and district in {"", one.district}
        and partner in {"", one.partner.id}
    )


def _figures(uses: Uses, *, whole: bool) -> SupervisionFigures:
    few = not whole and 0 < uses.cards < FEW
    return SupervisionFigures(
        cards=None if few else uses.cards,
        uses=uses.uses,
        turnover_fen=uses.turnover_fen,
        partners=uses.partners,
        terminals=uses.terminals,
    )


def _used(line: SupervisionLine) -> bool:
    return bool(line.now.partners or line.before.partners)


def _sorted(lines: Iterable[SupervisionLine]) -> tuple[SupervisionLine, ...]:
    return tuple(sorted(lines, key=lambda line: (-line.now.turnover_fen, -line.now.uses, line.id)))


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
