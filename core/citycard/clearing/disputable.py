"""What can be disputed: a record, or a position of a partner's statement, and how much of it is still free.

A position is ``run/3``, ``run/3/2018-09-01`` or ``run/3/2018-09-01/T01``. Positions that overlap, and the
records in them, are about the same money: what one dispute claims or got, no other one claims again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import attrs
from sqlalchemy import Connection, select

from citycard.clearing.adjusting import adjustments_about
from citycard.clearing.casecodes import Party
from citycard.clearing.casetables import (
    clearing_adjustment,
    clearing_decision,
    clearing_dispute,
    clearing_dispute_decision,
)
from citycard.clearing.codes import State
from citycard.clearing.context import ClearingContext
from citycard.clearing.exceptions import today
from citycard.clearing.records import ID, ClearedRecord, find_cleared, select_cleared
from citycard.clearing.standing import standing_of
from citycard.clearing.statements import Statement, read_statement
from citycard.clearing.tables import clearing_run
from citycard.errors import DisputeRefused, Phrase, RecordUnknown
from citycard.money import yuan
from citycard.wallet.addresses import card_refund, partner_payable
from citycard.wallet.refunds import refunds_of

__all__ = ["Subject", "check_days", "check_free", "is_position", "subject_of"]

_NAMED = 3

# One spelling each: what is written otherwise would be another position to whoever compares them.
_POSITION = re.compile(r"run/([1-9][0-9]{0,8})(?:/([0-9]{4}-[0-9]{2}-[0-9]{2})(?:/([A-Z][0-9]{2}|OK))?)?")


@attrs.frozen(kw_only=True)
class Subject:
    """What a dispute is about.

    ``about`` is its id, in its one spelling; ``day`` and ``code`` are empty where a position has none.
    ``line_fen`` is the amount of a position; a record's follows from where its money stands.
    """

    about: str
    run: int
    day: str = ""
    code: str = ""
    line_fen: int = 0
    record: ClearedRecord | None = None

    def meets(self, other: Subject) -> bool:
        """Say whether the money of two of one run is the same; two records' never is."""
        if self.record is not None and other.record is not None:
            return self.about == other.about
        pairs = ((self.day, other.day), (self.code, other.code))
        return self.run == other.run and all(mine == its or not (mine and its) for mine, its in pairs)


def is_position(about: str) -> bool:
    """Say whether it is a position of a statement, and not the id of a record."""
    return about.startswith("run/")


def subject_of(context: ClearingContext, conn: Connection, about: str, partner: str) -> Subject:
    """Find a record, or a position of a partner's statement.

    Raise RecordUnknown for what is neither, RunUnknown, StatementUnknown, and DisputeRefused when the
    statement has no such line.
    """
    if _POSITION.fullmatch(about) is None:
        record = find_cleared(context, conn, about)
        if record is None:
            raise RecordUnknown(record=about)
        return _of_record(record)
    subject = _of_position(about)
    line_fen = _line_fen(read_statement(conn, partner, subject.run), subject)
    if line_fen is None:
        raise DisputeRefused(about=about, reason="the statement of that run has no such line")
    return attrs.evolve(subject, line_fen=line_fen)


@attrs.frozen(kw_only=True)
class _Use:
    """Money of a subject that is not free: what it is about, what claims or got it, and how much."""

    about: str
    what: str
    amount_fen: int


def check_free(
    context: ClearingContext,
    conn: Connection,
    subject: Subject,
    party: Party,
    partner: str,
    amount_fen: int,
    *,
    only_got: bool = False,
) -> None:
    """Raise DisputeRefused for more than a party can claim of it by now, which names what has the rest.

    What other disputes of the partner claim or got of the same money is not free. When one of them is being
    decided, only what the others got counts (``only_got``).
    """
    left_fen, uses = subject.line_fen, []
    if subject.record is not None:
        left_fen = standing_of(conn, subject.record).left_fen(party, partner)
    if party is Party.PARTNER:
        uses = list(_taken(context, conn, subject, partner, only_got))
        left_fen -= sum(one.amount_fen for one in uses)
    if amount_fen <= left_fen:
        return
    if subject.record is not None:
        uses += _given(conn, subject.record, party, partner)
    told = Phrase(
        "{amount_yuan} yuan are claimed, {most_yuan} yuan can be owed at most{uses}",
        amount_yuan=yuan(amount_fen),
        most_yuan=yuan(max(0, left_fen)),
        uses=_named(uses),
    )
    raise DisputeRefused(about=subject.about, reason=told)


def check_days(context: ClearingContext, conn: Connection, about: str, run: int) -> None:
    """Raise DisputeRefused once the days are over in which what a run cleared can be disputed."""
    query = select(clearing_run.c.report).where(clearing_run.c.number == run)
    report: dict[str, Any] = conn.execute(query).scalar_one()
    closed = datetime.fromisoformat(report["closed_at"]).astimezone(ZoneInfo(context.terms.timezone)).date()
    last = context.terms.calendar.add(closed, context.terms.dispute_days)
    if today(context) > last:
        raise DisputeRefused(about=about, reason=Phrase("it could be disputed until {last}", last=last))


