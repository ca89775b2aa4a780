"""The tables of campus: who is enrolled, what is in meal pots, lessons, loans.

A pupil's name is sealed; what records must be found by (card, number at school, class) is not.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    Uuid,
)

from citycard.kernel.data import Schema
from citycard.store.metadata import NAMING_CONVENTION, Fen, LocalTime

__all__ = [
    "SCHEMA",
    "absence",
    "cleared_run",
    "lesson",
    "loan",
    "pot",
    "pot_load",
    "pot_use",
    "presence",
    "pupil",
]

metadata = MetaData(naming_convention=NAMING_CONVENTION)

# ``number`` stands on cards. ``asn`` is the card in use, ``guardian`` the guardian's own card.
pupil = Table(
    "campus_pupil",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("school", Integer, nullable=False),
    Column("student_no", String(20), nullable=False),
    Column("role", String(8), nullable=False),
    Column("name", LargeBinary, nullable=False),
    Column("group", String(16), nullable=False),
    Column("asn", String(20), nullable=False, index=True),
    Column("guardian", String(20), nullable=False, server_default="", index=True),
    Column("until", Date, nullable=False),
    Column("meal_fen", Fen, nullable=False),
    Column("day_limit_fen", Fen),
    Column("left_on", Date),
    Column("left_why", String(60), nullable=False, server_default=""),
    UniqueConstraint("school", "student_no"),
    CheckConstraint("role IN ('pupil', 'teacher')", name="role"),
    sqlite_autoincrement=True,
)

# The pot of one card: what was carried onto it, what cleared meals took, what went back. ``given_up_on`` is
# the day from which the card was not its pupil's any more. ``carrying_fen`` is on its way into it, by the
# payment of try number ``tries``.
pot = Table(
    "campus_pot",
    metadata,
    Column("asn", String(20), primary_key=True),
    Column("pupil", Integer, ForeignKey(pupil.c.number), nullable=False, index=True),
    Column("school", Integer, nullable=False),
    Column("loads", Integer, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("carrying_fen", Fen, nullable=False, server_default="0"),
    Column("loaded_fen", Fen, nullable=False),
    Column("settled_fen", Fen, nullable=False),
    Column("returned_fen", Fen, nullable=False),
    Column("last_use", Integer, nullable=False),
    Column("flagged", Boolean, nullable=False),
    Column("given_up_on", Date),
    CheckConstraint("settled_fen + returned_fen <= loaded_fen", name="covered"),
)

# ``id`` is that of the payment that put it there. ``returning_fen`` is on its way back, and is in the pot's
# ``returned_fen`` already.
pot_load = Table(
    "campus_pot_load",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("asn", String(20), ForeignKey(pot.c.asn), nullable=False),
    Column("turn", Integer, nullable=False),
    Column("amount_fen", Fen, nullable=False),
    Column("returned_fen", Fen, nullable=False),
    Column("returning_fen", Fen, nullable=False),
    Column("at", LocalTime, nullable=False),
    UniqueConstraint("asn", "turn"),
    CheckConstraint("returned_fen + returning_fen <= amount_fen", name="returned"),
)

# One row for each cleared meal that a pot paid for; ``use`` counts on the card.
pot_use = Table(
    "campus_pot_use",
    metadata,
    Column("record", String(40), primary_key=True),
    Column("run", Integer, nullable=False, index=True),
    Column("asn", String(20), nullable=False),
    Column("use", Integer, nullable=False),
    Column("pot_fen", Fen, nullable=False),
    Column("spent_fen", Fen, nullable=False),
    Column("purse_fen", Fen, nullable=False),
    Column("school", Integer, nullable=False),
    Column("partner", String(32), nullable=False, index=True),
    Column("at", LocalTime, nullable=False),
    Column("state", String(10), nullable=False),
    Column("why", String(200), nullable=False),
    Column("decided_by", String(100), nullable=False, server_default=""),
    UniqueConstraint("asn", "use", "record"),
    CheckConstraint("state IN ('settled', 'waiting', 'refused')", name="state"),
)

cleared_run = Table(
    "campus_cleared_run",
    metadata,
    Column("run", Integer, primary_key=True, autoincrement=False),
    Column("uses", Integer, nullable=False),
    Column("settled_fen", Fen, nullable=False),
)

lesson = Table(
    "campus_lesson",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("school", Integer, nullable=False),
    Column("group", String(16), nullable=False),
    Column("weekday", SmallInteger, nullable=False),
    Column("begins", String(5), nullable=False),
    Column("ends", String(5), nullable=False),
    Column("room", Integer, nullable=False),
    Column("title", String(60), nullable=False),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    UniqueConstraint("school", "group", "weekday", "begins", "first_day"),
    CheckConstraint("weekday BETWEEN 1 AND 7", name="weekday"),
    sqlite_autoincrement=True,
)

presence = Table(
    "campus_presence",
    metadata,
    Column("pupil", Integer, ForeignKey(pupil.c.number), primary_key=True, autoincrement=False),
    Column("lesson", Integer, ForeignKey(lesson.c.id), primary_key=True, autoincrement=False),
    Column("day", Date, primary_key=True),
    Column("at", LocalTime, nullable=False),
)

absence = Table(
    "campus_absence",
    metadata,
    Column("pupil", Integer, ForeignKey(pupil.c.number), primary_key=True, autoincrement=False),
    Column("lesson", Integer, ForeignKey(lesson.c.id), primary_key=True, autoincrement=False),
    Column("day", Date, primary_key=True),
    Column("told_at", LocalTime, nullable=False),
    Column("guardian", String(20), nullable=False),
    Column("taken_back_at", LocalTime),
)

loan = Table(
    "campus_loan",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("pupil", Integer, ForeignKey(pupil.c.number), nullable=False, index=True),
    Column("school", Integer, nullable=False),
    Column("item", String(20), nullable=False),
    Column("lent_at", LocalTime, nullable=False),
    Column("due", Date, nullable=False),
    Column("back_at", LocalTime),
    Column("late_fen", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

SCHEMA = Schema(metadata=metadata, migrations=Path(__file__).parent / "migrations")
