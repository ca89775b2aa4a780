"""Chain transfers by account, in the order of posting; add holds, reversals, limits and currencies."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from citycard.store.guarding import append_only_sql

revision = "citycard_0006"
down_revision = "citycard_0005"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("ledger", sa.Column("posted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("ledger", sa.Column("next_expiry", sa.DateTime(timezone=True), nullable=True))
    op.add_column("account", _currency())
    op.add_column("balance", _currency())
    for name in ("last_seq", "transfers"):
        op.add_column("balance", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
    for name in ("transfer", "request"):
        _put_aside(name)
    _create_transfer()
    _create_request()
    _carry_over()
    # The old tables go with their triggers, whose names the new ones take.
    op.drop_table("transfer_before")
    op.drop_table("request_before")
    _guard()
    _create_hold()
    _create_limit_use()


def _currency() -> sa.Column[str]:
    return sa.Column("currency", sa.String(length=3), server_default="CNY", nullable=False)


def _put_aside(table: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        # A renamed table would keep the names of its constraints, which are needed again.
        op.execute(f"CREATE TABLE {table}_before AS SELECT * FROM {table}")  # noqa: S608 - our own two names
        op.drop_table(table)
    else:
        op.rename_table(table, f"{table}_before")


def _guard() -> None:
    for table in ("transfer", "request"):
        for statement in append_only_sql(table, op.get_bind().dialect.name):
            op.execute(statement)


def _create_transfer() -> None:
    op.create_table(
        "transfer",
        sa.Column("posted_seq", _SERIAL, autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dr_account", sa.Uuid(), nullable=False),
        sa.Column("cr_account", sa.Uuid(), nullable=False),
        sa.Column("dr_before", sa.BigInteger(), nullable=False),
        sa.Column("cr_before", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=True),
        sa.Column("pending_id", sa.Uuid(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reverses", sa.Uuid(), nullable=True),
        sa.Column("event_time", sa.DateTime(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("ref", sa.String(length=200), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_transfer_amount")),
        sa.CheckConstraint("dr_account <> cr_account", name=op.f("ck_transfer_two_accounts")),
        sa.CheckConstraint(
            "kind IN ('single', 'pending', 'post', 'void', 'expire')", name=op.f("ck_transfer_kind")
        ),
        sa.CheckConstraint(
            "dr_before < posted_seq AND cr_before < posted_seq", name=op.f("ck_transfer_before")
        ),
        sa.PrimaryKeyConstraint("posted_seq", name=op.f("pk_transfer")),
    )
    given = sa.text("reverses IS NOT NULL")
    op.create_index(
        "ix_transfer_reverses", "transfer", ["reverses"], sqlite_where=given, postgresql_where=given
    )


def _create_request() -> None:
    op.create_table(
        "request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("result", sa.String(length=40), nullable=False),
        sa.Column("posted_seq", sa.BigInteger(), nullable=True),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(result = 'posted') = (posted_seq IS NOT NULL)", name=op.f("ck_request_posted")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request")),
        sqlite_with_rowid=False,
    )


_LEGS = """\
CREATE TEMPORARY TABLE leg_before AS SELECT posted_seq, account,
LAG(posted_seq) OVER (PARTITION BY account ORDER BY posted_seq) AS before
FROM (SELECT posted_seq, dr_account AS account FROM transfer_before
UNION ALL SELECT posted_seq, cr_account FROM transfer_before) AS leg"""

_TRANSFERS = """\
INSERT INTO transfer (posted_seq, id, dr_account, cr_account, dr_before, cr_before, amount_fen, code, kind,
group_id, event_time, business_date, ref, posted_at)
SELECT t.posted_seq, t.id, t.dr_account, t.cr_account, COALESCE(d.before, 0), COALESCE(c.before, 0),
t.amount_fen, t.code, t.kind, t.group_id, t.event_time, t.business_date, t.ref,
MAX(t.posted_at) OVER (ORDER BY t.posted_seq)
FROM transfer_before AS t
JOIN leg_before AS d ON d.posted_seq = t.posted_seq AND d.account = t.dr_account
JOIN leg_before AS c ON c.posted_seq = t.posted_seq AND c.account = t.cr_account
ORDER BY t.posted_seq"""

_REQUESTS = """\
INSERT INTO request (id, digest, result, posted_seq, first_seen)
SELECT r.id, r.digest, r.result, t.posted_seq, r.first_seen
FROM request_before AS r LEFT JOIN transfer_before AS t ON t.id = r.id"""

_BALANCES = """\
UPDATE balance SET
last_seq = (SELECT MAX(posted_seq) FROM leg_before WHERE account = balance.account_id),
transfers = (SELECT COUNT(*) FROM leg_before WHERE account = balance.account_id)
WHERE account_id IN (SELECT account FROM leg_before)"""


def _carry_over() -> None:
    op.execute(_LEGS)
    op.execute("CREATE INDEX ix_leg_before ON leg_before (account, posted_seq)")
    op.execute(_TRANSFERS)
    op.execute(_REQUESTS)
    op.execute(_BALANCES)
    op.execute("UPDATE ledger SET posted_at = (SELECT MAX(posted_at) FROM transfer)")
    op.execute("DROP TABLE leg_before")


def _create_hold() -> None:
    op.create_table(
        "hold",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("posted_seq", sa.BigInteger(), nullable=False),
        sa.Column("dr_account", sa.Uuid(), nullable=False),
        sa.Column("cr_account", sa.Uuid(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("limits", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.CheckConstraint("state IN ('pending', 'posted', 'voided', 'expired')", name=op.f("ck_hold_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
    )
    still = sa.text("state = 'pending'")
    op.create_index("ix_hold_expires_at", "hold", ["expires_at"], sqlite_where=still, postgresql_where=still)


def _create_limit_use() -> None:
    op.create_table(
        "limit_use",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("used_fen", sa.BigInteger(), nullable=False),
        sa.Column("used_count", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("used_fen >= 0 AND used_count >= 0", name=op.f("ck_limit_use_not_negative")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_limit_use")),
    )


def downgrade() -> None:
    """Go back as long as nothing was held, taken back or limited: the older tables cannot say it."""
    newer = (
        "SELECT COUNT(*) FROM transfer WHERE kind <> 'single' OR reverses IS NOT NULL",
        "SELECT COUNT(*) FROM limit_use",
        "SELECT COUNT(*) FROM account WHERE currency <> 'CNY'",
    )
    for question in newer:
        assert op.get_bind().scalar(sa.text(question)) == 0, "the older tables cannot hold this"
    op.drop_table("limit_use")
    op.drop_index("ix_hold_expires_at", table_name="hold")
    op.drop_table("hold")
    op.drop_index("ix_transfer_reverses", table_name="transfer")
    for name in ("transfer", "request"):
        _put_aside(name)
    _create_before()
    op.execute(
        "INSERT INTO transfer SELECT id, dr_account, cr_account, amount_fen, code, kind, group_id, "
        "event_time, business_date, ref, posted_seq, posted_at FROM transfer_before"
    )
    op.execute("INSERT INTO request SELECT id, digest, result, first_seen FROM request_before")
    op.drop_table("transfer_before")
    op.drop_table("request_before")
    _guard()
    for table, column in (
        ("balance", "transfers"),
        ("balance", "last_seq"),
        ("balance", "currency"),
        ("account", "currency"),
        ("ledger", "next_expiry"),
        ("ledger", "posted_at"),
    ):
        op.drop_column(table, column)


def _create_before() -> None:
    op.create_table(
        "transfer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dr_account", sa.Uuid(), nullable=False),
        sa.Column("cr_account", sa.Uuid(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=True),
        sa.Column("event_time", sa.DateTime(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("ref", sa.String(length=200), nullable=False),
        sa.Column("posted_seq", sa.BigInteger(), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_transfer_amount")),
        sa.CheckConstraint("dr_account <> cr_account", name=op.f("ck_transfer_two_accounts")),
        sa.CheckConstraint(
            "kind IN ('single', 'pending', 'post', 'void', 'expire')", name=op.f("ck_transfer_kind")
        ),
        sa.ForeignKeyConstraint(["cr_account"], ["account.id"], name=op.f("fk_transfer_cr_account_account")),
        sa.ForeignKeyConstraint(["dr_account"], ["account.id"], name=op.f("fk_transfer_dr_account_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer")),
        sa.UniqueConstraint("posted_seq", name=op.f("uq_transfer_posted_seq")),
    )
    op.create_index(op.f("ix_transfer_cr_account"), "transfer", ["cr_account"])
    op.create_index(op.f("ix_transfer_dr_account"), "transfer", ["dr_account"])
    op.create_table(
        "request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("result", sa.String(length=40), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request")),
    )
