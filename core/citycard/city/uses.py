"""Count what cards were used for in a span of days: by domain, district and partner, offline and online.

A use offline is an accepted record of a terminal of the city; an entry counts with the exit that ends it. A
use online is a payment from an online account. Both belong to the day on which they happened by the city's
time, however late a record came in, and to the district of the partner that served the card. A card and the
one that replaced it are one card.

Many cards are counted a bucket at a time, as clearing deals them: cards of two buckets are different, so that
only one bucket is in memory. Those that replaced one another are counted at the end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import attrs
from sqlalchemy import func, select

from citycard.city.usesources import NONE, Span, connected, keep_payments, opened, who_is_who
from citycard.clearing.codes import State
from citycard.clearing.columns import BUCKETS
from citycard.clearing.tables import clearing_part
from citycard.store import reading
from citycard.terminal.record import RecordKind

if TYPE_CHECKING:
    from citycard.city.city import City

__all__ = ["NONE", "Span", "Uses", "UsesBy", "count_uses"]

_AT_ONCE = 1_000_000
# A journey is counted when it ends: the records that begin one are no uses by themselves.
_ENDS = (int(RecordKind.EXIT), int(RecordKind.SINGLE))

_Part = tuple[str | None, str | None, str | None]


@attrs.frozen(kw_only=True)
class Uses:
    """What was counted: distinct cards, uses, what was paid (gross, in fen), distinct partners, terminals."""

    cards: int = 0
    uses: int = 0
    turnover_fen: int = 0
    partners: int = 0
    terminals: int = 0


NOTHING = Uses()


@attrs.frozen
class UsesBy:
    """The counts of one span, by any two of domain, district and partner."""

    counted: Mapping[_Part, Uses]

    def of(
        self, *, domain: str | None = None, district: str | None = None, partner: str | None = None
    ) -> Uses:
        """Give what was counted of a domain, a district or a partner; of all where it is left out.

        A partner stands in one district, so that naming both says nothing more.
        """
        return self.counted.get((domain, None if partner else district, partner), NOTHING)

    def domains(self) -> set[str]:
        """Name the domains that were used."""
        return {domain for domain, _, _ in self.counted if domain is not None}


def count_uses(city: City, spans: Sequence[Span], *, at_once: int = _AT_ONCE) -> dict[Span, UsesBy]:
    """Count each span, all from one state of the store.

    A city of more than ``at_once`` cleared records and payments is counted a bucket at a time.
    """
    tallies = {span: _Tally() for span in spans}
    if not tallies:
        return {}
    with reading(city.engine) as conn, TemporaryDirectory() as folder:
        who = who_is_who(city, conn)
        paid = {span: Path(folder) / f"paid-{span.since}-{span.until}.parquet" for span in tallies}
        rows = sum(keep_payments(conn, span, path) for span, path in paid.items())
        rows += conn.scalar(select(func.sum(clearing_part.c.records))) or 0
        buckets: Sequence[int | None] = range(BUCKETS) if rows > at_once else (None,)
        for bucket in buckets:
            with opened(city, conn, bucket, folder, who) as engine:
                for span, tally in tallies.items():
                    _count(engine, span, bucket, paid[span], tally)
        for tally in tallies.values():
            _count_moved(tally, folder)
    districts = dict(zip(*who["partners"].to_pydict().values(), strict=True))
    return {span: tally.uses(districts) for span, tally in tallies.items()}


# ── cards, and sums ──────────────────────────────────────────────────────────────────────────────

_USED = f"""
SELECT told.asn AS card, coalesce(services.domain, '{NONE}') AS domain, terminals.partner AS partner,
    told.terminal AS terminal, CAST(told.kind IN {_ENDS} AS BIGINT) AS uses, told.amount_fen AS turnover_fen
FROM outcomes AS told JOIN terminals USING (terminal) LEFT JOIN services ON services.number = told.service
WHERE told.state = '{State.ACCEPTED}' AND told."at" >= $begins AND told."at" < $ends
UNION ALL
SELECT paid.card, coalesce(services.domain, declared.domain, '{NONE}'), paid.partner, NULL, paid.uses,
    paid.turnover_fen
