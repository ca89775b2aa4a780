"""Enrolments, meal pots, lessons, presences, loans."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "campus_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "campus_pupil",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("school", sa.Integer(), nullable=False),
        sa.Column("student_no", sa.String(20), nullable=False),
        sa.Column("role", sa.String(8), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("group", sa.String(16), nullable=False),
        sa.Column("asn", sa.String(20), nullable=False),
        sa.Column("guardian", sa.String(20), nullable=False, server_default=""),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("meal_fen", sa.BigInteger(), nullable=False),
        sa.Column("day_limit_fen", sa.BigInteger()),
        sa.Column("left_on", sa.Date()),
        sa.Column("left_why", sa.String(60), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_campus_pupil")),
        sa.UniqueConstraint("school", "student_no", name=op.f("uq_campus_pupil_school_student_no")),
        sa.CheckConstraint("role IN ('pupil', 'teacher')", name=op.f("ck_campus_pupil_role")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_campus_pupil_asn"), "campus_pupil", ["asn"])
    op.create_index(op.f("ix_campus_pupil_guardian"), "campus_pupil", ["guardian"])
    _pots()
    _lessons()
    op.create_table(
        "campus_loan",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pupil", sa.Integer(), nullable=False),
        sa.Column("school", sa.Integer(), nullable=False),
        sa.Column("item", sa.String(20), nullable=False),
        sa.Column("lent_at", sa.DateTime(), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("back_at", sa.DateTime()),
        sa.Column("late_fen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campus_loan")),
        sa.ForeignKeyConstraint(
            ["pupil"], ["campus_pupil.number"], name=op.f("fk_campus_loan_pupil_campus_pupil")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_campus_loan_pupil"), "campus_loan", ["pupil"])


def _pots() -> None:
    op.create_table(
        "campus_pot",
        sa.Column("asn", sa.String(20), nullable=False),
        sa.Column("pupil", sa.Integer(), nullable=False),
        sa.Column("school", sa.Integer(), nullable=False),
        sa.Column("loads", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("carrying_fen", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("loaded_fen", sa.BigInteger(), nullable=False),
        sa.Column("settled_fen", sa.BigInteger(), nullable=False),
        sa.Column("returned_fen", sa.BigInteger(), nullable=False),
        sa.Column("last_use", sa.Integer(), nullable=False),
        sa.Column("flagged", sa.Boolean(), nullable=False),
        sa.Column("given_up_on", sa.Date()),
        sa.PrimaryKeyConstraint("asn", name=op.f("pk_campus_pot")),
        sa.ForeignKeyConstraint(
            ["pupil"], ["campus_pupil.number"], name=op.f("fk_campus_pot_pupil_campus_pupil")
        ),
        sa.CheckConstraint("settled_fen + returned_fen <= loaded_fen", name=op.f("ck_campus_pot_covered")),
    )
    op.create_index(op.f("ix_campus_pot_pupil"), "campus_pot", ["pupil"])
    op.create_table(
        "campus_pot_load",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("asn", sa.String(20), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("returned_fen", sa.BigInteger(), nullable=False),
        sa.Column("returning_fen", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campus_pot_load")),
        sa.ForeignKeyConstraint(["asn"], ["campus_pot.asn"], name=op.f("fk_campus_pot_load_asn_campus_pot")),
        sa.UniqueConstraint("asn", "turn", name=op.f("uq_campus_pot_load_asn_turn")),
        sa.CheckConstraint(
            "returned_fen + returning_fen <= amount_fen", name=op.f("ck_campus_pot_load_returned")
        ),
    )
    op.create_table(
        "campus_pot_use",
        sa.Column("record", sa.String(40), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("asn", sa.String(20), nullable=False),
        sa.Column("use", sa.Integer(), nullable=False),
        sa.Column("pot_fen", sa.BigInteger(), nullable=False),
        sa.Column("spent_fen", sa.BigInteger(), nullable=False),
        sa.Column("purse_fen", sa.BigInteger(), nullable=False),
        sa.Column("school", sa.Integer(), nullable=False),
        sa.Column("partner", sa.String(32), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("why", sa.String(200), nullable=False),
        sa.Column("decided_by", sa.String(100), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("record", name=op.f("pk_campus_pot_use")),
        sa.UniqueConstraint("asn", "use", "record", name=op.f("uq_campus_pot_use_asn_use_record")),
        sa.CheckConstraint(
            "state IN ('settled', 'waiting', 'refused')", name=op.f("ck_campus_pot_use_state")
        ),
    )
    op.create_index(op.f("ix_campus_pot_use_run"), "campus_pot_use", ["run"])
    op.create_index(op.f("ix_campus_pot_use_partner"), "campus_pot_use", ["partner"])
    op.create_table(
        "campus_cleared_run",
        sa.Column("run", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("settled_fen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run", name=op.f("pk_campus_cleared_run")),
    )


def _lessons() -> None:
    op.create_table(
        "campus_lesson",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school", sa.Integer(), nullable=False),
        sa.Column("group", sa.String(16), nullable=False),
        sa.Column("weekday", sa.SmallInteger(), nullable=False),
        sa.Column("begins", sa.String(5), nullable=False),
        sa.Column("ends", sa.String(5), nullable=False),
        sa.Column("room", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(60), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campus_lesson")),
        sa.UniqueConstraint(
            "school",
            "group",
            "weekday",
            "begins",
            "first_day",
            name=op.f("uq_campus_lesson_school_group_weekday_begins_first_day"),
        ),
        sa.CheckConstraint("weekday BETWEEN 1 AND 7", name=op.f("ck_campus_lesson_weekday")),
        sqlite_autoincrement=True,
    )
    for name, moment in (("presence", "at"), ("absence", "told_at")):
        table = f"campus_{name}"
        more = (
            [sa.Column("guardian", sa.String(20), nullable=False), sa.Column("taken_back_at", sa.DateTime())]
            if name == "absence"
            else []
        )
        op.create_table(
            table,
            sa.Column("pupil", sa.Integer(), nullable=False, autoincrement=False),
            sa.Column("lesson", sa.Integer(), nullable=False, autoincrement=False),
            sa.Column("day", sa.Date(), nullable=False),
            sa.Column(moment, sa.DateTime(), nullable=False),
            *more,
            sa.PrimaryKeyConstraint("pupil", "lesson", "day", name=op.f(f"pk_{table}")),
            sa.ForeignKeyConstraint(
                ["pupil"], ["campus_pupil.number"], name=op.f(f"fk_{table}_pupil_campus_pupil")
            ),
            sa.ForeignKeyConstraint(
                ["lesson"], ["campus_lesson.id"], name=op.f(f"fk_{table}_lesson_campus_lesson")
            ),
        )


def downgrade() -> None:
    for name in (
        "loan", "absence", "presence", "lesson", "cleared_run", "pot_use", "pot_load", "pot", "pupil",
    ):  # fmt: skip
        op.drop_table(f"campus_{name}")
