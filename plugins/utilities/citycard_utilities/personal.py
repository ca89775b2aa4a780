"""What utilities knows of a person, by card: hand it over, and erase it.

What was paid stays, as the books need it, without the card and the account that paid it. Bills belong to
households and come from their billers; of a name they have the first letter alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, delete, select, update

from citycard import PersonalData
from citycard_utilities.tables import collection, household, mandate, meter_credit, receipt

__all__ = ["PERSONAL"]


def _receipts(conn: Connection, asn: str) -> Iterator[dict[str, Any]]:
    for row in conn.execute(select(receipt).where(receipt.c.asn == asn).order_by(receipt.c.at)):
        yield {
            "receipt": row.id,
            "channel": row.channel,
            "biller": row.biller,
            "bill": row.bill,
            "household": row.household,
            "amount_fen": row.amount_fen,
            "at": row.at.isoformat(),
        }


def _mandates(conn: Connection, asn: str) -> Iterator[dict[str, Any]]:
    for row in conn.execute(select(mandate).where(mandate.c.asn == asn).order_by(mandate.c.made_at)):
        yield {
            "mandate": str(row.id),
            "account": row.account,
            "biller": row.biller,
            "household": row.household,
            "since": row.made_at.isoformat(),
            "until": row.ended_at.isoformat() if row.ended_at else "",
        }


def _households(conn: Connection, asn: str) -> Iterator[dict[str, Any]]:
    for row in conn.execute(select(household).where(household.c.asn == asn)):
        yield {"biller": row.biller, "household": row.number, "label": row.label}


def _credits(conn: Connection, asn: str) -> Iterator[dict[str, Any]]:
    for row in conn.execute(select(meter_credit).where(meter_credit.c.asn == asn)):
        yield {
            "record": row.record,
            "biller": row.biller,
            "meter": row.meter,
            "units": row.units,
            "amount_fen": row.amount_fen,
            "at": row.at.isoformat(),
        }


def _without_card(conn: Connection, asn: str) -> int:
    change = update(receipt).where(receipt.c.asn == asn, receipt.c.state != "pending")
    return conn.execute(change.values(asn="", account="")).rowcount


def _without_mandates(conn: Connection, asn: str) -> int:
    mine = select(mandate.c.id).where(mandate.c.asn == asn)
    conn.execute(delete(collection).where(collection.c.mandate.in_(mine)))
    return conn.execute(delete(mandate).where(mandate.c.asn == asn)).rowcount


def _without_households(conn: Connection, asn: str) -> int:
    return conn.execute(delete(household).where(household.c.asn == asn)).rowcount


def _without_buyer(conn: Connection, asn: str) -> int:
    return conn.execute(update(meter_credit).where(meter_credit.c.asn == asn).values(asn="")).rowcount


PERSONAL = (
    PersonalData(name="receipts", title="Bills paid", export=_receipts, erase=_without_card),
    PersonalData(name="mandates", title="Direct debits", export=_mandates, erase=_without_mandates),
    PersonalData(name="households", title="Households", export=_households, erase=_without_households),
    PersonalData(name="prepaid", title="Prepaid credit", export=_credits, erase=_without_buyer),
)
