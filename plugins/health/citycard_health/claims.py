"""What insurers owe: a claim for each visit, a statement each month, and the clinics' money once it is paid.

A claim stands on the insurer's account (``health/insurer/<id>``) and on ``health/claims``, where it waits
for the insurer: the city lends nobody the money of card holders. When the bank books what a statement comes
to, each clinic's part goes on to its payable, and is paid out with its next clearing run.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, Row, func, insert, select, update

from citycard.errors import Phrase
from citycard.ids import derived_id
from citycard.ledger import AccountCode, AccountSpec
from citycard.money import yuan
from citycard.store import reading, writing
from citycard.store.engine import write_alone
from citycard.wallet import partner_payable
from citycard_health.addresses import CLAIMS, insurer_account
from citycard_health.errors import NotFound, StatementRefused
from citycard_health.events import ClaimsSettled, tell
from citycard_health.tables import claim as claim_table
from citycard_health.tables import statement as statement_table

if TYPE_CHECKING:
    from citycard.city import City
    from citycard_health.settings import HealthSettings

__all__ = [
    "CLAIM_BACK",
    "CLAIM_MADE",
    "CLAIM_PASSED_ON",
    "ClaimStatement",
    "StatementState",
    "claim_file",
    "close_month",
    "find_statement",
    "make_claim",
    "open_fen",
    "settle",
    "settle_paid",
    "statements_of",
]

CLAIM_MADE, CLAIM_BACK, CLAIM_PASSED_ON = 1800, 1801, 1802
_PAYABLE = int(AccountCode.PAYABLE_TO_PARTNERS)
_MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")
_COLUMNS = ("claim", "visit", "clinic", "at", "amount")


class StatementState(StrEnum):
    """A statement is closed and sent, then settled when the insurer's money came."""

    CLOSED = "closed"
    SETTLED = "settled"


@attrs.frozen(kw_only=True)
class ClaimStatement:
    """The claims of an insurer in a month; ``reference`` is what it writes when it pays ``total_fen``."""

    id: UUID
    insurer: str
    month: str
    claims: int
    total_fen: int
    reference: str
    state: StatementState = attrs.field(converter=StatementState)
    closed_at: dt.datetime
    settled_at: dt.datetime | None


def make_claim(
    conn: Connection,
    city: City,
    identity: UUID,
    *,
    visit: UUID,
    insurer: str,
    clinic: str,
    amount_fen: int,
) -> None:
    """Claim a part of a visit from an insurer, or with an amount below zero give back what was claimed."""
    now, owed = city.now_local(), insurer_account(insurer)
    back = amount_fen < 0
    debit, credit = (CLAIMS, owed) if back else (owed, CLAIMS)
    code = CLAIM_BACK if back else CLAIM_MADE
    transfer = city.wallet.transfer(
        derived_id("health claim", identity),
        debit,
        credit,
        abs(amount_fen),
        code,
        ref=f"health/visit/{visit}",
    )
    city.ledger.post_all(conn, [transfer])
    row = {"id": identity, "visit": visit, "insurer": insurer, "clinic": clinic, "at": now}
    conn.execute(insert(claim_table), row | {"month": f"{now:%Y-%m}", "amount_fen": amount_fen})


# ── a month's statement ──────────────────────────────────────────────────────────────────────────


def close_month(city: City, settings: HealthSettings, insurer: str, month: str) -> ClaimStatement:
    """Close a month that is over: all claims until its end that no statement has yet; again without harm.

    The bank then expects the insurer's money under the statement's reference. When more was given back than
    claimed, nothing is closed, and the next month takes it along. Raise NotFound or StatementRefused.
    """
    from citycard.bank.receipts import Receipt, ReceiptKind, expect_receipt

    if all(one.id != insurer for one in settings.insurers):
        raise NotFound(what="insurer", name=insurer[:40])
    if not _MONTH.fullmatch(month):
        raise StatementRefused(insurer=insurer, month=month[:10], reason="a month is written as 2026-03")
    now = city.now_local()
    if month >= f"{now:%Y-%m}":
        raise StatementRefused(insurer=insurer, month=month, reason="the month is not over yet")
    identity = derived_id("health statement", insurer, month)
    with writing(city.engine) as conn:
        write_alone(conn, statement_table)
        known = _known(conn, identity)
        if known is not None:
            return known
        mine = (
            claim_table.c.insurer == insurer,
            claim_table.c.statement.is_(None),
            claim_table.c.month <= month,
        )
        count, total_fen = conn.execute(
            select(func.count(), func.coalesce(func.sum(claim_table.c.amount_fen), 0)).where(*mine)
        ).one()
        total_fen = int(total_fen)
        if total_fen <= 0:
            raise StatementRefused(
                insurer=insurer,
                month=month,
                reason=Phrase("{total_fen} fen are claimed: nothing to pay", total_fen=total_fen),
            )
        conn.execute(update(claim_table).where(*mine).values(statement=identity))
        reference = f"HC{identity.hex[:12].upper()}"
        made = ClaimStatement(
            id=identity,
            insurer=insurer,
            month=month,
            claims=count,
            total_fen=total_fen,
            reference=reference,
            state=StatementState.CLOSED,
            closed_at=now,
            settled_at=None,
        )
        conn.execute(insert(statement_table), attrs.asdict(made) | {"state": made.state.value})
        expected = Receipt(
            id=identity,
            kind=ReceiptKind.PARTNER,
            reference=reference,
            amount_fen=total_fen,
            credit=insurer_account(insurer),
        )
        expect_receipt(conn, city.ledger, expected)
        return made


