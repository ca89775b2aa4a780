"""Count what cards were used for in a span of days: by domain, district and partner, offline and online.

A use offline is an accepted record of a terminal of the city; an entry counts with the exit that ends it. A
use online is a payment from an online account. Both belong to the day on which they happened by the city's
time, however late a record came in, and to the district of the partner that served the card. A card and the
one that replaced it are one card.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import date, datetime, time, timedelta
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import attrs
from sqlalchemy import BigInteger, Connection, Select, cast, func, select

from citycard.clearing.codes import State
from citycard.clearing.queries import cleared
from citycard.registry.tables import card_closing, partner, terminal
from citycard.store import reading
from citycard.terminal.record import RecordKind
from citycard.wallet.tables import payment

if TYPE_CHECKING:
    from citycard.city.city import City

__all__ = ["NONE", "Span", "Uses", "UsesBy", "count_uses"]

NONE = "-"
"""Stands for no district, and for no domain that is on; no id can be the same."""

_ROWS = 50_000
_MEMORY = "1GB"
# A journey is counted when it ends: the records that begin one are no uses by themselves.
_USES = (int(RecordKind.EXIT), int(RecordKind.SINGLE))


@attrs.frozen
class Span:
    """The days from ``since`` to ``until``, both included."""

    since: date
    until: date

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """Give the local moment at which it begins, and the one at which it is over."""
        return datetime.combine(self.since, time()), datetime.combine(self.until + timedelta(days=1), time())


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

    counted: Mapping[tuple[str | None, str | None, str | None], Uses]

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


def count_uses(city: City, spans: Sequence[Span]) -> dict[Span, UsesBy]:
    """Count each span. All are read from one state of the store; what does not fit memory goes to a file."""
    if not spans:
        return {}
    with ExitStack() as stack:
        conn = stack.enter_context(reading(city.engine))
        engine = stack.enter_context(cleared(city, conn, None, None))
        offline = engine is not None
        if engine is None:
            import duckdb

            engine = stack.enter_context(duckdb.connect())
        folder = stack.enter_context(TemporaryDirectory())
        engine.execute(f"SET memory_limit = '{_MEMORY}'")
        engine.execute("SET preserve_insertion_order = false")
        engine.execute("SET temp_directory = $folder", {"folder": folder})
        _tell_who(city, conn, engine)
        return {span: _counted(conn, engine, span, offline=offline) for span in dict.fromkeys(spans)}


def _tell_who(city: City, conn: Connection, engine: Any) -> None:
    """Say which service belongs to which domain, which terminal to which partner, which card is which."""
    services = {
        (owned.record.number, owned.record.name, owned.owner.plugin) for owned in city.plugins.services()
    }
    declared = {owned.record.id: owned.owner.plugin for owned in city.plugins.participants()}
    _fill(engine, "services", "number INTEGER, name VARCHAR, domain VARCHAR", iter([sorted(services)]))
    _fill(engine, "declared", "partner VARCHAR, domain VARCHAR", iter([sorted(declared.items())]))
    _fill(
        engine,
        "partners",
        "partner VARCHAR, district VARCHAR",
        _read(conn, select(partner.c.id, partner.c.district)),
    )
    _fill(
        engine,
        "terminals",
        "terminal VARCHAR, partner VARCHAR",
        _read(conn, select(terminal.c.number, terminal.c.partner)),
    )
    replaced = select(card_closing.c.asn, card_closing.c.successor).where(
        card_closing.c.successor.is_not(None)
    )
    _fill(engine, "replaced", "asn VARCHAR, successor VARCHAR", _read(conn, replaced))
    engine.execute(_ROOTS)


_ROOTS = """
CREATE TEMP TABLE roots AS
WITH RECURSIVE chain(asn, root) AS (
    SELECT successor, asn FROM replaced
    UNION SELECT chain.asn, replaced.asn FROM chain JOIN replaced ON replaced.successor = chain.root
)
SELECT asn, root FROM chain WHERE root NOT IN (SELECT successor FROM replaced)"""

_OFFLINE = f"""
SELECT coalesce(roots.root, told.asn) AS card, coalesce(services.domain, '{NONE}') AS domain,
    coalesce(partners.district, '{NONE}') AS district, partners.partner AS partner, told.terminal AS terminal,
    count(*) FILTER (told.kind IN {_USES}) AS uses, sum(told.amount_fen)::BIGINT AS turnover_fen
