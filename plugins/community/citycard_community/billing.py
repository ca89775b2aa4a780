"""Bill the property fee each month, and take what is paid for it from an account or a purse, once.

A payment is written down as asked before money moves, and as done after. What is asked is kept free for it,
so that nobody pays a bill twice; a payment that broke off in between is finished by a job, or by the record
of the kiosk once it is cleared.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, delete, func, insert, select, update

from citycard.errors import Phrase
from citycard.store import publish, reading, writing
from citycard.store.engine import write_alone
from citycard_community.bills import Bill, accrued, fee_fen, paid
from citycard_community.errors import BillUnknown, PartRefused, PaymentRefused
from citycard_community.events import BillIssued, BillPaid, body_of
from citycard_community.fees import FEE
from citycard_community.onceonly import charge_once, drop_unpaid, is_paid
from citycard_community.sectors import FeeFacts
from citycard_community.services import facts_asked
from citycard_community.settings import CommunitySettings, PropertyFee
from citycard_community.tables import bill, lease, payment, right, unit
from citycard_community.units import month_of, next_month

if TYPE_CHECKING:
    from citycard.city import City

__all__ = [
    "PURSE",
    "BillPayment",
    "Owed",
    "ask_payment",
    "asked_from_purse",
    "bill_month",
    "bills_of_card",
    "drop_payment",
    "fee_facts",
    "finish_payment",
    "finish_payments",
    "open_bills",
    "pay_from_account",
]

_ASKED, _DONE = "asked", "done"
ACCOUNT, PURSE = "account", "purse"
_ACCOUNT_WAITS = dt.timedelta(hours=1)
_PURSE_WAITS = dt.timedelta(days=30)


@attrs.frozen(kw_only=True)
class BillPayment:
    """A payment for a bill by ``way`` (account or purse); ``late_fen`` of it went to the late charge."""

    id: UUID
    bill: int
    asn: str
    way: str
    amount_fen: int
    late_fen: int
    state: str
    at: dt.datetime
    terminal: str


@attrs.frozen(kw_only=True)
class Owed:
    """A bill with its unit, and what is owed of it today; what is being paid right now is taken off."""

    bill: Bill
    community: str
    building: int
    room: str
    owed_fen: int


def bill_month(city: City, settings: CommunitySettings, today: dt.date) -> int:
    """Bill every unit for each month up to this one that it was not billed for; return how many are new."""
    made = 0
    for community in settings.communities:
        with writing(city.engine) as conn:
            write_alone(conn, bill)
            units = conn.execute(select(unit).where(unit.c.community == community.id)).all()
            months = select(bill.c.unit, func.max(bill.c.month)).group_by(bill.c.unit)
            last = {row[0]: row[1] for row in conn.execute(months)}
            rows = [
                _row(one, month, community.fee, today)
                for one in units
                for month in _months(one.billed_from, last.get(one.id), today)
            ]
            made += _issued(conn, rows)
    return made


def open_bills(conn: Connection, settings: CommunitySettings, today: dt.date, community: str) -> list[Owed]:
    """Give the bills of a community of which something is owed today, the oldest first."""
    query = select(bill, unit).join(unit, unit.c.id == bill.c.unit).where(unit.c.community == community)
    owed = _owed(conn, settings, today, query.order_by(bill.c.month, bill.c.id))
    return [one for one in owed if one.bill.owed_fen]


def bills_of_card(conn: Connection, settings: CommunitySettings, today: dt.date, asn: str) -> list[Owed]:
    """Give the bills that the holder of a card sees, the newest first: as owner, or as a tenant of today.

    A tenant sees the months of the own lease.
    """
    mine = select(bill.c.id).join(unit, unit.c.id == bill.c.unit).where(unit.c.owner == asn)
    rented = (
        select(bill.c.id)
        .join(lease, lease.c.unit == bill.c.unit)
        .join(right, right.c.lease == lease.c.id)
        .where(
            right.c.asn == asn,
            lease.c.starts_on <= today,
            func.coalesce(lease.c.ended_on, lease.c.ends_on) >= today,
            bill.c.due_on >= lease.c.starts_on,
        )
    )
    query = select(bill, unit).join(unit, unit.c.id == bill.c.unit)
    query = query.where(bill.c.id.in_(mine) | bill.c.id.in_(rented))
    return _owed(conn, settings, today, query.order_by(bill.c.month.desc(), bill.c.id))


def ask_payment(
    city: City,
    settings: CommunitySettings,
    identity: UUID,
    asn: str,
    number: int,
    amount_fen: int | None,
    *,
    way: str,
    terminal: str = "",
) -> BillPayment:
    """Write down that something of a bill is about to be paid, all that is owed without an amount; once.

    Raise BillUnknown; PartRefused for a part where bills are paid whole, or for more than is owed;
    PaymentRefused when nothing is owed or the id was given to another payment.
    """
    with writing(city.engine) as conn:
        known = _find(conn, identity)
        if known is not None:
            wanted = known.amount_fen if amount_fen is None else amount_fen
            if (known.bill, known.asn, known.way, known.amount_fen) != (number, asn, way, wanted):
                raise PaymentRefused(
                    bill=number, reason=Phrase("id {id} was given to another payment", id=identity)
                )
            return known
        held, fee = _held(conn, settings, number)
        free_fen = accrued(held, fee, city.now_local().date()).owed_fen - _asked_fen(conn, number)
        wanted_fen = free_fen if amount_fen is None else amount_fen
        _check_part(number, fee, wanted_fen, free_fen)
        row: dict[str, Any] = {
            "id": identity,
            "bill": number,
            "asn": asn,
            "way": way,
            "amount_fen": wanted_fen,
            "late_fen": 0,
            "state": _ASKED,
            "at": city.now_local(),
            "terminal": terminal,
        }
        conn.execute(insert(payment).values(row))
        return BillPayment(**row)


def finish_payment(city: City, settings: CommunitySettings, identity: UUID) -> BillPayment:
    """Take note that an asked payment was made; again without harm."""
    with writing(city.engine) as conn:
        asked = _find(conn, identity)
        if asked is None:
            raise PaymentRefused(bill=0, reason=Phrase("payment {id} was never asked for", id=identity))
        held, fee = _held(conn, settings, asked.bill)
        # Whoever held the bill before may have finished it, or forgotten it.
        known = _find(conn, identity)
        if known is None:
            raise PaymentRefused(
                bill=asked.bill,
                reason=Phrase("payment {id} was forgotten: it was not made", id=identity),
            )
        if known.state == _DONE:
            return known
        after, late_fen = paid(accrued(held, fee, city.now_local().date()), known.amount_fen)
        _keep(conn, after)
        done = update(payment).where(payment.c.id == identity, payment.c.state == _ASKED)
        conn.execute(done.values(state=_DONE, late_fen=late_fen))
        body = BillPaid(
            bill=known.bill, payment=identity, amount_fen=known.amount_fen, owed_fen=after.owed_fen
        )
        publish(conn, BillPaid.NAME, [body_of(body)])
        return attrs.evolve(known, state=_DONE, late_fen=late_fen)


def drop_payment(city: City, identity: UUID) -> None:
    """Forget a payment that was asked from a purse, and not made."""
    with writing(city.engine) as conn:
        _forget(conn, identity)


def pay_from_account(
    city: City,
    settings: CommunitySettings,
    identity: UUID,
    asn: str,
    number: int,
    amount_fen: int | None = None,
    *,
    actor: str = "",
) -> BillPayment:
    """Pay a bill from the online account of a card; once for each ``identity``.

    Raise what ``ask_payment`` and ``charge_once`` raise; nothing was paid then, and another try has a new id.
    """
    asked = ask_payment(city, settings, identity, asn, number, amount_fen, way=ACCOUNT)
    if asked.state == _DONE:
        return asked
    facts = fee_facts(city, settings, asked)
    with reading(city.engine) as conn:
        community = settings.community(_community_of(conn, number))
    charge_once(
        city,
        identity,
        asn,
        service=FEE,
        drop=partial(_forget, identity=identity),
        partner=community.partner,
        list_price_fen=asked.amount_fen,
        facts=facts_asked(facts),
        note=f"property fee {number}",
        actor=actor,
    )
    return finish_payment(city, settings, identity)


def fee_facts(city: City, settings: CommunitySettings, asked: BillPayment) -> FeeFacts:
    """Give the facts of a record that pays a bill."""
    with reading(city.engine) as conn:
        community = settings.community(_community_of(conn, asked.bill))
    return FeeFacts(community=community.number, bill=asked.bill, payment=asked.id.bytes)


def finish_payments(city: City, settings: CommunitySettings, now: dt.datetime) -> int:
    """Finish or forget payments that broke off, and return how many were finished.

    One from an account is done when the wallet has it. One from a purse is done when its record was cleared;
    where none came within 30 days, later than records are taken, it was not made.
    """
    with reading(city.engine) as conn:
        rows = conn.execute(select(payment).where(payment.c.state == _ASKED)).all()
    finished = 0
    for row in rows:
        over = row.at + (_ACCOUNT_WAITS if row.way == ACCOUNT else _PURSE_WAITS) < now
        if row.way == PURSE:
            if over:
                drop_payment(city, row.id)
            continue
        paid = is_paid(city, row.id, FEE)
        if not paid and over:
            paid = not drop_unpaid(city, row.id, FEE, partial(_forget, identity=row.id))
        if paid:
            finish_payment(city, settings, row.id)
            finished += 1
    return finished


def asked_from_purse(conn: Connection) -> list[BillPayment]:
    """Give the payments at kiosks of which nobody knows yet whether they were made."""
    query = select(payment).where(payment.c.state == _ASKED, payment.c.way == PURSE)
    return [BillPayment(**row._mapping) for row in conn.execute(query)]  # noqa: SLF001 - a Row's own way


def _forget(conn: Connection, identity: UUID) -> None:
    conn.execute(delete(payment).where(payment.c.id == identity, payment.c.state == _ASKED))


def _months(first: dt.date, last: dt.date | None, today: dt.date) -> list[dt.date]:
    month, found = first if last is None else next_month(last), []
    while month <= month_of(today):
        found.append(month)
        month = next_month(month)
    return found


def _row(one: Any, month: dt.date, fee: PropertyFee, today: dt.date) -> dict[str, Any]:
    # A bill that is late itself is due no earlier than it was issued.
    due_on = max(month.replace(day=fee.due_day), today)
    return {
        "unit": one.id,
        "month": month,
        "amount_fen": fee_fen(one.area, fee.fen_per_m2),
        "due_on": due_on,
        "paid_fen": 0,
        "late_parts": 0,
        "late_paid_fen": 0,
        "accrued_on": due_on,
    }


def _issued(conn: Connection, rows: Sequence[dict[str, Any]]) -> int:
    wanted = [row for row in rows if row["amount_fen"]]
    if not wanted:
        return 0
    conn.execute(insert(bill), wanted)
    query = select(bill.c.id, bill.c.unit, bill.c.month).where(
        bill.c.month.in_({row["month"] for row in wanted})
    )
    numbers = {(row.unit, row.month): row.id for row in conn.execute(query)}
    told = [
        BillIssued(
            bill=numbers[row["unit"], row["month"]],
            **{name: row[name] for name in ("unit", "month", "amount_fen", "due_on")},
        )
        for row in wanted
    ]
    return publish(conn, BillIssued.NAME, [body_of(one) for one in told])


def _owed(conn: Connection, settings: CommunitySettings, today: dt.date, query: Any) -> list[Owed]:
    sums = select(payment.c.bill, func.sum(payment.c.amount_fen)).where(payment.c.state == _ASKED)
    asked = {row[0]: row[1] for row in conn.execute(sums.group_by(payment.c.bill))}
    found = []
    for row in conn.execute(query):
        values = row._mapping  # noqa: SLF001 - a Row's own way
        today_is = accrued(_bill(values), settings.community(values[unit.c.community]).fee, today)
        found.append(
            Owed(
                bill=today_is,
                community=values[unit.c.community],
                building=values[unit.c.building],
                room=values[unit.c.room],
                owed_fen=today_is.owed_fen - int(asked.get(today_is.id, 0)),
            )
        )
    return found


def _held(conn: Connection, settings: CommunitySettings, number: int) -> tuple[Bill, PropertyFee]:
    """Read a bill while nobody else pays it."""
    row = conn.execute(select(bill).where(bill.c.id == number).with_for_update()).one_or_none()
    if row is None:
        raise BillUnknown(bill=number)
    return _bill(row._mapping), settings.community(_community_of(conn, number)).fee  # noqa: SLF001 - a Row's own way


def _community_of(conn: Connection, number: int) -> str:
    query = select(unit.c.community).join(bill, bill.c.unit == unit.c.id).where(bill.c.id == number)
    return str(conn.scalars(query).one())


def _keep(conn: Connection, after: Bill) -> None:
    names = ("paid_fen", "late_parts", "late_paid_fen", "accrued_on")
    values = {name: getattr(after, name) for name in names}
    conn.execute(update(bill).where(bill.c.id == after.id).values(values))


def _asked_fen(conn: Connection, number: int) -> int:
    asked = (payment.c.bill == number, payment.c.state == _ASKED)
    return int(conn.scalar(select(func.coalesce(func.sum(payment.c.amount_fen), 0)).where(*asked)) or 0)


def _check_part(number: int, fee: PropertyFee, wanted_fen: int, free_fen: int) -> None:
    if free_fen <= 0:
        raise PaymentRefused(bill=number, reason="nothing is owed, or it is being paid right now")
    if wanted_fen <= 0 or wanted_fen > free_fen:
        reason = "pay at least 1 fen, and no more than is owed"
        raise PartRefused(bill=number, wanted_fen=wanted_fen, owed_fen=free_fen, reason=reason)
    if wanted_fen < free_fen and not fee.partial:
        reason = "this community takes no part of a bill"
        raise PartRefused(bill=number, wanted_fen=wanted_fen, owed_fen=free_fen, reason=reason)


def _find(conn: Connection, identity: UUID) -> BillPayment | None:
    row = conn.execute(select(payment).where(payment.c.id == identity)).one_or_none()
    return None if row is None else BillPayment(**row._mapping)  # noqa: SLF001 - a Row's own way


def _bill(values: Any) -> Bill:
    return Bill(**{field.name: values[bill.c[field.name]] for field in attrs.fields(Bill)})