FROM read_parquet($paid) AS paid LEFT JOIN services ON services.name = paid.service
LEFT JOIN declared ON declared.partner = paid.partner AND paid.service = ''
WHERE $bucket IS NULL OR paid.bucket = $bucket"""  # noqa: S608 - all of it is ours

_SUMS = f"""
SELECT domain, partner, terminal, sum(uses)::BIGINT, sum(turnover_fen)::BIGINT FROM ({_USED})
GROUP BY ALL"""  # noqa: S608 - all of it is ours

# Who may have been somebody else's card is put aside: its other half may lie in another bucket.
_CARDS = f"""
CREATE OR REPLACE TEMP TABLE cards AS
SELECT DISTINCT coalesce(roots.root, used.card) AS card, domain, coalesce(district, '{NONE}') AS district,
    used.partner AS partner, roots.root IS NOT NULL OR used.card IN (SELECT root FROM roots) AS moved
FROM ({_USED}) AS used LEFT JOIN roots ON roots.asn = used.card
LEFT JOIN partners ON partners.partner = used.partner"""  # noqa: S608 - all of it is ours

_PARTS: Sequence[tuple[str, ...]] = (
    (),
    ("domain",),
    ("district",),
    ("domain", "district"),
    ("partner",),
    ("domain", "partner"),
)
_NAMES = ("domain", "district", "partner")


@attrs.define
class _Tally:
    """What was counted of a span so far; ``moved`` are the cards that replaced others, or were replaced."""

    cards: dict[_Part, int] = attrs.field(factory=lambda: defaultdict(int))
    sums: dict[tuple[str, str, str | None], list[int]] = attrs.field(
        factory=lambda: defaultdict(lambda: [0, 0])
    )
    moved: list[Any] = attrs.field(factory=list)

    def count_cards(self, engine: Any) -> None:
        """Add the cards of the table ``cards`` that were not put aside."""
        for part in _PARTS:
            names = ", ".join(part)
            distinct = f"SELECT DISTINCT {', '.join(('card', *part))} FROM cards WHERE NOT moved"  # noqa: S608
            counts = f"SELECT {', '.join((*part, 'count(*)'))} FROM ({distinct})"  # noqa: S608 - ours
            for *values, cards in engine.execute(
                f"{counts} GROUP BY {names}" if names else counts
            ).fetchall():
                named = dict(zip(part, values, strict=True))
                self.cards[_part(named)] += cards

    def uses(self, districts: Mapping[str, str]) -> UsesBy:
        """Put everything together."""
        found: dict[_Part, _Sum] = defaultdict(_Sum)
        for (domain, partner, terminal), (uses, turnover_fen) in self.sums.items():
            known = {"domain": domain, "district": districts.get(partner, NONE), "partner": partner}
            for part in _PARTS:
                found[_part({name: known[name] for name in part})].add(partner, terminal, uses, turnover_fen)
        return UsesBy({part: each.uses_of(self.cards[part]) for part, each in found.items()})


@attrs.define
class _Sum:
    """What a part of the city adds up to."""

    uses: int = 0
    turnover_fen: int = 0
    partners: set[str] = attrs.field(factory=set)
    terminals: set[str] = attrs.field(factory=set)

    def add(self, partner: str, terminal: str | None, uses: int, turnover_fen: int) -> None:
        self.uses += uses
        self.turnover_fen += turnover_fen
        self.partners.add(partner)
        self.terminals.update(filter(None, [terminal]))

    def uses_of(self, cards: int) -> Uses:
        return Uses(
            cards=cards,
            uses=self.uses,
            turnover_fen=self.turnover_fen,
            partners=len(self.partners),
            terminals=len(self.terminals),
        )


def _part(named: Mapping[str, str]) -> _Part:
    domain, district, partner = (named.get(name) for name in _NAMES)
    return domain, district, partner


def _count(engine: Any, span: Span, bucket: int | None, paid: Path, tally: _Tally) -> None:
    begins, ends = span.moments
    asked = {"begins": begins, "ends": ends, "paid": str(paid), "bucket": bucket}
    for domain, partner, terminal, uses, turnover_fen in engine.execute(_SUMS, asked).fetchall():
        summed = tally.sums[domain, partner, terminal]
        summed[0] += uses
        summed[1] += turnover_fen
    engine.execute(_CARDS, asked)
    tally.count_cards(engine)
    moved = engine.sql("SELECT card, domain, district, partner, false AS moved FROM cards WHERE moved")
    tally.moved.append(moved.to_arrow_table())


def _count_moved(tally: _Tally, folder: str) -> None:
    """Count the cards that were put aside, now that all of them are there."""
    import pyarrow as pa

    with connected(folder, {"cards": pa.concat_tables(tally.moved)}) as engine:
        tally.count_cards(engine)
