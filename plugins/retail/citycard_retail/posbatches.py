"""The batches of a POS: what the host has of one, and the totals by which the POS closes it (0500)."""

from __future__ import annotations

from typing import Any

import attrs
from sqlalchemy import Connection, func, select

from citycard.store import writing
from citycard.store.bulk import insert_missing
from citycard_retail.answers import APPROVED, OUT_OF_BALANCE
from citycard_retail.errors import MessageInvalid
from citycard_retail.iso import Message
from citycard_retail.market import Market
from citycard_retail.tables import message, pos_batch

__all__ = ["Totals", "open_batch", "settle", "totals_of"]

_CREDITS = ("02", "20")
_MONEY = ("0200", "0220")


@attrs.frozen(kw_only=True)
class Totals:
    """What a batch has: purchases and captures (debits of accounts), voids and refunds (credits), in fen.

    What was reversed counts in neither.
    """

    debits: int = 0
    debits_fen: int = 0
    credits: int = 0
    credits_fen: int = 0

    def fields(self) -> dict[str, str]:
        """Give them as fields 74, 76, 86, 88 and 97 (the net, C in favour of the merchant)."""
        net_fen = self.debits_fen - self.credits_fen
        return {
            "74": f"{self.credits:010d}",
            "76": f"{self.debits:010d}",
            "86": f"{self.credits_fen:016d}",
            "88": f"{self.debits_fen:016d}",
            "97": f"{'C' if net_fen >= 0 else 'D'}{abs(net_fen):016d}",
        }


def open_batch(conn: Connection, terminal: str) -> int:
    """Give the number of a POS's open batch, counted from 1."""
    last = conn.scalar(select(func.max(pos_batch.c.number)).where(pos_batch.c.terminal == terminal))
    return (last or 0) + 1


def totals_of(conn: Connection, terminal: str, number: int) -> Totals:
    """Add up what was approved in a batch and not reversed."""
    credit = message.c.processing.in_(_CREDITS)
    query = (
        select(credit, func.count(), func.sum(message.c.amount_fen))
        .where(
            message.c.terminal == terminal,
            message.c.batch == number,
            message.c.code == APPROVED,
            message.c.reversed == 0,
            message.c.kind.in_(_MONEY),
        )
        .group_by(credit)
    )
    found: dict[bool, Any] = {bool(row[0]): row for row in conn.execute(query)}
    debits, credits_ = found.get(False), found.get(True)
    return Totals(
        debits=debits[1] if debits else 0,
        debits_fen=int(debits[2]) if debits else 0,
        credits=credits_[1] if credits_ else 0,
        credits_fen=int(credits_[2]) if credits_ else 0,
    )


def settle(market: Market, terminal: str, asked: Message) -> dict[str, str]:
    """Close the batch of field 60 when its totals are those of the host; answer with the host's.

    Field 66 says 1 in balance, 2 out of balance; out of balance the batch stays open, and so it does while a
    sale of it has no answer: the POS sends that again, or reverses it. Of a batch that was closed before, its
    totals are compared again. Raise MessageInvalid for a batch that is yet to come.
    """
    number = asked.number(60)
    told = {name: asked.get(int(name)) for name in ("74", "76", "86", "88", "97")}
    with writing(market.city.engine) as conn:
        current = open_batch(conn, terminal)
        if not 1 <= number <= current:
            raise MessageInvalid(reason=f"batch {number}: {current} is open", field=60, code="12")
        totals = _closed(conn, terminal, number) if number < current else totals_of(conn, terminal, number)
        if told != totals.fields() or (number == current and _unanswered(conn, terminal, number)):
            return {"39": OUT_OF_BALANCE, "60": str(number), "66": "2", **totals.fields()}
        if number == current:
            row = {"terminal": terminal, "number": number, "closed_at": market.city.now_local()}
            insert_missing(conn, pos_batch, [row | attrs.asdict(totals)])
    return {"60": str(number), "66": "1", **totals.fields()}


def _unanswered(conn: Connection, terminal: str, number: int) -> bool:
    query = select(message.c.stan).where(
        message.c.terminal == terminal,
        message.c.batch == number,
        message.c.reply == b"",
        message.c.reversed == 0,
        message.c.kind.in_(_MONEY),
    )
    return conn.execute(query.limit(1)).one_or_none() is not None


def _closed(conn: Connection, terminal: str, number: int) -> Totals:
    names = [field.name for field in attrs.fields(Totals)]
    query = select(pos_batch).where(pos_batch.c.terminal == terminal, pos_batch.c.number == number)
    row = conn.execute(query).one()
    return Totals(**{name: getattr(row, name) for name in names})
