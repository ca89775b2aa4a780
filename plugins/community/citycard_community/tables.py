"""The tables of communities: units, leases, rights, visits, passes, stays, bills and their payments.

A card is named by its number of 20 digits where somebody is looked up by it; erasing personal data blanks it.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    Uuid,
)

from citycard.kernel.data import Schema
from citycard.store import NAMING_CONVENTION, Fen, LocalTime, SerialNumber

__all__ = ["SCHEMA", "bill", "lease", "parking_pass", "payment", "right", "stay", "unit", "visit"]

tables = MetaData(naming_convention=NAMING_CONVENTION)

_ID, _ASN = String(32), String(20)


def _serial() -> Column[int]:
    return Column("id", SerialNumber, primary_key=True, autoincrement=True)


unit = Table(
    "community_unit",
    tables,
    _serial(),
    Column("community", _ID, nullable=False),
    Column("building", Integer, nullable=False),
    Column("room", String(20), nullable=False),
    Column("area", Integer, nullable=False),  # in hundredths of a square metre
    Column("owner", _ASN, nullable=False),
    Column("billed_from", Date, nullable=False),  # first day of the first month that is billed
    UniqueConstraint("community", "building", "room"),
    CheckConstraint("area > 0", name="area"),
    sqlite_autoincrement=True,
)

lease = Table(
    "community_lease",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("unit", ForeignKey(unit.c.id), nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("ended_on", Date),  # last day, when it was ended early
    CheckConstraint("ends_on >= starts_on", name="days"),
)

visit = Table(
    "community_visit",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("unit", ForeignKey(unit.c.id), nullable=False),
    Column("host", _ASN, nullable=False),
    Column("day", Date, nullable=False),
    Column("code", String(64)),  # digest of the day code, none for a visitor whose card is known
    Column("visitor", _ASN, nullable=False),  # empty until the code was used
    Column("ended", LocalTime),
)
Index("ix_community_visit_code", visit.c.code)

right = Table(
    "community_right",
    tables,
    _serial(),
    Column("asn", _ASN, nullable=False),
    Column("kind", Integer, nullable=False),
    Column("community", _ID, nullable=False),
    Column("zones", BigInteger, nullable=False),
    Column("hours", Integer, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("unit", ForeignKey(unit.c.id)),
    Column("lease", ForeignKey(lease.c.id)),
    Column("visit", ForeignKey(visit.c.id)),
    Column("revoked_at", LocalTime),
    Column("revoked_why", String(100), nullable=False),
    CheckConstraint("ends_on >= starts_on", name="days"),
    sqlite_autoincrement=True,
)
Index("ix_community_right_asn", right.c.asn)
Index("ix_community_right_ends_on", right.c.ends_on)

parking_pass = Table(
    "community_parking_pass",
    tables,
    # The key is what keeps two passes from having one space in one month.
    Column("community", _ID, primary_key=True),
    Column("car_park", Integer, primary_key=True, autoincrement=False),
    Column("space", Integer, primary_key=True, autoincrement=False),
    Column("month", Date, primary_key=True),  # its first day
    Column("sale", Uuid, nullable=False),  # the id that the buyer's client made
    Column("asn", _ASN, nullable=False),
    Column("right", ForeignKey(right.c.id)),  # none until it was paid
    Column("asked_at", LocalTime, nullable=False),
)
Index("ix_community_parking_pass_sale", parking_pass.c.sale)

stay = Table(
    "community_stay",
    tables,
    _serial(),
    Column("community", _ID, nullable=False),
    Column("car_park", Integer, nullable=False),
    Column("space", Integer, nullable=False),
    Column("asn", _ASN, nullable=False),
    Column("plate", LargeBinary),  # sealed; none when no camera read it
    Column("entered_at", LocalTime, nullable=False),
    Column("left_at", LocalTime),
    Column("amount_fen", Fen),
    sqlite_autoincrement=True,
)
# Two cars in one space are refused by this, whoever asks at the same time.
Index(
    "uq_community_stay_open",
    stay.c.community,
    stay.c.car_park,
    stay.c.space,
    unique=True,
    sqlite_where=stay.c.left_at.is_(None),
    postgresql_where=stay.c.left_at.is_(None),
)
Index("ix_community_stay_asn", stay.c.asn)

bill = Table(
    "community_bill",
    tables,
    _serial(),
    Column("unit", ForeignKey(unit.c.id), nullable=False),
    Column("month", Date, nullable=False),  # its first day
    Column("amount_fen", Fen, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("paid_fen", Fen, nullable=False),
    Column("late_parts", BigInteger, nullable=False),  # late charge in ten-thousandths of a fen
    Column("late_paid_fen", Fen, nullable=False),
    Column("accrued_on", Date, nullable=False),  # the day up to which late charge was counted
    UniqueConstraint("unit", "month"),
    CheckConstraint("paid_fen <= amount_fen", name="paid"),
    sqlite_autoincrement=True,
)

payment = Table(
    "community_payment",
    tables,
    Column("id", Uuid, primary_key=True),
    Column("bill", ForeignKey(bill.c.id), nullable=False),
    Column("asn", _ASN, nullable=False),
    Column("way", String(10), nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("late_fen", Fen, nullable=False),
    Column("state", String(10), nullable=False),
    Column("at", LocalTime, nullable=False),
    Column("terminal", String(12), nullable=False),
)
Index("ix_community_payment_bill", payment.c.bill)

SCHEMA = Schema(metadata=tables, migrations=Path(__file__).parent / "migrations")
