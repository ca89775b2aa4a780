"""Suspended and rejected records as a work list: whose they are, how long they wait, what was decided.

The records lie in Parquet; only the steps and decisions of people are rows. So a record becomes work by
being suspended or rejected, and nothing has to be opened for it.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs
from sqlalchemy import Connection, Row, Select, func, select

from citycard.bank.calendar import BusinessCalendar
from citycard.bank.codes import CaseState
from citycard.clearing.casecodes import Ruling
from citycard.clearing.casetables import clearing_case_step, clearing_decision
from citycard.clearing.codes import Code, FileState, State
from citycard.clearing.context import ClearingContext
from citycard.clearing.finding import record_id, record_key
from citycard.clearing.queries import cleared
from citycard.clearing.tables import batch_file, clearing_run
from citycard.errors import RecordNoException
from citycard.registry.tables import terminal
from citycard.store.bulk import select_in
from citycard.store.engine import reading
from citycard.store.steps import CaseStep, StepBook

__all__ = [
    "STEPS",
    "Decided",
    "ExceptionCase",
    "exception_of",
    "find_exceptions",
    "history",
    "today",
]

STEPS: StepBook[str] = StepBook(clearing_case_step)
PROPOSED, TAKEN, DECIDED = "proposed", "taken", "decided"

_COLUMNS = (
    'terminal, batch_number, line, run, business_date, "at", asn, counter, service, amount_fen, price_fen,'
    " state, code, notes"
)
_OPEN = "state IN ('suspended', 'rejected')"


@attrs.frozen(kw_only=True)
class Decided:
    """What was decided about an exception: how, who pays, why, on what ground, and by whom.

    ``proposed_by`` is the other person where the amount needed two.
    """

    how: Ruling = attrs.field(converter=Ruling)
    bearer: str
    amount_fen: int
    reason: str
    evidence: str
    actor: str
    proposed_by: str
    at: datetime


@attrs.frozen(kw_only=True)
class ExceptionCase:
    """A record that a run suspended or rejected, and how far the work on it is.

    ``partner`` has the terminal that handed it in. ``since`` is its business date. ``proposed_by`` proposed a
    decision that a second person has to take. ``decision`` is None while it is open.
    """

    id: str
    run: int
    since: date
    at: datetime
    card: str
    counter: int
    service: int
    amount_fen: int
    price_fen: int | None
    ended: State = attrs.field(converter=State)
    code: str
    notes: tuple[str, ...]
    partner: str
    state: CaseState
    taken_by: str
    proposed_by: str
    decision: Decided | None

    @property
    def title(self) -> str:
        """Say in a sentence why the record ended so."""
        return Code[self.code].title

    def age(self, calendar: BusinessCalendar, day: date) -> int:
        """Give the business days that it has waited until a day."""
        return calendar.between(self.since, day)


def today(context: ClearingContext) -> date:
    """Give the city's day."""
    return context.clock.now().astimezone(ZoneInfo(context.terms.timezone)).date()


def find_exceptions(
    context: ClearingContext,
    *,
    state: CaseState | None = None,
    code: Code | None = None,
    partner: str = "",
    run: int | None = None,
    older_than: int = 0,
    at_least_fen: int = 0,
    limit: int = 200,
) -> list[ExceptionCase]:
    """Give exceptions, those that have waited longest first; decided ones only when asked for by state.

    ``partner`` is whose terminal handed the record in, ``older_than`` a number of business days that it has
    waited for more than, ``at_least_fen`` the smallest amount.
    """
    latest = _before(context.terms.calendar, today(context), older_than) if older_than else date.max
    with reading(context.engine) as conn:
        decided = {row.record: row for row in conn.execute(_decisions(run))}
        steps = _last_steps(conn)
        terminals = _terminals_of(conn, partner) if partner else None
        conditions, values = [_OPEN, "business_date <= $latest", "amount_fen >= $least"], {}
        if code is not None:
            conditions.append("code = $code")
            values["code"] = code.name
        if terminals is not None:
            conditions.append("terminal IN (SELECT unnest($terminals))")
            values["terminals"] = terminals
        chosen = {name for name, step in steps.items() if step.what in {TAKEN, PROPOSED}}
        wanted = {
            None: ("NOT IN", decided.keys()),
            CaseState.OPEN: ("NOT IN", decided.keys() | chosen),
            CaseState.TAKEN: ("IN", chosen - decided.keys()),
            CaseState.RESOLVED: ("IN", decided.keys()),
        }[state]
        conditions.append(f"{_ID} {wanted[0]} (SELECT unnest($records::VARCHAR[]))")
        rows = _rows(
            context,
            f"SELECT {_COLUMNS} FROM outcomes WHERE {' AND '.join(conditions)}"  # noqa: S608 - no value is in it
            " ORDER BY business_date, terminal, batch_number, line LIMIT $limit",
            runs=None if run is None else range(run, run + 1),
            latest=latest,
            least=at_least_fen,
            records=sorted(wanted[1]),
            limit=limit,
            **values,
        )
        partners = _partners(conn, {row[0] for row in rows})
        return [_case(row, partners, steps, decided) for row in rows]


