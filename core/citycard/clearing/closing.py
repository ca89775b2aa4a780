"""Close a run: everything it means, in one transaction that happens once."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import attrs
from sqlalchemy import Connection, Row, insert, select, update

from citycard.bank.instruction import is_payable
from citycard.clearing.adjusting import adjustments_wait, partners_of, post_adjustments
from citycard.clearing.casetables import clearing_decision
from citycard.clearing.context import BankAccount, ClearingContext
from citycard.clearing.events import RUN_CLOSED, RunClosed
from citycard.clearing.gaps import write_card_gaps, write_terminal_gaps
from citycard.clearing.held import DecidedRecord, HeldChanged, HeldRecord, write_held
from citycard.clearing.outcomes import Part
from citycard.clearing.payments import order_run_payments, payment_path, payment_reference
from citycard.clearing.postings import post_run
from citycard.clearing.reports import PartnerTotal, RunReport, StateTotal
from citycard.clearing.sequence import Gap
from citycard.clearing.settled import settled_count
from citycard.clearing.tables import clearing_part, clearing_run, statement
from citycard.clearing.tally import Sum, Tally
from citycard.clearing.work import Done
from citycard.ledger.chart import AccountCode
from citycard.registry.records import PartnerStatus
from citycard.registry.tables import partner
from citycard.store.bulk import select_in
from citycard.store.engine import write_alone, writing
from citycard.store.outbox import publish
from citycard.wallet.addresses import partner_payable

__all__ = ["Closing", "carried_over", "close_run", "waits_to_be_paid"]


@attrs.define(kw_only=True)
class Closing:
    """What the buckets of a run came to, put together; ``engine`` names where that was done."""

    engine: str = ""
    parts: list[Part] = attrs.field(factory=list)
    total: Tally = attrs.field(factory=Tally)
    spent_fen: int = 0
    #: The rules by which the run was judged.
    rules_version: str = ""
    #: How many records people had decided when the run was judged.
    settled: int = 0
    gaps: dict[str, tuple[list[Gap], list[Gap]]] = attrs.field(factory=dict)
    held: list[HeldRecord] = attrs.field(factory=list)
    decided: list[DecidedRecord] = attrs.field(factory=list)

    @classmethod
    def of(cls, buckets: Iterable[Done], engine: str, *, rules_version: str, settled: int = 0) -> Closing:
        """Put together what came in any order, so that what it gives depends on no order."""
        closing = cls(engine=engine, rules_version=rules_version, settled=settled)
        for done in sorted(buckets, key=lambda done: done.part.share):
            closing.add(done)
        return closing

    def add(self, done: Done) -> None:
        """Add a bucket, or a piece of one. They share no card: nothing of one is added up twice."""
        self.parts.append(done.part)
        self.total.merge(done.total)
        self.spent_fen += done.spent_fen
        self.gaps.update(done.gaps)
        self.held += done.held
        self.decided += done.decided

    def digest(self) -> str:
        """Give the digest of the run: the same for the same pieces under the same rules, wherever it ran."""
        lines = [self.rules_version, *(f"{part.share} {part.digest}" for part in self.parts)]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def close_run(context: ClearingContext, run: Row[Any], closing: Closing) -> bool:
    """Post, settle and write down a run; return False when somebody else closed it in the meantime.

    Raise HeldChanged when people decided records, or gave up gaps, since it was judged.
    """
    opened: datetime = run.opened_at.astimezone(ZoneInfo(context.terms.timezone))
    day = closing.total.business_date or opened.date()
    with writing(context.engine) as conn:
        # Meanwhile nobody decides a record that the run may have, or a copy of it, or gives up a gap.
        write_alone(conn, clearing_decision)
        if settled_count(conn) != closing.settled:
            raise HeldChanged
        mine = update(clearing_run).where(clearing_run.c.number == run.number, clearing_run.c.state == "open")
        if conn.execute(mine.values(state="closed")).rowcount != 1:
            return False
        adjusted = post_adjustments(conn, context, run.number, business_date=day)
        carried = dict.fromkeys(partners_of(adjusted), 0) | carried_over(conn, context)
        payees = _payees(conn, closing.total, carried)
        partners = _partner_totals(context, closing.total, payees, carried)
        at = closing.total.last_at or datetime.combine(day, datetime.min.time())
        post_run(conn, context.ledger, run.number, closing.spent_fen, partners, at=at, business_date=day)
        if closing.parts:
            conn.execute(
                insert(clearing_part), [attrs.asdict(part) | {"run": run.number} for part in closing.parts]
            )
        write_card_gaps(conn, run.number, closing.gaps)
        write_held(conn, run.number, closing.held, closing.decided)
        findings = write_terminal_gaps(conn, run.number, run.watermark)
        findings |= _payment_findings(partners, payees) | Counter(one.code.value for one in adjusted)
        report = _report(context, run, closing, partners, findings, day)
        references = {
            one.partner: payment_reference(
                context.terms, run.opened_at, report.digest, "payment", run.number, one.partner
            )
            for one in partners
            if one.paid_fen
        }
        _write_statements(conn, run.number, closing.total, partners, payees, references)
        conn.execute(
            update(clearing_run)
            .where(clearing_run.c.number == run.number)
            .values(rules_version=report.rules_version, digest=report.digest, report=report.stored())
        )
        order_run_payments(conn, context, run.number)
        publish(conn, RUN_CLOSED, [_told(report)], at=report.closed_at)
    return True


def _told(report: RunReport) -> dict[str, Any]:
    settled_fen = sum(one.paid_fen for one in report.partners)
    return attrs.asdict(RunClosed(run=report.number, records=report.records, settled_fen=settled_fen))


def carried_over(conn: Connection, context: ClearingContext) -> dict[str, int]:
    """Give what each partner is owed from before, in fen; below zero it owes the city.

    What is paid online stands there, and what an earlier run could not pay. A payment that is made while a
    run is closed waits for the next one.
    """
    owed = context.ledger.balances(conn, AccountCode.PAYABLE_TO_PARTNERS)
    partners = {partner_payable(name): name for name in conn.scalars(select(partner.c.id))}
    return {partners[address]: fen for address, fen in owed.items() if fen and address in partners}


def waits_to_be_paid(conn: Connection, context: ClearingContext) -> bool:
    """Say whether a partner could be paid something without any record that is new."""
    carried = carried_over(conn, context)
    rows = select_in(conn, select(partner), partner.c.id, sorted(carried))
    held = _held_before(conn, context)
    waits = any(carried[row.id] > held.get(row.id, 0) and _can_be_paid(row) for row in rows)
    return waits or adjustments_wait(conn)


def _held_before(conn: Connection, context: ClearingContext) -> dict[str, int]:
    """Give what stays payable above the caps: it waits for a run that has something else to do."""
    capped = sorted(context.terms.net_caps_fen)
    query = select(statement.c.partner, statement.c.held_fen).where(statement.c.partner.in_(capped))
    return {row.partner: row.held_fen for row in conn.execute(query.order_by(statement.c.run))}


def _payees(conn: Connection, total: Tally, carried: Mapping[str, int]) -> dict[str, Row[Any]]:
    names = {name for name, _ in total.earned} | {name for name, _, _ in total.handed_in} | carried.keys()
    return {row.id: row for row in select_in(conn, select(partner), partner.c.id, sorted(names))}


def _partner_totals(
    context: ClearingContext,
    total: Tally,
    payees: dict[str, Row[Any]],
    carried: Mapping[str, int],
) -> list[PartnerTotal]:
    earned: dict[str, Sum] = defaultdict(Sum)
    for (name, _), found in total.earned.items():
        earned[name].add(found.amount_fen, found.records)
    for name, _, _ in total.handed_in:
        earned[name].add(0, 0)
    for name in carried:
        if not carried[name] or _can_be_paid(payees.get(name)):
            earned[name].add(0, 0)
    totals = []
    for name, found in sorted(earned.items()):
        kind = payees[name].kind if name in payees else ""
        fee_fen = context.terms.fee_fen(name, found.amount_fen, kind)
        net_fen, carried_fen = found.amount_fen - fee_fen, carried.get(name, 0)
        due_fen = max(0, net_fen + carried_fen) if _can_be_paid(payees.get(name)) else 0
        paid_fen = min(due_fen, context.terms.net_caps_fen.get(name, due_fen))
        totals.append(
            PartnerTotal(
                partner=name,
                records=found.records,
                gross_fen=found.amount_fen,
                fee_fen=fee_fen,
                net_fen=net_fen,
                paid_fen=paid_fen,
                carried_fen=carried_fen,
                held_fen=due_fen - paid_fen,
            )
        )
    return totals


def _payment_findings(partners: Sequence[PartnerTotal], payees: dict[str, Row[Any]]) -> dict[str, int]:
    suspended = {name for name, row in payees.items() if row.status == PartnerStatus.SUSPENDED.value}
    return {
        "N01": sum(one.held_fen > 0 for one in partners),
        "N02": sum(one.partner in suspended and one.net_fen + one.carried_fen > 0 for one in partners),
    }


def _can_be_paid(payee: Row[Any] | None) -> bool:
    if payee is None or payee.status != PartnerStatus.ACTIVE.value:
        return False
    return is_payable(
        BankAccount(name=payee.account_name or payee.name, account=payee.account_no, bic=payee.bank_bic)
    )


def _write_statements(
    conn: Connection,
    run: int,
    total: Tally,
    partners: Sequence[PartnerTotal],
    payees: dict[str, Row[Any]],
    references: dict[str, str],
) -> None:
    rows = [
        {
            "run": run,
            "partner": one.partner,
            "name": payees[one.partner].name if one.partner in payees else one.partner,
            "account_name": payees[one.partner].account_name if one.partner in payees else "",
            "account_no": payees[one.partner].account_no if one.partner in payees else "",
            "bank_bic": payees[one.partner].bank_bic if one.partner in payees else "",
            "records": one.records,
            "gross_fen": one.gross_fen,
            "fee_fen": one.fee_fen,
            "net_fen": one.net_fen,
            "carried_fen": one.carried_fen,
            "held_fen": one.held_fen,
            "end_to_end": references.get(one.partner, ""),
            "detail": _detail(total, one.partner),
        }
        for one in partners
    ]
    if rows:
        conn.execute(insert(statement), rows)


def _detail(total: Tally, name: str) -> dict[str, Any]:
    days = sorted((day, found) for (payee, day), found in total.earned.items() if payee == name)
    codes = sorted(
        (day, code.name, code.state.value, found)
        for (acquirer, day, code), found in total.handed_in.items()
        if acquirer == name
    )
    return {
        "days": [[day.isoformat(), found.records, found.amount_fen] for day, found in days],
        "codes": [
            [day.isoformat(), state, code, found.records, found.amount_fen]
            for day, code, state, found in codes
        ],
    }


def _report(
    context: ClearingContext,
    run: Row[Any],
    closing: Closing,
    partners: Sequence[PartnerTotal],
    findings: dict[str, int],
    day: date,
) -> RunReport:
    total = closing.total
    totals = [
        StateTotal(state=code.state, code=code.name, records=found.records, amount_fen=found.amount_fen)
        for code, found in sorted(total.codes.items(), key=lambda entry: entry[0].name)
    ]
    notes = {code.name: count for code, count in total.notes.items()} | findings
    return RunReport(
        number=run.number,
        changed=True,
        watermark=run.watermark,
        closed_at=context.clock.now(),
        business_date=day,
        records=sum(found.records for found in total.codes.values()),
        amount_fen=sum(found.amount_fen for found in total.codes.values()),
        totals=tuple(totals),
        notes=tuple(sorted((name, count) for name, count in notes.items() if count)),
        partners=tuple(partners),
        taken_up=total.taken_up.records,
        taken_up_fen=total.taken_up.amount_fen,
        price_difference_fen=total.price_difference_fen,
        rules_version=closing.rules_version,
        digest=closing.digest(),
        engine=closing.engine,
        bank_file=payment_path(run.number) if any(one.paid_fen for one in partners) else None,
    )
