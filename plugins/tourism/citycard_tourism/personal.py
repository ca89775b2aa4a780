"""What is kept about the holder of a card: to be handed over and erased.

Erased is what is over. A ticket or pass that is in force stays while its right lasts, a book until it is back
and paid, and what was paid while something of it is to be given back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Table, delete, or_, select

from citycard.kernel.data import PersonalData
from citycard_tourism.tables import loan, pass_, payment, reader, refund, ticket, visit

__all__ = ["PERSONAL"]

_TABLES: Mapping[str, Table] = {
    "tickets": ticket,
    "passes": pass_,
    "payments": payment,
    "refunds": refund,
    "visits": visit,
    "loans": loan,
    "readers": reader,
}
_INNER = {"step", "step_id", "step_to", "onward"}


def _export(conn: Connection, asn: str) -> Iterator[Mapping[str, Any]]:
    for kind, table in _TABLES.items():
        for row in conn.execute(select(table).where(table.c.asn == asn)):
            told = {name: value for name, value in row._mapping.items() if name not in _INNER}  # noqa: SLF001 - a Row's way
            yield {"kind": kind, **{name: _plain(value) for name, value in told.items()}}


def _erase(conn: Connection, asn: str) -> int:
    due = select(refund.c.payment).where(refund.c.state == "due")
    over = {
        visit: visit.c.serial >= 0,
        ticket: ticket.c.state.in_(("used", "returned", "lapsed")),
        pass_: pass_.c.state == "cancelled",
        payment: payment.c.id.not_in(due) & _over(payment),
        refund: refund.c.state == "given",
        loan: loan.c.returned_on.is_not(None) & or_(loan.c.paid, loan.c.fee_fen == 0),
        reader: reader.c.asn.not_in(
            select(loan.c.asn).where(or_(loan.c.returned_on.is_(None), ~loan.c.paid))
        ),
    }
    # What was paid for a right goes with it, so that is looked at while the right is still there.
    order = (payment, visit, ticket, pass_, refund, loan, reader)
    return sum(conn.execute(delete(table).where(table.c.asn == asn, over[table])).rowcount for table in order)


def _over(table: Table) -> Any:
    """Say which payments are for rights that are over."""
    live_tickets = select(ticket.c.serial).where(ticket.c.state.in_(("held", "paid", "card")))
    live_passes = select(pass_.c.serial).where(pass_.c.state != "cancelled")
    return or_(
        (table.c.service == "tourism-ticket") & table.c.serial.not_in(live_tickets),
        (table.c.service == "tourism-pass") & table.c.serial.not_in(live_passes),
    )


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, int | str | bool) else str(value)


PERSONAL = PersonalData(
    name="visitors",
    title="Tickets, passes, visits and loans of a card",
    export=_export,
    erase=_erase,
)
