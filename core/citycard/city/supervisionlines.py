"""The lines of the supervision report: what was counted of a domain, a district or a partner."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

import attrs
from sqlalchemy import Connection, func, select

from citycard import registry
from citycard.city.targets import FEW
from citycard.city.uses import NONE, Span, Uses, UsesBy
from citycard.registry.records import PartnerStatus, TerminalStatus
from citycard.registry.tables import terminal

__all__ = [
    "Choice",
    "Lines",
    "Registered",
    "Scope",
    "SupervisionFigures",
    "SupervisionLine",
    "named",
    "registered_in",
]

_BOTH = re.compile(r"([ -~]+) ([^ -~].*)")


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


# ── who takes part ───────────────────────────────────────────────────────────────────────────────


@attrs.frozen(kw_only=True)
class Registered:
    """A partner that is active, or was used; ``terminals`` are those in use by the end of the period."""

    partner: registry.Partner
    terminals: int

    @property
    def district(self) -> str:
        """Give its district, or what stands for none."""
        return self.partner.district or NONE


def registered_in(conn: Connection, scope: Scope) -> tuple[Registered, ...]:
    """Give the partners of a scope with their terminals."""
    working = select(terminal.c.partner, func.count().label("working")).where(
        terminal.c.status == TerminalStatus.ACTIVE, terminal.c.opened_on <= scope.span.until
    )
    terminals = {row.partner: row.working for row in conn.execute(working.group_by(terminal.c.partner))}
    return tuple(
        Registered(partner=one, terminals=terminals.get(one.id, 0))
        for one in registry.partners(conn)
        if scope.district in {"", one.district or NONE}
    )


# ── lines ────────────────────────────────────────────────────────────────────────────────────────


@attrs.frozen(kw_only=True)
class Lines:
    """What becomes the lines of a report: the counts of both periods, and the partners of its scope."""

    scope: Scope
    now: UsesBy
    before: UsesBy
    registered: tuple[Registered, ...]

    def total(self) -> SupervisionLine:
        """Give the line of all together."""
        named = Choice(id="", title="all together", title_zh="合计")
        return self._line(named, self.registered, whole=self.scope.whole_city)

    def domains(self, known: Iterable[Choice]) -> tuple[SupervisionLine, ...]:
        """Give a line for each domain of the scope, by turnover; for none where something was used."""
        lines = [self._line(one, (), domain=one.id) for one in known if self.scope.domain in {"", one.id}]
        return _sorted(line for line in lines if line.id != NONE or _used(line))

    def districts(self, known: Iterable[Choice]) -> tuple[SupervisionLine, ...]:
        """Give a line for each district of the scope, by turnover; for none where somebody has none."""
        here: dict[str, list[Registered]] = defaultdict(list)
        for partner in self.registered:
            here[partner.district].append(partner)
        lines = [
            self._line(one, here[one.id], district=one.id)
            for one in known
            if self.scope.district in {"", one.id}
        ]
        return _sorted(line for line in lines if line.id != NONE or line.partners_registered or _used(line))

    def partners(self) -> tuple[SupervisionLine, ...]:
        """Give a line for each partner that was used; where no domain is asked for, for all that could be."""
        lines = [
            (
                one,
                self._line(named(one.partner), [one], partner=one.partner.id),
            )
            for one in self.registered
        ]
        waits = not self.scope.domain
        return _sorted(
            line
            for one, line in lines
            if _used(line) or (waits and one.partner.status is PartnerStatus.ACTIVE)
        )

    def _line(
        self,
        named: Choice,
        here: Iterable[Registered],
        *,
        domain: str = "",
        district: str = "",
        partner: str = "",
        whole: bool = False,
    ) -> SupervisionLine:
        about = {
            "domain": domain or self.scope.domain or None,
            "district": district or self.scope.district or None,
            "partner": partner or None,
        }
        active = [one for one in here if one.partner.status is PartnerStatus.ACTIVE]
        count = about["domain"] is None
        return SupervisionLine(
            id=named.id,
            title=named.title,
            title_zh=named.title_zh or named.title,
            now=_figures(self.now.of(**about), whole=whole),
            before=_figures(self.before.of(**about), whole=whole),
            partners_registered=len(active) if count else None,
            terminals_registered=sum(one.terminals for one in active) if count else None,
        )


def named(partner: registry.Partner) -> Choice:
    """Part a name that is written in English and Chinese; any other is the same in both languages."""
    both = _BOTH.fullmatch(partner.name)
    title, title_zh = both.groups() if both else (partner.name, "")
    return Choice(id=partner.id, title=title, title_zh=title_zh)


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