def _named(uses: list[_Use]) -> str:
    """Name what has most, and count the rest."""
    told = sorted(uses, key=lambda one: (-one.amount_fen, one.what))
    named = [f"{one.what} {yuan(one.amount_fen)} yuan" for one in told[:_NAMED]]
    if len(told) > _NAMED:
        rest_fen = sum(one.amount_fen for one in told[_NAMED:])
        named.append(f"{len(told) - _NAMED} more {yuan(rest_fen)} yuan")
    return f"; {', '.join(named)}" if named else ""


def _given(conn: Connection, record: ClearedRecord, party: Party, partner: str) -> list[_Use]:
    """Give what a party has of a record already: by its run, by adjustments, and by refunds."""
    holder = party is Party.HOLDER
    address = card_refund(record.card) if holder else partner_payable(partner)
    uses = [
        _Use(
            about=record.id,
            what=f"{'exception' if one.cause == record.id else 'dispute'} {one.cause} got",
            amount_fen=one.amount_fen,
        )
        for one in adjustments_about(conn, about=record.id)
        if one.credit == address
    ]
    if holder:
        uses += [
            _Use(about=record.id, what=f"refund {one.id} gave back", amount_fen=one.amount_fen)
            for one in refunds_of(conn, purchase=record.id)
        ]
    elif record.state is State.ACCEPTED:
        uses += [
            _Use(about=record.id, what=f"run {record.run} paid", amount_fen=fen)
            for name, fen in record.parts
            if name == partner and fen
        ]
    return uses


def _of_record(record: ClearedRecord) -> Subject:
    day = str(record.business_date)
    return Subject(about=record.id, run=record.run, day=day, code=record.code, record=record)


def _of_position(about: str) -> Subject:
    found = _POSITION.fullmatch(about)
    assert found is not None
    return Subject(about=about, run=int(found[1]), day=found[2] or "", code=found[3] or "")


def _line_fen(statement: Statement, subject: Subject) -> int | None:
    """Give the amount of a line; None where there is none.

    A line with a code is what the partner's terminals handed in so. A day, or the whole, is what they handed
    in, or what the partner earned where that is more: it has shares of others' records.
    """
    handed: dict[str, int] = {}
    for line in statement.codes:
        if subject.code in {"", line.code}:
            day = str(line.business_date)
            handed[day] = handed.get(day, 0) + line.amount_fen
    if not subject.code:
        for earned in statement.days:
            day = str(earned.business_date)
            handed[day] = max(handed.get(day, 0), earned.gross_fen)
    return handed.get(subject.day) if subject.day else sum(handed.values())


def _taken(
    context: ClearingContext, conn: Connection, subject: Subject, partner: str, only_got: bool
) -> Iterator[_Use]:
    """Give what else is about the same money of a partner: other disputes, and exceptions that were paid.

    Of a record, what is about the record itself is where its money stands already.
    """
    told = _disputed(conn, subject, partner, only_got)
    yield from (one for one in told if is_position(one.about) and subject.meets(_of_position(one.about)))
    if subject.record is None:
        about_records = [one for one in told if not is_position(one.about)] + _paid(conn, subject, partner)
        met = _met(context, conn, subject, {one.about for one in about_records})
        yield from (one for one in about_records if one.about in met)


def _disputed(conn: Connection, subject: Subject, partner: str, only_got: bool) -> list[_Use]:
    table, decision = clearing_dispute, clearing_dispute_decision
    query = (
        select(table.c.id, table.c.about, table.c.amount_fen, decision.c.amount_fen.label("got_fen"))
        .outerjoin(decision, decision.c.dispute == table.c.id)
        .where(table.c.run == subject.run, table.c.partner == partner, table.c.about != subject.about)
    )
    if only_got:
        query = query.where(decision.c.amount_fen.is_not(None))
    return [
        _Use(about=row.about, what=f"dispute {row.id} claims", amount_fen=row.amount_fen)
        if row.got_fen is None
        else _Use(about=row.about, what=f"dispute {row.id} got", amount_fen=row.got_fen)
        for row in conn.execute(query)
        if not is_position(row.about) or _POSITION.fullmatch(row.about)
    ]


def _paid(conn: Connection, subject: Subject, partner: str) -> list[_Use]:
    """Give what a partner got by exceptions of a run that were accepted."""
    moved = clearing_adjustment
    query = (
        select(moved.c.about, moved.c.amount_fen)
        .join(clearing_decision, clearing_decision.c.record == moved.c.cause)
        .where(clearing_decision.c.run == subject.run, moved.c.credit == partner_payable(partner))
    )
    return [
        _Use(about=row.about, what=f"exception {row.about} got", amount_fen=row.amount_fen)
        for row in conn.execute(query)
    ]


def _met(context: ClearingContext, conn: Connection, subject: Subject, ids: set[str]) -> set[str]:
    """Say which records of a run are in a position of its statement."""
    if not ids or not subject.day:
        return ids
    runs = range(subject.run, subject.run + 1)
    condition = f"{ID} IN (SELECT unnest($ids::VARCHAR[]))"
    found = select_cleared(context, conn, [condition], {"ids": sorted(ids)}, runs=runs, limit=len(ids))
    return {one.id for one in found if subject.meets(_of_record(one))}
