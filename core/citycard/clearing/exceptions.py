"""Records that are work for people as a list: whose they are, how long they wait, what was decided.

The records lie in Parquet; only the steps and decisions of people are rows. So a record becomes work by
ending with a code that makes it one, and nothing has to be opened for it.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs
from sqlalchemy import Connection, Row, select

from citycard.bank.calendar import BusinessCalendar
from citycard.bank.codes import CaseState
from citycard.clearing.casecodes import Ruling
from citycard.clearing.casetables import clearing_case_step, clearing_decision
from citycard.clearing.codes import Code, State
from citycard.clearing.context import ClearingContext
from citycard.clearing.records import ID, ClearedRecord, find_cleared, select_cleared, terminals_of
from citycard.errors import Phrase, RecordNoException
from citycard.store.bulk import select_in
from citycard.store.engine import reading
from citycard.store.steps import CaseStep, StepBook

__all__ = [
    "DECIDED",
    "PROPOSED",
    "STEPS",
    "TAKEN",
    "Decided",
    "ExceptionCase",
    "exception_of",
    "find_exceptions",
    "history",
    "today",
]

STEPS: StepBook[str] = StepBook(clearing_case_step)
PROPOSED, TAKEN, DECIDED = "proposed", "taken", "decided"

_DECISIONS = select(clearing_decision)
# What is accepted is work only where money is on a card that nobody put there.
_SAID = "list_append(string_split(notes, ' '), code)"
_OPEN = f"(state IN ('suspended', 'rejected') OR list_contains({_SAID}, 'C04'))"
# What waits for the issuer of another city's card, or for a key, is no work; it is listed when its code is
# asked for.
_NOT_OURS = "code NOT IN ('X01', 'T03')"


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

    @classmethod
    def of(cls, row: Row[Any]) -> Decided:
        """Read a row of ``clearing_decision``."""
        return cls(**{field.name: getattr(row, field.name) for field in attrs.fields(cls)})


@attrs.frozen(kw_only=True)
class ExceptionCase:
    """A record that a run suspended or rejected, or paid out of money it does not know of (C04), as work.

    ``partner`` has the terminal that handed it in. ``since`` is its business date. ``proposed_by`` proposed a
    decision that a second person has to take, ``proposal`` in words. ``decision`` is None while it is open.
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
    proposal: str
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
    decided_too: bool = False,
) -> list[ExceptionCase]:
    """Give exceptions, those that have waited longest first; decided ones only when asked for.

    ``partner`` is whose terminal handed the record in, ``older_than`` a number of business days that it has
    waited for more than, ``at_least_fen`` the smallest amount. ``decided_too`` gives those of every state.
    """
    latest = _before(context.terms.calendar, today(context), older_than) if older_than else date.max
    with reading(context.engine) as conn:
        conditions = [_OPEN, "business_date <= $latest", "amount_fen >= $least"]
        values: dict[str, Any] = {"latest": latest, "least": at_least_fen}
        if code is not None:
            conditions.append(f"list_contains({_SAID}, $code)")
            values["code"] = code.name
        else:
            conditions.append(_NOT_OURS)
        if partner:
            conditions.append("terminal IN (SELECT unnest($terminals::VARCHAR[]))")
            values["terminals"] = terminals_of(conn, partner)
        if not decided_too:
            condition, values["records"] = _of_state(conn, state, run)
            conditions.append(condition)
        runs = None if run is None else range(run, run + 1)
        found = select_cleared(context, conn, conditions, values, runs=runs, limit=limit)
        ids = [one.id for one in found]
        decided = {row.record: row for row in select_in(conn, _DECISIONS, clearing_decision.c.record, ids)}
        steps = _last_steps(conn, ids)
        return [_case(one, steps.get(one.id), decided.get(one.id)) for one in found]


def exception_of(context: ClearingContext, conn: Connection, record: str) -> ExceptionCase:
    """Give one exception; raise RecordUnknown, or RecordNoException when it ended in no such state."""
    found = find_cleared(context, conn, record)
    if found is None or not _is_work(found):
        raise RecordNoException(
            record=record,
            ended="is not cleared" if found is None else Phrase("ended {state}", state=found.state),
        )
    decided = conn.execute(_DECISIONS.where(clearing_decision.c.record == found.id)).one_or_none()
    return _case(found, next(reversed(STEPS.history(conn, found.id)), None), decided)


def _is_work(found: ClearedRecord) -> bool:
    return Code[found.code].is_work or Code.C04.name in found.notes


def history(conn: Connection, record: str) -> list[CaseStep]:
    """Give the steps of an exception, the oldest first."""
    return STEPS.history(conn, record)


def _of_state(conn: Connection, state: CaseState | None, run: int | None) -> tuple[str, list[str]]:
    """Say which records, of a run where one is asked for, are in a state, by the ids of those that count.

    Only ids are read; whoever works on something is few, and what is decided is read by its run.
    """
    decided = select(clearing_decision.c.record)
    begun = select(clearing_case_step.c.about).where(clearing_case_step.c.about.not_in(decided)).distinct()
    ended = decided if run is None else decided.where(clearing_decision.c.run == run)
    chosen, within = {
        None: ((ended,), False),
        CaseState.OPEN: ((ended, begun), False),
        CaseState.TAKEN: ((begun,), True),
        CaseState.RESOLVED: ((ended,), True),
    }[state]
    ids = {one for query in chosen for one in conn.scalars(query)}
    return f"{ID} {'IN' if within else 'NOT IN'} (SELECT unnest($records::VARCHAR[]))", sorted(ids)


def _last_steps(conn: Connection, ids: list[str]) -> dict[str, Any]:
    """Give the last step of each of some cases."""
    rows = select_in(conn, select(clearing_case_step), clearing_case_step.c.about, ids)
    return {row.about: row for row in sorted(rows, key=lambda row: row.seq)}


def _before(calendar: BusinessCalendar, day: date, count: int) -> date:
    """Give the last day since which more than ``count`` business days are over."""
    while count >= 0:
        count -= calendar.is_business_day(day)
        day -= timedelta(days=1)
    return day


def _case(found: ClearedRecord, step: Any, decision: Row[Any] | None) -> ExceptionCase:
    decided = None if decision is None else Decided.of(decision)
    proposed = step is not None and step.what == PROPOSED and decided is None
    return ExceptionCase(
        id=found.id,
        run=found.run,
        since=found.business_date,
        at=found.at,
        card=found.card,
        counter=found.counter,
        service=found.service,
        amount_fen=found.amount_fen,
        price_fen=found.price_fen,
        ended=found.state,
        code=found.code,
        notes=found.notes,
        partner=found.partner,
        state=_state(step, decided),
        taken_by=decided.actor if decided is not None else step.actor if step is not None else "",
        proposed_by=step.actor if proposed else "",
        proposal=step.detail if proposed else "",
        decision=decided,
    )


def _state(step: Any, decision: Decided | None) -> CaseState:
    if decision is not None:
        return CaseState.RESOLVED
    return CaseState.OPEN if step is None else CaseState.TAKEN
