"""What clearing accepted of services, for whoever acts on it: a domain that counts or pays by its records.

A run's records are final when it is closed. A plugin hears ``clearing.run-closed`` and reads what the run
accepted of its own services; what people accepted later, of records that a run did not, comes with the run
that posts their decision.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
from sqlalchemy import Connection, select, tuple_

from citycard.card.codec import decode, layout_of
from citycard.clearing.adjusting import adjustments_of_run
from citycard.clearing.casecodes import AdjustmentCode
from citycard.clearing.files import literal
from citycard.clearing.finding import find_record, is_city, record_id
from citycard.clearing.queries import cleared
from citycard.clearing.tables import batch_file, clearing_run, segment
from citycard.errors import RecordUnknown
from citycard.registry.tables import terminal as terminal_table
from citycard.store.bulk import select_in
from citycard.terminal.record import TransactionRecord

if TYPE_CHECKING:
    from citycard.clearing.context import ClearingContext

__all__ = ["AcceptedRecord", "accepted_records", "closed_runs", "decided_records"]

_Facts = TypeVar("_Facts")
_FIELDS = {field.name: field for field in layout_of(TransactionRecord).fields}
_FACTS = slice(_FIELDS["facts"].offset, _FIELDS["facts"].offset + _FIELDS["facts"].kind.size)
_KIND = _FIELDS["kind"].offset
_AT_ONCE = 10_000
_PAYS = {AdjustmentCode.A01, AdjustmentCode.A02, AdjustmentCode.A03, AdjustmentCode.A04}
_MINE = "FROM outcomes AS o WHERE o.state = 'accepted' AND list_contains($services, o.service)"
_JOINED = """
SELECT o.terminal, o.batch_number, o.line, o.asn, o.service, o.amount_fen, o."at", h.raw FROM outcomes AS o
JOIN handed_in AS h ON h.batch_terminal = o.terminal AND h.batch_number = o.batch_number AND h.line = o.line
WHERE o.state = 'accepted' AND list_contains($services, o.service)
ORDER BY o.asn, o."at", o.terminal, o.batch_number, o.line"""


@attrs.frozen(kw_only=True)
class AcceptedRecord:
    """A record that clearing accepted of one of our terminals, whose partner is ``partner``.

    ``at`` is the local time of the tap, ``kind`` a ``terminal.RecordKind``, ``facts`` the 48 bytes that the
    record leaves to its service.
    """

    id: str
    asn: str
    service: int
    kind: int
    amount_fen: int
    at: dt.datetime
    partner: str
    facts: bytes

    def read(self, layout: type[_Facts]) -> _Facts:
        """Read the facts by the service's layout; CodecError when they are none."""
        return decode(layout, self.facts[: layout_of(layout).size])


def closed_runs(conn: Connection, after: int = 0) -> list[int]:
    """List the numbers of the runs that were closed after a run, in order."""
    query = select(clearing_run.c.number).where(
        clearing_run.c.state == "closed", clearing_run.c.number > after
    )
    return list(conn.scalars(query.order_by(clearing_run.c.number)))


def accepted_records(
    context: ClearingContext, conn: Connection, run: int, services: Collection[int]
) -> Iterator[AcceptedRecord]:
    """Give what a run accepted of services by their numbers, by card and time.

    What earlier runs had held and this one accepted is among it; what other cities handed in is not. All is
    read in one go, whatever came in: memory grows with what is given, not with the run.
    """
    values = {"services": sorted(services)}
    with cleared(context, conn, None, range(run, run + 1)) as engine:
        if engine is None:
            return
        keys = engine.execute(f"SELECT DISTINCT o.terminal, o.batch_number {_MINE}", values).fetchall()
        batches = sorted((terminal, batch) for terminal, batch in keys if not is_city(terminal))
        paths = [literal(context.folder / path) for path in _segments(conn, batches)]
        if not paths:
            return
        engine.read_parquet(paths, hive_partitioning=False).create_view("handed_in")
        found = engine.execute(_JOINED, values)
        owners = _owners(conn, {terminal for terminal, _ in batches})
        while rows := found.fetchmany(_AT_ONCE):
            yield from (_record(row, owners) for row in rows)


def decided_records(
    context: ClearingContext, conn: Connection, run: int, services: Collection[int]
) -> Iterator[AcceptedRecord]:
    """Give the records of services that people accepted and whose money a run posted, by their ids.

    They are exceptions that were accepted and disputes of partners that were upheld; ``amount_fen`` is what
    the partners get. What another city handed in is not among it.
    """
    posted: dict[str, int] = {}
    for one in adjustments_of_run(conn, run):
        if one.code in _PAYS:
            posted[one.about] = posted.get(one.about, 0) + one.amount_fen
    for name, amount_fen in sorted(posted.items()):
        try:
            found = find_record(context, conn, name)
        except RecordUnknown:  # a position of a statement is about no record
            continue
        record = found.record
        if record is not None and record.service in services and not is_city(found.terminal):
            yield AcceptedRecord(
                id=found.id,
                asn=record.asn,
                service=record.service,
                kind=int(record.kind),
                amount_fen=amount_fen,
                at=record.at,
                partner=_owners(conn, {found.terminal})[found.terminal],
                facts=record.facts,
            )


def _record(row: Sequence[Any], owners: dict[str, str]) -> AcceptedRecord:
    terminal, batch, line, asn, service, amount_fen, at, raw = row
    return AcceptedRecord(
        id=record_id(terminal, batch, line),
        asn=asn,
        service=service,
        kind=raw[_KIND],
        amount_fen=amount_fen,
        at=at,
        partner=owners[terminal],
        facts=bytes(raw[_FACTS]),
    )


def _segments(conn: Connection, batches: list[tuple[str, int]]) -> list[str]:
    query = select(batch_file.c.intake).where(batch_file.c.state == "accepted")
    key = tuple_(batch_file.c.terminal, batch_file.c.number)
    intakes = sorted({row.intake for row in select_in(conn, query, key, batches)})
    found = select_in(conn, select(segment.c.path), segment.c.intake, intakes)
    return sorted({row.path for row in found})


def _owners(conn: Connection, terminals: Collection[str]) -> dict[str, str]:
    columns = select(terminal_table.c.number, terminal_table.c.partner)
    rows = select_in(conn, columns, terminal_table.c.number, sorted(terminals))
    return {row.number: row.partner for row in rows}
