"""Find bills, and say what they cost now: by household, by number, of what a citizen looks after."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import attrs
from sqlalchemy import Connection, func, select

from citycard.store import reading
from citycard_utilities.credits import credit_fen
from citycard_utilities.errors import BillUnknown
from citycard_utilities.receipts import OPEN, WITHDRAWN
from citycard_utilities.rules import late_fen
from citycard_utilities.settings import UtilitySettings
from citycard_utilities.tables import bill

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["BillTotal", "BillView", "HouseholdBills", "bill_of", "bill_totals", "bills_of", "views"]

_SHOWN = 200


@attrs.frozen(kw_only=True)
class BillView:
    """A bill as people see it: the holder's name masked; ``to_pay_fen`` is what it costs today.

    ``minor`` is the amount in hundredths of ``currency``, ``late_fen`` what is added for being late.
    """

    biller: str
    kind: str
    bill: str
    household: str
    holder: str
    period: str
    amount_fen: int
    currency: str
    minor: int
    settled_fen: int
    late_fen: int
    to_pay_fen: int
    due: dt.date
    state: str
    revision: int


@attrs.frozen(kw_only=True)
class HouseholdBills:
    """The bills of a household at a biller, open ones first, and what it has over."""

    biller: str
    household: str
    credit_fen: int
    to_pay_fen: int
    bills: tuple[BillView, ...]


@attrs.frozen(kw_only=True)
class BillTotal:
    """How many bills of a biller are in a state, with their amounts and what is settled of them."""

    biller: str
    state: str
    bills: int
    amount_fen: int
    settled_fen: int


def bills_of(
    city: City, settings: UtilitySettings, biller: str, household: str, *, open_only: bool = False
) -> HouseholdBills:
    """Give the bills of a household at a biller; one that has none gets an empty answer."""
    settings.biller(biller)
    query = select(bill).where(bill.c.biller == biller, bill.c.household == household)
    if open_only:
        query = query.where(bill.c.state == OPEN)
    with reading(city.engine) as conn:
        rows = conn.execute(query.order_by(bill.c.due.desc(), bill.c.number).limit(_SHOWN)).all()
        over = credit_fen(conn, biller, household)
    found = views(settings, rows, city.now_local().date())
    found.sort(key=lambda one: (one.state != OPEN, one.due))
    return HouseholdBills(
        biller=biller,
        household=household,
        credit_fen=over,
        to_pay_fen=sum(one.to_pay_fen for one in found),
        bills=tuple(found),
    )


def bill_of(conn: Connection, settings: UtilitySettings, biller: str, number: str, on: dt.date) -> BillView:
    """Give one bill; raise BillerUnknown or BillUnknown."""
    settings.biller(biller)
    row = conn.execute(select(bill).where(bill.c.biller == biller, bill.c.number == number)).one_or_none()
    if row is None:
        raise BillUnknown(biller=biller, bill=number[:40])
    return views(settings, [row], on)[0]


def bill_totals(conn: Connection) -> list[BillTotal]:
    """Sum all bills by biller and state."""
    query = select(
        bill.c.biller,
        bill.c.state,
        func.count(),
        func.sum(bill.c.amount_fen),
        func.sum(bill.c.settled_fen),
    ).group_by(bill.c.biller, bill.c.state)
    return [
        BillTotal(
            biller=biller, state=state, bills=count, amount_fen=int(amount_fen), settled_fen=int(settled_fen)
        )
        for biller, state, count, amount_fen, settled_fen in conn.execute(
            query.order_by(bill.c.biller, bill.c.state)
        )
    ]


def views(settings: UtilitySettings, rows: Iterable[Any], on: dt.date) -> list[BillView]:
    """Make of rows what people see of bills on a day; those of a biller that is gone from the settings go."""
    kinds = {biller.id: biller.kind for biller in settings.billers}
    return [_view(settings, row, kinds[row.biller], on) for row in rows if row.biller in kinds]


def _view(settings: UtilitySettings, row: Any, kind: str, on: dt.date) -> BillView:
    rest_fen = 0 if row.state == WITHDRAWN else row.amount_fen - row.settled_fen
    late = late_fen(settings, kind, rest_fen, row.due, on)
    return BillView(
        biller=row.biller,
        kind=kind,
        bill=row.number,
        household=row.household,
        holder=row.holder,
        period=row.period,
        amount_fen=row.amount_fen,
        currency=row.currency,
        minor=row.minor,
        settled_fen=row.settled_fen,
        late_fen=late,
        to_pay_fen=rest_fen + late,
        due=row.due,
        state=row.state,
        revision=row.revision,
    )
