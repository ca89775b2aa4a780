"""The sandbox's own books: what citizens paid, what was given back, and what it is told to do wrong."""

from __future__ import annotations

import secrets
from datetime import datetime
from pathlib import Path
from typing import Any

import attrs
from sqlalchemy import (
    Column,
    Connection,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)

from citycard.store import open_store, reading, writing
from citycard.store.metadata import UtcTime

__all__ = ["Books", "Fault", "Sums"]

_tables = MetaData()
_order = Table(
    "sandbox_order",
    _tables,
    Column("number", String(32), primary_key=True),
    Column("amount_fen", Integer, nullable=False),
    Column("description", String(200), nullable=False),
    Column("notify_url", String(300), nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("state", String(8), nullable=False),
    Column("transaction", String(64), nullable=False),
)
_refund = Table(
    "sandbox_refund",
    _tables,
    Column("refund", String(64), primary_key=True),
    Column("number", String(32), nullable=False),
    Column("amount_fen", Integer, nullable=False),
)
_agreement = Table("sandbox_agreement", _tables, Column("agreement", String(64), primary_key=True))
_nonce = Table("sandbox_nonce", _tables, Column("nonce", String(32), primary_key=True))
_settlement = Table(
    "sandbox_settlement",
    _tables,
    Column("id", Integer, primary_key=True),
    Column("amount_fen", Integer, nullable=False),
)
_fault = Table(
    "sandbox_fault",
    _tables,
    Column("id", Integer, primary_key=True),
    Column("on", String(16), nullable=False),
    Column("what", String(16), nullable=False),
    Column("seconds", Float, nullable=False),
    Column("left", Integer, nullable=False),
)


@attrs.frozen(kw_only=True)
class Fault:
    """Something to do wrong: ``on`` which act, ``what`` is wrong, and for how many seconds."""

    on: str
    what: str
    seconds: float = 0.0


@attrs.frozen(kw_only=True)
class Sums:
    """The provider's books: taken from citizens, given back, handed over, and what it owes the merchant."""

    paid: int
    paid_fen: int
    refunded: int
    refunded_fen: int
    settled_fen: int

    @property
    def owed_fen(self) -> int:
        """Give what the provider owes the merchant."""
        return self.paid_fen - self.refunded_fen - self.settled_fen


class Books:
    """Books in a SQLite file; every method is one transaction."""

    def __init__(self, path: Path) -> None:
        self._engine = open_store(f"sqlite:///{path}")
        with writing(self._engine) as conn:
            _tables.create_all(conn)

    def first_time(self, nonce: str) -> bool:
        """Say whether a nonce was never seen, and remember it."""
        with writing(self._engine) as conn:
            if conn.execute(select(_nonce).where(_nonce.c.nonce == nonce)).first() is not None:
                return False
            conn.execute(insert(_nonce), {"nonce": nonce})
            return True

    def create(self, wanted: dict[str, Any], *, now: datetime, agreement: str = "") -> dict[str, Any] | None:
        """Make an order, or give the one of this number; None when it differs or nobody agreed to pay."""
        with writing(self._engine) as conn:
            found = _found(conn, wanted["number"], now)
            if found is None:
                if agreement and not _agreed(conn, agreement):
                    return None
                state, transaction = ("paid", secrets.token_hex(14)) if agreement else ("unpaid", "")
                conn.execute(insert(_order), wanted | {"state": state, "transaction": transaction})
                found = _found(conn, wanted["number"], now)
            assert found is not None
            return found if found["amount_fen"] == wanted["amount_fen"] else None

    def find(self, number: str, *, now: datetime) -> dict[str, Any] | None:
        """Give an order; one that waited too long is closed."""
        with writing(self._engine) as conn:
            return _found(conn, number, now)

    def pay(self, number: str, *, now: datetime) -> dict[str, Any] | None:
        """Take the citizen's money for an order that waits; None when it does not wait any more."""
        with writing(self._engine) as conn:
            found = _found(conn, number, now)
            if found is None or found["state"] != "unpaid":
                return None
            values = {"state": "paid", "transaction": secrets.token_hex(14)}
            conn.execute(update(_order).where(_order.c.number == number).values(values))
            return found | values

    def close(self, number: str, *, now: datetime) -> dict[str, Any] | None:
        """Let an order that waits be paid no more."""
        with writing(self._engine) as conn:
            waiting = (_order.c.number == number) & (_order.c.state == "unpaid")
            conn.execute(update(_order).where(waiting).values(state="closed"))
            return _found(conn, number, now)

    def refund(self, number: str, refund: str, amount_fen: int) -> str:
        """Give money back once under a number; say what is wrong, or nothing."""
        with writing(self._engine) as conn:
            known = conn.execute(select(_refund).where(_refund.c.refund == refund)).one_or_none()
            if known is not None:
                same = (known.number, known.amount_fen) == (number, amount_fen)
                return "" if same else "this refund was another one"
            order = conn.execute(select(_order).where(_order.c.number == number)).one_or_none()
            if order is None or order.state != "paid":
                return "the order was not paid"
            back = conn.scalar(select(func.sum(_refund.c.amount_fen)).where(_refund.c.number == number)) or 0
            if back + amount_fen > order.amount_fen:
                return "more than was paid"
            conn.execute(insert(_refund), {"refund": refund, "number": number, "amount_fen": amount_fen})
            return ""

    def refunded(self, refund: str) -> bool:
        """Say whether a refund was made."""
        with reading(self._engine) as conn:
            return conn.execute(select(_refund).where(_refund.c.refund == refund)).first() is not None

    def agree(self, agreement: str) -> None:
        """Let a citizen agree that orders of an agreement are paid without asking."""
        with writing(self._engine) as conn:
            if not _agreed(conn, agreement):
                conn.execute(insert(_agreement), {"agreement": agreement})

    def sums(self) -> Sums:
        """Add up the books."""
        with reading(self._engine) as conn:
            paid = conn.execute(
                select(func.count(), func.sum(_order.c.amount_fen)).where(_order.c.state == "paid")
            ).one()
            back = conn.execute(select(func.count(), func.sum(_refund.c.amount_fen))).one()
            settled = conn.scalar(select(func.sum(_settlement.c.amount_fen)))
        return Sums(
            paid=paid[0],
            paid_fen=paid[1] or 0,
            refunded=back[0],
            refunded_fen=back[1] or 0,
            settled_fen=settled or 0,
        )

    def settle(self) -> int:
        """Hand over everything that is owed, and say how much it is."""
        owed_fen = self.sums().owed_fen
        if owed_fen > 0:
            with writing(self._engine) as conn:
                conn.execute(insert(_settlement), {"amount_fen": owed_fen})
        return max(0, owed_fen)

    def plan_fault(self, fault: Fault, times: int) -> None:
        """Do something wrong the next ``times`` times; 0 takes it back."""
        with writing(self._engine) as conn:
            if times:
                conn.execute(insert(_fault), attrs.asdict(fault) | {"left": times})
            else:
                conn.execute(delete(_fault).where(_fault.c.on == fault.on))

    def next_fault(self, on: str) -> Fault | None:
        """Give what is to be done wrong with this act, once less."""
        with writing(self._engine) as conn:
            query = select(_fault).where(_fault.c.on == on, _fault.c.left > 0).order_by(_fault.c.id)
            row = conn.execute(query).first()
            if row is None:
                return None
            conn.execute(update(_fault).where(_fault.c.id == row.id).values(left=row.left - 1))
            return Fault(on=row.on, what=row.what, seconds=row.seconds)


def _found(conn: Connection, number: str, now: datetime) -> dict[str, Any] | None:
    over = (_order.c.number == number) & (_order.c.state == "unpaid") & (_order.c.expires_at <= now)
    conn.execute(update(_order).where(over).values(state="closed"))
    row = conn.execute(select(_order).where(_order.c.number == number)).one_or_none()
    return None if row is None else dict(row._mapping)  # noqa: SLF001 - how a row is read by name


def _agreed(conn: Connection, agreement: str) -> bool:
    return conn.execute(select(_agreement).where(_agreement.c.agreement == agreement)).first() is not None
