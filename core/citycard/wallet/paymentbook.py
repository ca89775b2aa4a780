"""Keep the payments of online accounts: what was paid, out of what, and what came back."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, insert, select, update

from citycard.errors import PaymentUnknown
from citycard.store.bulk import select_in
from citycard.wallet.tables import payment, payment_part

__all__ = [
    "PaidPart",
    "Payment",
    "add_returned",
    "find_payment",
    "payment_named",
    "payments_of",
    "write_payment",
]

_SHOWN = 50


@attrs.frozen(kw_only=True)
class PaidPart:
    """What a programme paid of a payment (empty: the account itself), and what of it came back."""

    programme: str
    amount_fen: int
    returned_fen: int = 0
    transfer: UUID = attrs.field(repr=False)

    @property
    def left_fen(self) -> int:
        """Give what was not given back."""
        return self.amount_fen - self.returned_fen


@attrs.frozen(kw_only=True)
class Payment:
    """What an account paid to a partner; ``at`` is the city's local time, ``hold`` the hold it captured.

    ``service`` names what was paid for, where whoever charged said so.
    """

    id: UUID
    number: str
    partner: str
    amount_fen: int
    hold: UUID | None
    note: str
    at: datetime
    service: str = ""
    parts: tuple[PaidPart, ...]

    @property
    def own_place(self) -> int | None:
        """Give the place of the part that the account itself paid; None where subsidies paid all of it."""
        return next((place for place, part in enumerate(self.parts) if not part.programme), None)

    @property
    def returned_fen(self) -> int:
        """Give what came back of it."""
        return sum(part.returned_fen for part in self.parts)


def write_payment(conn: Connection, paid: Payment) -> None:
    """Write down a payment and its parts."""
    row = {field.name: getattr(paid, field.name) for field in attrs.fields(Payment) if field.name != "parts"}
    conn.execute(insert(payment), row)
    parts = [
        {
            "payment": paid.id,
            "place": place,
            "programme": part.programme,
            "amount_fen": part.amount_fen,
            "returned_fen": part.returned_fen,
            "transfer": part.transfer,
        }
        for place, part in enumerate(paid.parts)
    ]
    conn.execute(insert(payment_part), parts)


def add_returned(conn: Connection, paid: Payment, place: int, amount_fen: int) -> None:
    """Note that more of one part of a payment came back."""
    mine = (payment_part.c.payment == paid.id) & (payment_part.c.place == place)
    returned_fen = paid.parts[place].returned_fen + amount_fen
    conn.execute(update(payment_part).where(mine).values(returned_fen=returned_fen))


def find_payment(conn: Connection, identity: UUID) -> Payment:
    """Give a payment with its parts; raise PaymentUnknown."""
    found = _payments(conn, select(payment).where(payment.c.id == identity))
    if not found:
        raise PaymentUnknown(id=identity)
    return found[0]


def payment_named(conn: Connection, identity: UUID) -> Payment | None:
    """Give the payment with this id, or that captured this hold, or of which this transfer paid a part."""
    of_part = select(payment_part.c.payment).where(payment_part.c.transfer == identity)
    for mine in (payment.c.id == identity, payment.c.hold == identity, payment.c.id.in_(of_part)):
        found = _payments(conn, select(payment).where(mine))
        if found:
            return found[0]
    return None


def payments_of(
    conn: Connection, *, number: str | None = None, partner: str | None = None, limit: int = _SHOWN
) -> list[Payment]:
    """Give the newest payments of an account, or to a partner, newest first."""
    query = select(payment).order_by(payment.c.at.desc(), payment.c.id.desc()).limit(limit)
    if number is not None:
        query = query.where(payment.c.number == number)
    if partner is not None:
        query = query.where(payment.c.partner == partner)
    return _payments(conn, query)


def _payments(conn: Connection, query: Any) -> list[Payment]:
    rows = conn.execute(query).all()
    parts: dict[UUID, list[Any]] = {row.id: [] for row in rows}
    for part in select_in(conn, select(payment_part), payment_part.c.payment, list(parts)):
        parts[part.payment].append(part)
    return [
        Payment(
            **row._mapping,  # noqa: SLF001 - the documented way to read a row by name
            parts=tuple(
                PaidPart(
                    programme=part.programme,
                    amount_fen=part.amount_fen,
                    returned_fen=part.returned_fen,
                    transfer=part.transfer,
                )
                for part in sorted(parts[row.id], key=lambda one: int(one.place))
            ),
        )
        for row in rows
    ]