FROM (SELECT * FROM outcomes WHERE state = '{State.ACCEPTED}' AND "at" >= $begins AND "at" < $ends) AS told
JOIN terminals USING (terminal) JOIN partners USING (partner)
LEFT JOIN services ON services.number = told.service LEFT JOIN roots ON roots.asn = told.asn
GROUP BY ALL"""  # noqa: S608 - all of it is ours

_ONLINE = f"""
SELECT coalesce(roots.root, paid.number) AS card,
    coalesce(services.domain, declared.domain, '{NONE}') AS domain,
    coalesce(partners.district, '{NONE}') AS district, paid.partner AS partner, NULL::VARCHAR AS terminal,
    paid.uses AS uses, paid.turnover_fen AS turnover_fen
FROM paid LEFT JOIN partners ON partners.partner = paid.partner
LEFT JOIN services ON services.name = paid.service
LEFT JOIN declared ON declared.partner = paid.partner AND paid.service = ''
LEFT JOIN roots ON roots.asn = paid.number"""  # noqa: S608 - all of it is ours

_CUBE = """
SELECT domain, district, partner, count(DISTINCT card), sum(uses)::BIGINT, sum(turnover_fen)::BIGINT,
    count(DISTINCT partner_used), count(DISTINCT terminal)
FROM (SELECT *, partner AS partner_used FROM used)
GROUP BY GROUPING SETS ((), (domain), (district), (domain, district), (partner), (domain, partner))"""


def _counted(conn: Connection, engine: Any, span: Span, *, offline: bool) -> UsesBy:
    begins, ends = span.moments
    paid = select(
        payment.c.number,
        payment.c.partner,
        payment.c.service,
        func.count().label("uses"),
        cast(func.sum(payment.c.amount_fen), BigInteger).label("turnover_fen"),
    )
    paid = paid.where(payment.c.at >= begins, payment.c.at < ends)
    paid = paid.group_by(payment.c.number, payment.c.partner, payment.c.service)
    columns = "number VARCHAR, partner VARCHAR, service VARCHAR, uses BIGINT, turnover_fen BIGINT"
    _fill(engine, "paid", columns, _read(conn, paid))
    engine.execute(f"CREATE OR REPLACE TEMP TABLE used AS {_ONLINE}")
    if offline:
        engine.execute(f"INSERT INTO used {_OFFLINE}", {"begins": begins, "ends": ends})
    rows = engine.execute(_CUBE).fetchall()
    counted = {
        (domain, district, partner): Uses(
            cards=cards, uses=uses or 0, turnover_fen=fen or 0, partners=partners, terminals=terminals
        )
        for domain, district, partner, cards, uses, fen, partners, terminals in rows
    }
    return UsesBy(counted)


def _read(conn: Connection, query: Select[Any]) -> Iterator[Sequence[Sequence[Any]]]:
    """Read rows some at a time, so that however many there are, few are in memory."""
    return iter(conn.execute(query, execution_options={"yield_per": _ROWS}).partitions())


def _fill(engine: Any, name: str, columns: str, parts: Iterator[Sequence[Sequence[Any]]]) -> None:
    """Make a table of DuckDB out of rows that come some at a time."""
    import pyarrow as pa

    names = [column.split()[0] for column in columns.split(", ")]
    engine.execute(f"CREATE OR REPLACE TEMP TABLE {name} ({columns})")
    for rows in parts:
        if not rows:
            continue
        values = zip(*rows, strict=True)
        engine.register("arrived", pa.table(dict(zip(names, map(list, values), strict=True))))
        engine.execute(f"INSERT INTO {name} SELECT * FROM arrived")  # noqa: S608 - a name of ours
        engine.unregister("arrived")
