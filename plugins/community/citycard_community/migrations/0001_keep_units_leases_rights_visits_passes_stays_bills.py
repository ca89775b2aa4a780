"""Keep units, leases, rights, visits, passes, stays, bills and payments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "community_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "community_stay",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("community", sa.String(length=32), nullable=False),
        sa.Column("car_park", sa.Integer(), nullable=False),
        sa.Column("space", sa.Integer(), nullable=False),
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("plate", sa.LargeBinary(), nullable=True),
        sa.Column("entered_at", sa.DateTime(), nullable=False),
        sa.Column("left_at", sa.DateTime(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_community_stay")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_community_stay_asn", "community_stay", ["asn"], unique=False)
    op.create_index(
        "uq_community_stay_open",
        "community_stay",
        ["community", "car_park", "space"],
        unique=True,
        sqlite_where=sa.text("left_at IS NULL"),
        postgresql_where=sa.text("left_at IS NULL"),
    )
    op.create_table(
        "community_unit",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("community", sa.String(length=32), nullable=False),
        sa.Column("building", sa.Integer(), nullable=False),
        sa.Column("room", sa.String(length=20), nullable=False),
        sa.Column("area", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(length=20), nullable=False),
        sa.Column("billed_from", sa.Date(), nullable=False),
        sa.CheckConstraint("area > 0", name=op.f("ck_community_unit_area")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_community_unit")),
        sa.UniqueConstraint(
            "community", "building", "room", name=op.f("uq_community_unit_community_building_room")
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "community_bill",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("unit", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("paid_fen", sa.BigInteger(), nullable=False),
        sa.Column("late_parts", sa.BigInteger(), nullable=False),
        sa.Column("late_paid_fen", sa.BigInteger(), nullable=False),
        sa.Column("accrued_on", sa.Date(), nullable=False),
        sa.CheckConstraint("paid_fen <= amount_fen", name=op.f("ck_community_bill_paid")),
        sa.ForeignKeyConstraint(
            ["unit"], ["community_unit.id"], name=op.f("fk_community_bill_unit_community_unit")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_community_bill")),
        sa.UniqueConstraint("unit", "month", name=op.f("uq_community_bill_unit_month")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "community_lease",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("unit", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_community_lease_days")),
        sa.ForeignKeyConstraint(
            ["unit"], ["community_unit.id"], name=op.f("fk_community_lease_unit_community_unit")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_community_lease")),
    )
    op.create_table(
        "community_visit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("unit", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("host", sa.String(length=20), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("visitor", sa.String(length=20), nullable=False),
        sa.Column("ended", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["unit"], ["community_unit.id"], name=op.f("fk_community_visit_unit_community_unit")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_community_visit")),
    )
    op.create_index("ix_community_visit_code", "community_visit", ["code"], unique=False)
    op.create_table(
        "community_payment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("bill", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("way", sa.String(length=10), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("late_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("terminal", sa.String(length=12), nullable=False),
        sa.ForeignKeyConstraint(
            ["bill"], ["community_bill.id"], name=op.f("fk_community_payment_bill_community_bill")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_community_payment")),
    )
    op.create_index("ix_community_payment_bill", "community_payment", ["bill"], unique=False)
    op.create_table(
        "community_right",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("community", sa.String(length=32), nullable=False),
        sa.Column("zones", sa.BigInteger(), nullable=False),
        sa.Column("hours", sa.Integer(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("unit", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("lease", sa.Uuid(), nullable=True),
        sa.Column("visit", sa.Uuid(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(), nullable=True),
        sa.Column("revoked_why", sa.String(length=100), nullable=False),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_community_right_days")),
        sa.ForeignKeyConstraint(
            ["lease"], ["community_lease.id"], name=op.f("fk_community_right_lease_community_lease")
        ),
        sa.ForeignKeyConstraint(
            ["unit"], ["community_unit.id"], name=op.f("fk_community_right_unit_community_unit")
        ),
        sa.ForeignKeyConstraint(
            ["visit"], ["community_visit.id"], name=op.f("fk_community_right_visit_community_visit")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_community_right")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_community_right_asn", "community_right", ["asn"], unique=False)
    op.create_index("ix_community_right_ends_on", "community_right", ["ends_on"], unique=False)
    op.create_table(
        "community_parking_pass",
        sa.Column("community", sa.String(length=32), nullable=False),
        sa.Column("car_park", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("space", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("sale", sa.Uuid(), nullable=False),
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("right", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("asked_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["right"], ["community_right.id"], name=op.f("fk_community_parking_pass_right_community_right")
        ),
        sa.PrimaryKeyConstraint(
            "community", "car_park", "space", "month", name=op.f("pk_community_parking_pass")
        ),
    )
    op.create_index("ix_community_parking_pass_sale", "community_parking_pass", ["sale"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_community_parking_pass_sale", table_name="community_parking_pass")
    op.drop_table("community_parking_pass")
    op.drop_index("ix_community_right_ends_on", table_name="community_right")
    op.drop_index("ix_community_right_asn", table_name="community_right")
    op.drop_table("community_right")
    op.drop_index("ix_community_payment_bill", table_name="community_payment")
    op.drop_table("community_payment")
    op.drop_index("ix_community_visit_code", table_name="community_visit")
    op.drop_table("community_visit")
    op.drop_table("community_lease")
    op.drop_table("community_bill")
    op.drop_table("community_unit")
    op.drop_index(
        "uq_community_stay_open",
        table_name="community_stay",
        sqlite_where=sa.text("left_at IS NULL"),
        postgresql_where=sa.text("left_at IS NULL"),
    )
    op.drop_index("ix_community_stay_asn", table_name="community_stay")
    op.drop_table("community_stay")
