"""Reserve the money of loads; add orders that are paid online, load agents and automatic top-up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "citycard_0010"
down_revision = "citycard_0009"
branch_labels = None
depends_on = None

_UTC = sa.DateTime(timezone=True)


def upgrade() -> None:
    _extend_load()
    _create_payment_order()
    _create_auto_top_up()
    _create_agents()


def _index(name: str, table: str, columns: list[str], where: str | None = None) -> None:
    given = None if where is None else sa.text(where)
    op.create_index(name, table, columns, sqlite_where=given, postgresql_where=given)


def _extend_load() -> None:
    with op.batch_alter_table("load") as load:
        load.add_column(sa.Column("money", sa.String(length=8), server_default="none", nullable=False))
        load.add_column(sa.Column("hold", sa.Uuid(), nullable=True))
        load.add_column(sa.Column("closed_on", sa.Date(), nullable=True))
        load.create_check_constraint(
            op.f("ck_load_money"), "money IN ('none', 'held', 'taken', 'returned', 'lost')"
        )
    # Nothing was reserved so far, and what was proven was posted with the proof.
    op.execute("UPDATE load SET money = 'taken' WHERE state = 'proven'")
    _index("ix_load_held", "load", ["at"], "money = 'held' AND proof = ''")
    _index("ix_load_unclosed", "load", ["agent", "at"], "state = 'proven' AND closed_on IS NULL")
    _index("ix_load_lost", "load", ["at"], "money = 'lost'")


def _create_payment_order() -> None:
    op.create_table(
        "payment_order",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("account", sa.String(length=20), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("agreement", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("pay_url", sa.String(length=300), nullable=False),
        sa.Column("transaction", sa.String(length=64), nullable=False),
        sa.Column("load", sa.Uuid(), nullable=True),
        sa.Column("trouble", sa.String(length=200), nullable=False),
        sa.Column("created_at", _UTC, nullable=False),
        sa.Column("expires_at", _UTC, nullable=False),
        sa.Column("paid_at", _UTC, nullable=True),
        sa.Column("ended_at", _UTC, nullable=True),
        sa.Column("look_at", _UTC, nullable=True),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_payment_order_amount")),
        sa.CheckConstraint(
            "state IN ('created', 'paid', 'delivered', 'refunding', 'refunded', 'closed')",
            name=op.f("ck_payment_order_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_order")),
    )
    _index("ix_payment_order_asn", "payment_order", ["asn"])
    _index("ix_payment_order_look_at", "payment_order", ["look_at"], "look_at IS NOT NULL")
    op.create_table(
        "payment_nonce",
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("seen_at", _UTC, nullable=False),
        sa.PrimaryKeyConstraint("provider", "nonce", name=op.f("pk_payment_nonce")),
    )
    _index("ix_payment_nonce_seen_at", "payment_nonce", ["seen_at"])


def _create_auto_top_up() -> None:
    op.create_table(
        "auto_top_up",
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("threshold_fen", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("daily_limit_fen", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("set_at", _UTC, nullable=False),
        sa.CheckConstraint(
            "threshold_fen > 0 AND amount_fen > 0 AND daily_limit_fen > 0",
            name=op.f("ck_auto_top_up_amounts"),
        ),
        sa.PrimaryKeyConstraint("asn", name=op.f("pk_auto_top_up")),
    )


def _create_agents() -> None:
    op.create_table(
        "load_agent",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("commission_bp", sa.Integer(), nullable=False),
        sa.Column("credit_fen", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", _UTC, nullable=False),
        sa.CheckConstraint(
            "commission_bp BETWEEN 0 AND 10000 AND credit_fen >= 0", name=op.f("ck_load_agent_terms")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_load_agent")),
    )
    op.create_table(
        "agent_day",
        sa.Column("agent", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("loads", sa.Integer(), nullable=False),
        sa.Column("late", sa.Integer(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("commission_fen", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("closed_at", _UTC, nullable=False),
        sa.ForeignKeyConstraint(["agent"], ["load_agent.id"], name=op.f("fk_agent_day_agent_load_agent")),
        sa.PrimaryKeyConstraint("agent", "day", name=op.f("pk_agent_day")),
    )


def downgrade() -> None:
    for table in ("agent_day", "load_agent", "auto_top_up", "payment_nonce", "payment_order"):
        op.drop_table(table)
    for index in ("ix_load_lost", "ix_load_unclosed", "ix_load_held"):
        op.drop_index(index, table_name="load")
    with op.batch_alter_table("load") as load:
        load.drop_constraint(op.f("ck_load_money"), type_="check")
        for column in ("closed_on", "hold", "money"):
            load.drop_column(column)
