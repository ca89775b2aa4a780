"""Let only files that their sender signed use a number of the sender."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from citycard.errors import MigrationRefused

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
    """Go back as long as no number has several accepted files: the older tables hold one of each."""
    several = (
        "SELECT sender, number FROM clearing_sent_file WHERE state = 'accepted' "
        "GROUP BY sender, number HAVING count(*) > 1 ORDER BY sender, number LIMIT 1"
    )
    found = op.get_bind().execute(sa.text(several)).first()
    if found is not None:
        reason = f"sender {found.sender} has several accepted files under number {found.number}"
        advice = "the older tables hold one: stay with this version, or restore a backup from before"
        raise MigrationRefused(owner="citycard", reason=f"{reason}, and {advice}")
    op.drop_index("ix_clearing_sent_file_sender", table_name="clearing_sent_file")
    op.drop_index("uq_clearing_sent_file_accepted", table_name="clearing_sent_file")
    _index("state = 'accepted'")
    op.drop_column("clearing_sent_file", "signed")
