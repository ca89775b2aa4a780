"""Let only files that their sender signed use a number of the sender."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "citycard_0020"
down_revision = "citycard_0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What came before has used its number, signed or not.
    op.add_column(
        "clearing_sent_file", sa.Column("signed", sa.Boolean(), server_default=sa.true(), nullable=False)
    )
    op.drop_index("uq_clearing_sent_file_accepted", table_name="clearing_sent_file")
    _index("state = 'accepted' AND signed")
    # Unsigned files are found by their number as well.
    op.create_index("ix_clearing_sent_file_sender", "clearing_sent_file", ["sender", "number"])


def _index(where: str) -> None:
    op.create_index(
        "uq_clearing_sent_file_accepted",
        "clearing_sent_file",
        ["sender", "number"],
        unique=True,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )


def downgrade() -> None:
    op.drop_index("ix_clearing_sent_file_sender", table_name="clearing_sent_file")
    op.drop_index("uq_clearing_sent_file_accepted", table_name="clearing_sent_file")
    _index("state = 'accepted'")
    op.drop_column("clearing_sent_file", "signed")
