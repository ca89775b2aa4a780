"""Adjustments: money that a decision moves after a run. The next run posts each of them, once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import attrs
from sqlalchemy import Connection, Row, insert, or_, select

from citycard.clearing.casecodes import AdjustmentCode
from citycard.clearing.casetables import clearing_adjusted, clearing_adjustment
from citycard.clearing.context import ClearingContext
from citycard.ids import derived_id
from citycard.ledger.chart import AccountCode, TransferCode
from citycard.ledger.records import AccountSpec, Transfer
from citycard.wallet.addresses import LOSS_CLEARING, partner_payable

__all__ = [
    "Adjustment",
    "PostedAdjustment",
    "adjustment",
    "adjustments_about",
    "adjustments_of_run",
    "adjustments_wait",
    "order_adjustments",
    "partners_of",
    "post_adjustments",
]

_TRANSFER_CODES = {
    AdjustmentCode.A01: TransferCode.EXCEPTION_ACCEPTED,
    AdjustmentCode.A02: TransferCode.EXCEPTION_ACCEPTED,
    AdjustmentCode.A06: TransferCode.DISPUTE_GIVEN_BACK,
    AdjustmentCode.A07: TransferCode.DISPUTE_GIVEN_BACK,
}


@attrs.frozen(kw_only=True)
class Adjustment:
    """Money that a decision moves from one account of the ledger to another; its id is the transfer's.

    ``about`` is the record's id, or a position of a statement; ``cause`` the record or the dispute decided.
    """

    id: UUID
    code: AdjustmentCode = attrs.field(converter=AdjustmentCode)
    about: str
    cause: str
    debit: str
    credit: str
    amount_fen: int = attrs.field(validator=attrs.validators.gt(0))
    reason: str
    at: datetime

    def change_fen(self, address: str) -> int:
        """Say by how much an account that is owed something is owed more; below zero, less."""
        return self.amount_fen * ((self.credit == address) - (self.debit == address))


@attrs.frozen(kw_only=True)
class PostedAdjustment(Adjustment):
    """An adjustment with the run that posted it; None while it waits for the next one."""

    run: int | None


def adjustment(
    code: AdjustmentCode,
    *,
    about: str,
    cause: str,
    debit: str,
    credit: str,
    amount_fen: int,
    reason: str,
    at: datetime,
) -> Adjustment:
    """Make the one adjustment of a decision (``cause``) between two accounts; its id follows from them."""
    return Adjustment(
        id=derived_id("clearing", "adjustment", cause, debit, credit),
        code=code,
        about=about,
        cause=cause,
        debit=debit,
        credit=credit,
        amount_fen=amount_fen,
        reason=reason[:300],
        at=at,
    )


def order_adjustments(conn: Connection, adjustments: Iterable[Adjustment]) -> None:
    """Let the next run post adjustments, in the transaction of the decision that they follow from."""
    rows = [attrs.asdict(one) | {"code": one.code.value} for one in adjustments]
    if rows:
        conn.execute(insert(clearing_adjustment), rows)


def adjustments_wait(conn: Connection) -> bool:
    """Say whether an adjustment was decided that no run has posted."""
    return conn.execute(_adjustments().where(clearing_adjusted.c.run.is_(None)).limit(1)).first() is not None


def adjustments_about(conn: Connection, *, about: str = "", cause: str = "") -> list[PostedAdjustment]:
    """Give the adjustments about a record or a position, or those of one decision, the oldest first."""
    table = clearing_adjustment
    query = _adjustments().where(table.c.about == about if about else table.c.cause == cause)
    return [_adjustment(row) for row in conn.execute(query)]


def adjustments_of_run(conn: Connection, run: int, partner: str = "") -> list[PostedAdjustment]:
    """Give what a run adjusted, of one partner or of all, the oldest first."""
    query = _adjustments().where(clearing_adjusted.c.run == run)
    if partner:
        payable, table = partner_payable(partner), clearing_adjustment
        query = query.where(or_(table.c.debit == payable, table.c.credit == payable))
    return [_adjustment(row) for row in conn.execute(query)]


def partners_of(adjustments: Iterable[Adjustment]) -> set[str]:
    """Give the partners whose payables adjustments change."""
    addresses = {address for one in adjustments for address in (one.debit, one.credit)}
    return {address.split("/")[1] for address in addresses if address.startswith("partner/")}


def post_adjustments(
    conn: Connection, context: ClearingContext, run: int, *, business_date: date
) -> list[Adjustment]:
    """Post every adjustment that waits, in the transaction that closes a run, and return them."""
    waiting = [
        _adjustment(row) for row in conn.execute(_adjustments().where(clearing_adjusted.c.run.is_(None)))
    ]
    if not waiting:
        return []
    conn.execute(insert(clearing_adjusted), [{"adjustment": one.id, "run": run} for one in waiting])
    addresses = sorted({address for one in waiting for address in (one.debit, one.credit)})
    context.ledger.open_accounts(conn, [_account(address) for address in addresses])
    zone = ZoneInfo(context.terms.timezone)
    context.ledger.post_all(conn, [_transfer(one, zone, business_date) for one in waiting])
    return list(waiting)


def _account(address: str) -> AccountSpec:
    kind, _, rest = address.partition("/")
    owner, _, what = rest.partition("/")
    codes = {
        ("card", "purse"): AccountCode.CARD_FLOAT,
        ("card", "refund"): AccountCode.REFUNDS_DUE,
        ("partner", "payable"): AccountCode.PAYABLE_TO_PARTNERS,
    }
    if address == LOSS_CLEARING:
        return AccountSpec(address=address, code=AccountCode.CARD_LOSS)
    return AccountSpec(address=address, code=codes[kind, what], owner=owner)


def _transfer(one: Adjustment, zone: ZoneInfo, business_date: date) -> Transfer:
    return Transfer(
        id=one.id,
        debit_address=one.debit,
        credit_address=one.credit,
        amount_fen=one.amount_fen,
        code=_TRANSFER_CODES.get(one.code, TransferCode.DISPUTE_UPHELD),
        event_time=one.at.astimezone(zone).replace(tzinfo=None, microsecond=0),
        business_date=business_date,
        ref=f"adjustment/{one.code}/{one.about}",
    )


def _adjustments() -> Any:
    joined = clearing_adjustment.outerjoin(
        clearing_adjusted, clearing_adjusted.c.adjustment == clearing_adjustment.c.id
    )
    table = clearing_adjustment
    order = (table.c.at, table.c.cause, table.c.debit, table.c.credit)
    return select(clearing_adjustment, clearing_adjusted.c.run).select_from(joined).order_by(*order)


def _adjustment(row: Row[Any]) -> PostedAdjustment:
    return PostedAdjustment(**row._mapping)  # noqa: SLF001 - a Row's own way
