"""Go from a partner's statement down to its records: by day, service and code, and each by itself.

A partner's records are those that its terminals handed in, and those of which it got a share.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import attrs
from sqlalchemy import Connection

from citycard.clearing.codes import Code, State
from citycard.clearing.context import ClearingContext
from citycard.clearing.queries import cleared
from citycard.clearing.records import ClearedRecord, select_cleared, terminals_of
from citycard.clearing.statements import read_statement
from citycard.money import yuan
from citycard.store.engine import reading

__all__ = [
    "CSV_COLUMNS",
    "Drill",
    "ServiceLine",
    "masked_address",
    "masked_card",
    "partner_lines",
    "partner_records",
    "record_csv",
]

_MINE = (
    "(terminal IN (SELECT unnest($terminals::VARCHAR[]))"
    " OR list_contains([part.partner FOR part IN parts], $partner))"
)

CSV_COLUMNS = (
    "record",
    "run",
    "business_date",
    "at",
    "service",
    "card",
    "counter",
    "amount",
    "price",
    "state",
    "code",
    "share",
)
"""The columns of ``record_csv``; ``share`` is what the partner got, amounts are yuan with two decimals."""


@attrs.frozen(kw_only=True)
class Drill:
    """Which records of a partner's statement of a run: of a day, a service (by number), a code, or all."""

    partner: str
    run: int
    day: date | None = None
    service: int | None = None
    code: Code | None = None


@attrs.frozen(kw_only=True)
class ServiceLine:
    """What a day brought of a service under a code: records, their amount, and the partner's share of it."""

    business_date: date
    service: int
    state: State = attrs.field(converter=State)
    code: str
    records: int
    amount_fen: int
    share_fen: int

    @property
    def title(self) -> str:
        """Say in a sentence what the code means."""
        return Code[self.code].title


def partner_lines(context: ClearingContext, drill: Drill) -> tuple[ServiceLine, ...]:
    """Sum a partner's records of a run by day, service and code; the shares add up to the statement's gross.

    Raise RunUnknown, StatementUnknown.
    """
    with reading(context.engine) as conn:
        conditions, values = _conditions(conn, drill)
        query = (
            "SELECT business_date, service, state, code, count(*), sum(amount_fen)::BIGINT,"  # noqa: S608 - ours
            " coalesce(sum(list_sum([part.amount_fen FOR part IN parts IF part.partner = $partner])), 0)"
            f"::BIGINT FROM outcomes WHERE {' AND '.join(conditions)}"
            " GROUP BY ALL ORDER BY ALL"
        )
        with cleared(context, conn, None, range(drill.run, drill.run + 1)) as engine:
            rows = [] if engine is None else engine.execute(query, values).fetchall()
    names = [field.name for field in attrs.fields(ServiceLine)]
    return tuple(ServiceLine(**dict(zip(names, row, strict=True))) for row in rows)


def partner_records(
    context: ClearingContext, drill: Drill, *, limit: int = 1000
) -> tuple[ClearedRecord, ...]:
    """Give a partner's records of a run, by business date and id; raise RunUnknown, StatementUnknown."""
    runs = range(drill.run, drill.run + 1)
    with reading(context.engine) as conn:
        conditions, values = _conditions(conn, drill)
        return tuple(select_cleared(context, conn, conditions, values, runs=runs, limit=limit))


def record_csv(records: Iterable[ClearedRecord], partner: str) -> Iterator[str]:
    """Give records as CSV (RFC 4180), a row at a time that ends with CR LF; cards' numbers are masked."""
    yield _row(CSV_COLUMNS)
    for one in records:
        price = "" if one.price_fen is None else yuan(one.price_fen)
        share = yuan(sum(fen for name, fen in one.parts if name == partner))
        yield _row(
            (
                one.id,
                one.run,
                one.business_date,
                one.at.isoformat(),
                one.service,
                masked_card(one.card),
                one.counter,
                yuan(one.amount_fen),
                price,
                one.state.value,
                one.code,
                share,
            )
        )


def masked_card(number: str) -> str:
    """Show of a card's number what tells it from others on a desk, and not which card it is."""
    return f"{number[:6]}…{number[-4:]}"


def masked_address(address: str) -> str:
    """Mask the card's number in an address of the ledger; every other address stays as it is."""
    kind, slash, rest = address.partition("/")
    number, *what = rest.split("/")
    return "/".join([kind, masked_card(number), *what]) if slash and kind == "card" else address


def _conditions(conn: Connection, drill: Drill) -> tuple[list[str], dict[str, Any]]:
    read_statement(conn, drill.partner, drill.run)
    values: dict[str, Any] = {"partner": drill.partner, "terminals": terminals_of(conn, drill.partner)}
    wanted = {
        "business_date": drill.day,
        "service": drill.service,
        "code": drill.code.name if drill.code is not None else None,
    }
    chosen = {name: value for name, value in wanted.items() if value is not None}
    return [_MINE, *(f"{name} = ${name}" for name in chosen)], values | chosen


def _row(fields: Iterable[object]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(fields)
    return written.getvalue()
