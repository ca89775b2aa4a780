"""Keep what is missing as batches come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "citycard_0021"
down_revision = "citycard_0020"
branch_labels = None
depends_on = None

_COUNTED = """
INSERT INTO clearing_counted (kind, owner, last_no)
SELECT '{kind}', {owner}, max(number) FROM {table} WHERE {accepted} GROUP BY {owner}"""

_HOLES = """
INSERT INTO clearing_hole (kind, owner, from_no, to_no)
SELECT '{kind}', owner, earlier + 1, number - 1 FROM (
  SELECT {owner} AS owner, number,
    coalesce(lag(number) OVER (PARTITION BY {owner} ORDER BY number), 0) AS earlier
  FROM {table} WHERE {accepted}
) AS numbered WHERE number > earlier + 1"""

_AWAITED = """
INSERT INTO clearing_awaited (collector, manifest, terminal, number)
SELECT line.collector, line.manifest, line.terminal, line.number FROM manifest_line AS line
LEFT JOIN batch_file AS batch
  ON batch.terminal = line.terminal AND batch.number = line.number AND batch.state = 'accepted'
WHERE batch.digest IS NULL"""


def upgrade() -> None:
    op.create_table(
        "clearing_counted",
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("owner", sa.String(length=32), nullable=False),
        sa.Column("last_no", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('terminal', 'sender')", name=op.f("ck_clearing_counted_kind")),
        sa.PrimaryKeyConstraint("kind", "owner", name=op.f("pk_clearing_counted")),
    )
    op.create_table(
        "clearing_hole",
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("owner", sa.String(length=32), nullable=False),
        sa.Column("from_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("to_no", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('terminal', 'sender')", name=op.f("ck_clearing_hole_kind")),
        sa.CheckConstraint("from_no <= to_no", name=op.f("ck_clearing_hole_order")),
        sa.PrimaryKeyConstraint("kind", "owner", "from_no", name=op.f("pk_clearing_hole")),
    )
    op.create_table(
        "clearing_awaited",
        sa.Column("collector", sa.String(length=100), nullable=False),
        sa.Column("manifest", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("terminal", sa.String(length=12), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint(
            "collector", "manifest", "terminal", "number", name=op.f("pk_clearing_awaited")
        ),
    )
    op.create_index("ix_clearing_awaited_batch", "clearing_awaited", ["terminal", "number"])
    op.create_index("ix_manifest_line_batch", "manifest_line", ["terminal", "number"])
    for kind, table, owner, accepted in (
        ("terminal", "batch_file", "terminal", "state = 'accepted'"),
        ("sender", "clearing_sent_file", "sender", "state = 'accepted' AND signed"),
    ):
        for statement in (_COUNTED, _HOLES):
            op.execute(statement.format(kind=kind, table=table, owner=owner, accepted=accepted))
    op.execute(_AWAITED)


def downgrade() -> None:
    op.drop_index("ix_manifest_line_batch", table_name="manifest_line")
    op.drop_table("clearing_awaited")
    op.drop_table("clearing_hole")
    op.drop_table("clearing_counted")
