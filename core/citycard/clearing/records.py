"""Cleared records one by one: where each ended, for how much, and who got what of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

import attrs
from sqlalchemy import Connection, select

from citycard.clearing.codes import Code, State
from citycard.clearing.context import ClearingContext
from citycard.clearing.finding import find_file, record_id, record_key
from citycard.clearing.held import decided_by
from citycard.clearing.queries import cleared
from citycard.clearing.tables import clearing_run
from citycard.registry.tables import terminal
from citycard.store.bulk import select_in

__all__ = ["ID", "ClearedRecord", "find_cleared", "run_of_batch", "select_cleared", "terminals_of"]

ID = "concat_ws('-', terminal, batch_number, line)"
"""The id of a record, for a condition of ``select_cleared``."""

_COLUMNS = (
    'terminal, batch_number, line, run, business_date, "at", asn, counter, service, kind, amount_fen,'
    " list_price_fen, price_fen, state, code, notes, parts, held_run"
)


@attrs.frozen(kw_only=True)
class ClearedRecord:
    """A record that a run judged. ``partner`` has the terminal that handed it in, ``parts`` who got how much.

    What another city handed in has no ``partner``.

    ``price_fen`` is what the rules made of it, None where they made nothing; ``held_run`` the earlier run
    that held the record, None where none did.
    """

    id: str
    run: int
    business_date: date
    at: datetime
    card: str
    counter: int
    service: int
    kind: int
    amount_fen: int
    list_price_fen: int
    price_fen: int | None
    state: State = attrs.field(converter=State)
    code: str
    notes: tuple[str, ...]
    parts: tuple[tuple[str, int], ...]
    partner: str
    held_run: int | None = None

    @property
    def title(self) -> str:
        """Say in a sentence why the record ended so."""
        return Code[self.code].title


def find_cleared(context: ClearingContext, conn: Connection, record: str) -> ClearedRecord | None:
    """Give a record by its id, None while no run has judged it; raise RecordUnknown for what is no id."""
    at, number, line = record_key(record)
    run = decided_by(conn, at, number, line) or run_of_batch(context, conn, at, number)
    if run is None:
        return None
    conditions = ("terminal = $at", "batch_number = $number", "line = $line")
    values = {"at": at, "number": number, "line": line}
    return next(iter(select_cleared(context, conn, conditions, values, runs=range(run, run + 1))), None)


def select_cleared(
    context: ClearingContext,
    conn: Connection,
    conditions: Iterable[str],
    values: Mapping[str, Any],
    *,
    runs: range | None = None,
    limit: int = 1000,
) -> list[ClearedRecord]:
    """Give the records of runs, or of all runs, for which conditions hold, by business date and id.

    Conditions are SQL of our own; what somebody asked for is in ``values``, by the name after the ``$``.
    """
    query = (
        f"SELECT {_COLUMNS} FROM outcomes WHERE {' AND '.join(conditions)}"  # noqa: S608 - no value is in it
        " ORDER BY business_date, terminal, batch_number, line LIMIT $limit"
    )
    with cleared(context, conn, None, runs) as engine:
        rows = [] if engine is None else engine.execute(query, dict(values) | {"limit": limit}).fetchall()
    partners = _partners(conn, {row[0] for row in rows})
    return [_record(row, partners) for row in rows]


def run_of_batch(context: ClearingContext, conn: Connection, at: str, number: int) -> int | None:
    """Give the closed run that judged a terminal's batch, or the file of another city.

    None while it waits, or when it was never handed in.
    """
    file = find_file(context, conn, at, number)
    if file is None:
        return None
    query = select(clearing_run.c.number).where(
        clearing_run.c.state == "closed",
        clearing_run.c.from_intake < file.intake,
        clearing_run.c.watermark >= file.intake,
    )
    found: int | None = conn.scalar(query)
    return found


def terminals_of(conn: Connection, partner: str) -> list[str]:
    """Give the numbers of a partner's terminals."""
    return list(conn.scalars(select(terminal.c.number).where(terminal.c.partner == partner)))


def _partners(conn: Connection, numbers: set[str]) -> dict[str, str]:
    query = select(terminal.c.number, terminal.c.partner)
    return {row.number: row.partner for row in select_in(conn, query, terminal.c.number, sorted(numbers))}


def _record(row: tuple[Any, ...], partners: Mapping[str, str]) -> ClearedRecord:
    at, number, line, *values, held_run = row
    names = [field.name for field in attrs.fields(ClearedRecord)][1:-2]
    told = dict(zip(names, values, strict=True)) | {"held_run": held_run}
    told["notes"] = tuple(told["notes"].split())
    told["parts"] = tuple((part["partner"], part["amount_fen"]) for part in told["parts"])
    return ClearedRecord(id=record_id(at, number, line), partner=partners.get(at, ""), **told)
