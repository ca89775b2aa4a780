"""Say who gave up a gap, or changed a partner or another city, why and when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from citycard.store.guarding import append_only_sql

revision = "citycard_0019"
down_revision = "citycard_0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("gap", sa.Column("written_off_by", sa.String(length=100), nullable=True))
    op.add_column("gap", sa.Column("written_off_reason", sa.String(length=300), nullable=True))
    op.add_column("gap", sa.Column("written_off_at", sa.DateTime(timezone=True), nullable=True))
    _keep_changes(
        "partner",
        sa.Column("partner", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["partner"], ["partner.id"], name=op.f("fk_partner_change_partner_partner")),
    )
    _keep_changes(
        "other_city",
        sa.Column("city", sa.String(length=4), nullable=False),
        sa.ForeignKeyConstraint(
            ["city"], ["other_city.code"], name=op.f("fk_other_city_change_city_other_city")
        ),
    )


def _keep_changes(of: str, whose: sa.Column[str], there: sa.ForeignKeyConstraint) -> None:
    table, owner = f"{of}_change", whose.name
    op.create_table(
        table,
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        whose,
        sa.Column("field", sa.String(length=16), nullable=False),
        sa.Column("before", sa.String(length=100), nullable=False),
        sa.Column("after", sa.String(length=100), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        there,
        sa.PrimaryKeyConstraint("seq", name=op.f(f"pk_{table}")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f(f"ix_{table}_{owner}"), table, [owner], unique=False)
    for statement in append_only_sql(table, op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    for table, owner in (("other_city_change", "city"), ("partner_change", "partner")):
        op.drop_index(op.f(f"ix_{table}_{owner}"), table_name=table)
        op.drop_table(table)
    for column in ("written_off_at", "written_off_reason", "written_off_by"):
        op.drop_column("gap", column)
