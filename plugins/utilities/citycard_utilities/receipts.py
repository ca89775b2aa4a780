"""What money that came in for a bill does: it pays the late fee, then the bill; the rest is too much.

``divide`` is pure. ``take`` writes many receipts at once, in the caller's transaction; each once by its id.
What is too much is kept for the household's next bill or goes back, as its biller wants it; money for a bill
that nobody knows stays open until a person says what to do with it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, bindparam, select, tuple_, update

from citycard import derived_id
from citycard.store import publish
from citycard.store.bulk import insert_all, select_in
from citycard_utilities.events import BILL_PAID, MONEY_WAITS
from citycard_utilities.rules import late_fen
from citycard_utilities.settings import Biller, UtilitySettings
from citycard_utilities.tables import bill, credit, receipt, returned

__all__ = [
    "ACCOUNT",
    "CARD",
    "DONE",
    "MANDATE",
    "OPEN",
    "PAID",
    "PENDING",
    "REFUSED",
    "UNMATCHED",
    "WITHDRAWN",
    "Divided",
    "Money",
    "Standing",
    "Taken",
    "divide",
    "return_id",
    "return_row",
    "settle_bills",
    "standings",
    "take",
    "tell",
]

CARD, ACCOUNT, MANDATE = "card", "account", "mandate"
PENDING, DONE, REFUSED, UNMATCHED = "pending", "done", "refused", "open"
OPEN, PAID, WITHDRAWN = "open", "paid", "withdrawn"

_RECEIPT = tuple(column.name for column in receipt.c)


@attrs.frozen(kw_only=True)
class Money:
    """Money that came in: the id of its record or payment, from whom, for which bill, at what local time."""

    id: str
    channel: str
    biller: str
    bill: str
    household: str
    asn: str
    account: str = ""
    amount_fen: int
    fee_fen: int = 0
    at: dt.datetime
    run: int | None = None


@attrs.define(kw_only=True)
class Standing:
    """Where a bill stands while money is taken in: what of its amount is settled."""

    biller: str
    number: str
    household: str
    amount_fen: int
    settled_fen: int
    due: dt.date
    state: str
    kind: str

    @property
    def rest_fen(self) -> int:
        """Give what is to be paid of its amount; nothing of one that was withdrawn."""
        return 0 if self.state == WITHDRAWN else self.amount_fen - self.settled_fen

    def settle(self, amount_fen: int) -> None:
        """Note that more of it was paid, or with a negative amount, less; say whether it is paid."""
        self.settled_fen += amount_fen
        if self.state != WITHDRAWN:
            self.state = PAID if self.settled_fen >= self.amount_fen else OPEN


@attrs.frozen(kw_only=True)
class Divided:
    """What money does: ``late_fen`` and ``principal_fen`` pay the bill, ``surplus_fen`` is too much."""

    late_fen: int
    principal_fen: int
    surplus_fen: int


@attrs.frozen(kw_only=True)
class Taken:
    """What came of money that was taken in: receipts that are new, and what of it was too much or unknown."""

    receipts: int
    amount_fen: int
    surplus_fen: int
    unmatched: int


def divide(amount_fen: int, rest_fen: int, late_fee_fen: int) -> Divided:
    """Divide an amount: the late fee of what is to be paid comes first, then that; the rest is surplus."""
    late = min(amount_fen, late_fee_fen if rest_fen else 0)
    principal = min(amount_fen - late, rest_fen)
    return Divided(late_fen=late, principal_fen=principal, surplus_fen=amount_fen - late - principal)


def standings(
    conn: Connection, billers: Iterable[Biller], keys: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], Standing]:
    """Give where bills stand, by biller and number, and hold them until the transaction ends."""
    wanted = sorted(set(keys))
    kinds = {biller.id: biller.kind for biller in billers}
    names = ("biller", "number", "household", "amount_fen", "settled_fen", "due", "state")
    query = select(*(bill.c[name] for name in names)).with_for_update()
    return {
        (row.biller, row.number): Standing(**row._asdict(), kind=kinds.get(row.biller, ""))
        for row in select_in(conn, query, tuple_(bill.c.biller, bill.c.number), wanted)
    }


def settle_bills(conn: Connection, changed: Iterable[Standing]) -> None:
    """Write down where bills stand now."""
    rows = [
        {"a": one.biller, "b": one.number, "settled": one.settled_fen, "now": one.state} for one in changed
    ]
    if rows:
        change = update(bill).where(bill.c.biller == bindparam("a"), bill.c.number == bindparam("b"))
        conn.execute(change.values(settled_fen=bindparam("settled"), state=bindparam("now")), rows)


def return_id(receipt_id: str, cause: str) -> UUID:
    """Give the id of the return of what was too much of a receipt."""
    return derived_id("utilities", "return", receipt_id, cause)


def return_row(
    identity: UUID,
    receipt_id: str,
    of: tuple[str, str],
    amount_fen: int,
    *,
    cause: str,
    reason: str,
    at: dt.datetime,
    approved_by: str = "rule",
    actor: str = "utilities",
    state: str = PENDING,
) -> dict[str, Any]:
    """Make the row of money that goes back; ``of`` is the biller and the number of the bill."""
    return {
        "id": identity,
        "receipt": receipt_id,
        "biller": of[0],
        "bill": of[1],
        "amount_fen": amount_fen,
        "cause": cause,
        "reason": reason,
        "approved_by": approved_by,
        "actor": actor,
        "state": state,
        "told": "",
        "at": at,
    }


def take(conn: Connection, settings: UtilitySettings, moneys: Sequence[Money]) -> Taken:
    """Take in money, earliest first; what is known by its id already is left alone."""
    ids = [one.id for one in moneys]
    known = {row.id for row in select_in(conn, select(receipt.c.id), receipt.c.id, ids)}
    new = sorted((one for one in moneys if one.id not in known), key=lambda one: (one.at, one.id))
    bills = standings(conn, settings.billers, [(one.biller, one.bill) for one in new])
    rows = [_row(settings, one, bills.get((one.biller, one.bill))) for one in new]
    insert_all(conn, receipt, _RECEIPT, ([row[name] for name in _RECEIPT] for row in rows))
    settle_bills(conn, bills.values())
    _keep_surplus(conn, rows)
    tell(conn, rows)
    return Taken(
        receipts=len(rows),
        amount_fen=sum(row["amount_fen"] for row in rows),
        surplus_fen=sum(row["credited_fen"] + row["returned_fen"] for row in rows),
        unmatched=sum(row["state"] == UNMATCHED for row in rows),
    )


def _row(settings: UtilitySettings, money: Money, known: Standing | None) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": money.id,
        "channel": money.channel,
        "biller": money.biller,
        "bill": money.bill,
        "household": money.household,
        "asn": money.asn,
        "account": money.account,
        "amount_fen": money.amount_fen,
        "applied_fen": 0,
        "late_fen": 0,
        "credited_fen": 0,
        "returned_fen": 0,
        "open_fen": 0,
        "fee_fen": money.fee_fen,
        "state": DONE,
        "at": money.at,
        "run": money.run,
        "reason": "",
    }
    if known is None:
        return row | {"state": UNMATCHED, "open_fen": money.amount_fen, "reason": "no such bill"}
    late = late_fen(settings, known.kind, known.rest_fen, known.due, money.at.date())
    parts = divide(money.amount_fen, known.rest_fen, late)
    known.settle(parts.principal_fen)
    row["household"] = known.household
    row["applied_fen"], row["late_fen"] = parts.principal_fen + parts.late_fen, parts.late_fen
    if parts.surplus_fen:
        back = settings.biller(money.biller).surplus == "give-back" or money.channel != CARD
        row["returned_fen" if back else "credited_fen"] = parts.surplus_fen
        row["reason"] = "paid twice" if not parts.principal_fen else "more than was owed"
    return row


def _keep_surplus(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    credits_ = [
        (
            derived_id("utilities", "credit", row["id"]),
            row["id"],
            row["biller"],
            row["household"],
            row["credited_fen"],
            row["credited_fen"],
            row["at"],
        )
        for row in rows
        if row["credited_fen"]
    ]
    insert_all(conn, credit, [column.name for column in credit.c], credits_)
    backs = [
        return_row(
            return_id(row["id"], "double"),
            row["id"],
            (row["biller"], row["bill"]),
            row["returned_fen"],
            cause="double",
            reason=row["reason"],
            at=row["at"],
        )
        for row in rows
        if row["returned_fen"]
    ]
    names = [column.name for column in returned.c]
    insert_all(conn, returned, names, ([back[name] for name in names] for back in backs))


def tell(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Tell of each deduction at once: what it was for, and what of it was too much; rows of receipts."""
    paid, waits = [], []
    for row in rows:
        body = {
            "receipt": row["id"],
            "channel": row["channel"],
            "biller": row["biller"],
            "bill": row["bill"],
            "asn": row["asn"],
            "amount_fen": row["amount_fen"],
        }
        if row["state"] == UNMATCHED:
            waits.append(body)
        else:
            too_much = row["credited_fen"] + row["returned_fen"]
            paid.append(body | {"late_fen": row["late_fen"], "too_much_fen": too_much})
    publish(conn, BILL_PAID, paid)
    publish(conn, MONEY_WAITS, waits)