def claim_file(conn: Connection, statement: ClaimStatement) -> str:
    """Write the claims of a statement as CSV; the last line has the sum. No word of it is about health."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    mine = select(claim_table).where(claim_table.c.statement == statement.id)
    for row in conn.execute(mine.order_by(claim_table.c.at, claim_table.c.id)):
        writer.writerow([row.id, row.visit, row.clinic, row.at.isoformat(), yuan(row.amount_fen)])
    writer.writerow([statement.reference, "", statement.claims, statement.month, yuan(statement.total_fen)])
    return out.getvalue()


# ── when the insurer paid ────────────────────────────────────────────────────────────────────────


def settle_paid(city: City) -> list[ClaimStatement]:
    """Settle every statement whose money the bank has booked; again without harm."""
    from citycard.bank.receipts import receipts

    with reading(city.engine) as conn:
        received = {one.reference for one in receipts(conn, state="received")}
        waiting = [one for one in statements_of(conn) if one.state is StatementState.CLOSED]
    return [settle(city, one.id) for one in waiting if one.reference in received]


def settle(city: City, identity: UUID) -> ClaimStatement:
    """Pass a statement's money on to its clinics, once the bank has booked it; again without harm.

    A clinic that gave back more than it claimed in the month pays the difference from its payable. Raise
    NotFound, or StatementRefused while the money has not come.
    """
    from citycard.bank.receipts import receipts

    with writing(city.engine) as conn:
        write_alone(conn, statement_table)
        found = _known(conn, identity)
        if found is None:
            raise NotFound(what="statement", name=identity)
        if found.state is StatementState.SETTLED:
            return found
        if all(one.reference != found.reference for one in receipts(conn, state="received")):
            reason = Phrase(
                "the bank has not booked {total_yuan} yuan under {reference}",
                total_yuan=yuan(found.total_fen),
                reference=found.reference,
            )
            raise StatementRefused(insurer=found.insurer, month=found.month, reason=reason)
        _pass_on(conn, city, found)
        values = {"state": StatementState.SETTLED.value, "settled_at": city.now_local()}
        conn.execute(update(statement_table).where(statement_table.c.id == identity).values(values))
        tell(conn, ClaimsSettled(insurer=found.insurer, month=found.month, total_fen=found.total_fen))
    return find_statement(city, identity)


def _pass_on(conn: Connection, city: City, statement: ClaimStatement) -> None:
    parts = conn.execute(
        select(claim_table.c.clinic, func.sum(claim_table.c.amount_fen))
        .where(claim_table.c.statement == statement.id)
        .group_by(claim_table.c.clinic)
        .order_by(claim_table.c.clinic)
    ).all()
    specs, transfers = [], []
    for clinic, summed in parts:
        amount_fen = int(summed)
        payable = partner_payable(clinic)
        specs.append(AccountSpec(address=payable, code=_PAYABLE, owner=clinic))
        debit, credit = (CLAIMS, payable) if amount_fen > 0 else (payable, CLAIMS)
        if amount_fen:
            transfers.append(
                city.wallet.transfer(
                    derived_id("health claims passed on", statement.id, clinic),
                    debit,
                    credit,
                    abs(amount_fen),
                    CLAIM_PASSED_ON,
                    ref=f"health/statement/{statement.insurer}/{statement.month}",
                )
            )
    city.ledger.open_accounts(conn, specs)
    city.ledger.post_all(conn, transfers)


# ── looking up ───────────────────────────────────────────────────────────────────────────────────


def find_statement(city: City, identity: UUID) -> ClaimStatement:
    """Give a statement; raise NotFound."""
    with reading(city.engine) as conn:
        found = _known(conn, identity)
    if found is None:
        raise NotFound(what="statement", name=identity)
    return found


def statements_of(conn: Connection, insurer: str = "") -> list[ClaimStatement]:
    """List the statements of an insurer, or of all, the newest month first."""
    query = select(statement_table).order_by(statement_table.c.month.desc(), statement_table.c.insurer)
    if insurer:
        query = query.where(statement_table.c.insurer == insurer)
    return [_statement(row) for row in conn.execute(query)]


def open_fen(conn: Connection, insurer: str) -> int:
    """Sum the claims that an insurer has not paid yet."""
    settled = select(statement_table.c.id).where(statement_table.c.state == StatementState.SETTLED.value)
    unpaid = claim_table.c.statement.is_(None) | claim_table.c.statement.not_in(settled)
    query = select(func.coalesce(func.sum(claim_table.c.amount_fen), 0))
    return int(conn.scalar(query.where(claim_table.c.insurer == insurer, unpaid)) or 0)


def _known(conn: Connection, identity: UUID) -> ClaimStatement | None:
    row = conn.execute(select(statement_table).where(statement_table.c.id == identity)).one_or_none()
    return None if row is None else _statement(row)


def _statement(row: Row[Any]) -> ClaimStatement:
    return ClaimStatement(**row._mapping)  # noqa: SLF001 - a Row's own way