_ID = "concat_ws('-', terminal, batch_number, line)"


def exception_of(context: ClearingContext, conn: Connection, record: str) -> ExceptionCase:
    """Give one exception; raise RecordUnknown, or RecordNoException when it ended in no such state."""
    at, number, line = record_key(record)
    named = record_id(at, number, line)
    run = run_of_batch(conn, at, number)
    rows = _rows(
        context,
        f"SELECT {_COLUMNS} FROM outcomes WHERE terminal = $at AND batch_number = $number AND line = $line",  # noqa: S608
        runs=range(run, run + 1) if run else range(0),
        at=at,
        number=number,
        line=line,
    )
    if not rows or State(rows[0][11]) not in {State.SUSPENDED, State.REJECTED}:
        raise RecordNoException(record=record, ended=rows[0][11] if rows else "is not cleared")
    decided = conn.execute(_decisions().where(clearing_decision.c.record == named)).one_or_none()
    last = STEPS.history(conn, named)[-1:]
    steps = dict.fromkeys([named], last[0]) if last else {}
    return _case(rows[0], _partners(conn, {at}), steps, {named: decided} if decided is not None else {})


def history(conn: Connection, record: str) -> list[CaseStep]:
    """Give the steps of an exception, the oldest first."""
    return STEPS.history(conn, record)


def run_of_batch(conn: Connection, at: str, number: int) -> int | None:
    """Give the closed run that judged a terminal's batch; None while it waits, or was never handed in."""
    intake = select(batch_file.c.intake).where(
        batch_file.c.terminal == at,
        batch_file.c.number == number,
        batch_file.c.state == FileState.ACCEPTED.value,
    )
    query = select(clearing_run.c.number).where(
        clearing_run.c.state == "closed",
        clearing_run.c.from_intake < intake.scalar_subquery(),
        clearing_run.c.watermark >= intake.scalar_subquery(),
    )
    found: int | None = conn.scalar(query)
    return found


def _rows(
    context: ClearingContext, query: str, *, runs: range | None, **values: Any
) -> list[tuple[Any, ...]]:
    with cleared(context, None, runs) as engine:
        found: list[tuple[Any, ...]] = [] if engine is None else engine.execute(query, values).fetchall()
    return found


def _decisions(run: int | None = None) -> Select[Any]:
    query = select(clearing_decision)
    return query if run is None else query.where(clearing_decision.c.run == run)


def _last_steps(conn: Connection) -> dict[str, Any]:
    """Give the last step of each case; those of what is decided are not looked at."""
    last = select(func.max(clearing_case_step.c.seq)).group_by(clearing_case_step.c.about)
    query = select(clearing_case_step).where(clearing_case_step.c.seq.in_(last))
    return {row.about: row for row in conn.execute(query)}


def _terminals_of(conn: Connection, partner: str) -> list[str]:
    return list(conn.scalars(select(terminal.c.number).where(terminal.c.partner == partner)))


def _partners(conn: Connection, numbers: set[str]) -> dict[str, str]:
    query = select(terminal.c.number, terminal.c.partner)
    return {row.number: row.partner for row in select_in(conn, query, terminal.c.number, sorted(numbers))}


def _before(calendar: BusinessCalendar, day: date, count: int) -> date:
    """Give the last day since which more than ``count`` business days are over."""
    while count >= 0:
        count -= calendar.is_business_day(day)
        day -= timedelta(days=1)
    return day


def _case(
    row: tuple[Any, ...],
    partners: dict[str, str],
    steps: dict[str, Any],
    decided: dict[str, Row[Any]],
) -> ExceptionCase:
    at, number, line, run, since, moment, card, counter, service, amount_fen, price_fen, *ended = row
    named = record_id(at, number, line)
    step, decision = steps.get(named), decided.get(named)
    return ExceptionCase(
        id=named,
        run=run,
        since=since,
        at=moment,
        card=card,
        counter=counter,
        service=service,
        amount_fen=amount_fen,
        price_fen=price_fen,
        ended=ended[0],
        code=ended[1],
        notes=tuple(ended[2].split()),
        partner=partners.get(at, ""),
        state=_state(step, decision),
        taken_by=decision.actor if decision is not None else step.actor if step is not None else "",
        proposed_by=step.actor if step is not None and step.what == PROPOSED and decision is None else "",
        decision=None if decision is None else _decided(decision),
    )


def _state(step: Any, decision: Row[Any] | None) -> CaseState:
    if decision is not None:
        return CaseState.RESOLVED
    return CaseState.OPEN if step is None else CaseState.TAKEN


def _decided(row: Row[Any]) -> Decided:
    return Decided(**{field.name: getattr(row, field.name) for field in attrs.fields(Decided)})
