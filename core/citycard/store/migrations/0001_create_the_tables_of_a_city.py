# Over 400 lines because one revision makes all of these tables.
# ruff: noqa: PLR0915
"""Create the tables of a city."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from citycard.store.guarding import append_only_sql

revision = "citycard_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("side", sa.String(length=1), nullable=False),
        sa.Column("guard", sa.String(length=6), nullable=False),
        sa.Column("owner", sa.String(length=100), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("guard IN ('none', 'dr<=cr', 'cr<=dr')", name=op.f("ck_account_guard")),
        sa.CheckConstraint("side IN ('D', 'C')", name=op.f("ck_account_side")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("address", name=op.f("uq_account_address")),
    )
    op.create_index(op.f("ix_account_code"), "account", ["code"], unique=False)
    op.create_table(
        "batch_file",
        sa.Column("intake", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("code", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("terminal", sa.String(length=12), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("first_sequence", sa.BigInteger(), nullable=True),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=True),
        sa.Column("archive", sa.String(length=200), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('accepted', 'duplicate', 'quarantined')", name=op.f("ck_batch_file_state")
        ),
        sa.PrimaryKeyConstraint("intake", "position", name=op.f("pk_batch_file")),
    )
    op.create_index(op.f("ix_batch_file_digest"), "batch_file", ["digest"], unique=False)
    op.create_index(
        "uq_batch_file_accepted",
        "batch_file",
        ["terminal", "number"],
        unique=True,
        sqlite_where=sa.text("state = 'accepted'"),
        postgresql_where=sa.text("state = 'accepted'"),
    )
    op.create_table(
        "blacklist_list",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_blacklist_list")),
    )
    op.create_table(
        "clearing_clock",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("intake", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_clearing_clock_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clearing_clock")),
    )
    op.create_table(
        "clearing_run",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=6), nullable=False),
        sa.Column("from_intake", sa.Integer(), nullable=False),
        sa.Column("watermark", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rules_version", sa.String(length=64), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("report", sa.JSON(), nullable=True),
        sa.CheckConstraint("state IN ('open', 'closed')", name=op.f("ck_clearing_run_state")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_clearing_run")),
    )
    op.create_table(
        "district",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("name_zh", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_district")),
    )
    op.create_table(
        "gap",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("owner", sa.String(length=20), nullable=False),
        sa.Column("from_no", sa.BigInteger(), nullable=False),
        sa.Column("to_no", sa.BigInteger(), nullable=False),
        sa.Column("estimate_fen", sa.BigInteger(), nullable=True),
        sa.Column("opened_run", sa.Integer(), nullable=False),
        sa.Column("closed_run", sa.Integer(), nullable=True),
        sa.CheckConstraint("kind IN ('card', 'terminal')", name=op.f("ck_gap_kind")),
        sa.CheckConstraint("from_no <= to_no", name=op.f("ck_gap_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gap")),
    )
    op.create_index(op.f("ix_gap_owner"), "gap", ["owner"], unique=False)
    op.create_table(
        "holder",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("id_number_sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holder")),
    )
    op.create_table(
        "holder_read",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("holder", sa.Uuid(), nullable=False),
        sa.Column("reader", sa.String(length=100), nullable=False),
        sa.Column("purpose", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_holder_read")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_holder_read_holder"), "holder_read", ["holder"], unique=False)
    op.create_table(
        "ledger",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("scale", sa.SmallInteger(), nullable=False),
        sa.Column("posted_seq", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_ledger_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger")),
    )
    op.create_table(
        "load",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("online_atc", sa.Integer(), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("balance_before_fen", sa.BigInteger(), nullable=False),
        sa.Column("terminal", sa.String(length=12), nullable=False),
        sa.Column("agent", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("proof", sa.String(length=8), nullable=False),
        sa.Column("mac1", sa.String(length=8), nullable=False),
        sa.Column("tac", sa.String(length=8), nullable=False),
        sa.CheckConstraint("proof IN ('', 'tac', 'counter', 'terminal')", name=op.f("ck_load_proof")),
        sa.CheckConstraint("state IN ('pending', 'proven', 'reversed')", name=op.f("ck_load_state")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_load_amount")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_load")),
    )
    op.create_index("ix_load_asn", "load", ["asn", "online_atc"], unique=False)
    op.create_index(
        "uq_load_asn_counter",
        "load",
        ["asn", "online_atc"],
        unique=True,
        sqlite_where=sa.text("state != 'reversed'"),
        postgresql_where=sa.text("state != 'reversed'"),
    )
    op.create_table(
        "manifest",
        sa.Column("collector", sa.String(length=100), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("collector", "number", name=op.f("pk_manifest")),
    )
    op.create_table(
        "outbox",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("topic", sa.String(length=100), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_outbox")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_outbox_waiting",
        "outbox",
        ["seq"],
        unique=False,
        sqlite_where=sa.text("delivered_at IS NULL"),
        postgresql_where=sa.text("delivered_at IS NULL"),
    )
    op.create_table(
        "plugin_claim",
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("plugin", sa.String(length=20), nullable=False),
        sa.Column("distribution", sa.String(length=100), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name=op.f("pk_plugin_claim")),
    )
    op.create_table(
        "plugin_epoch",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_plugin_epoch_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plugin_epoch")),
    )
    op.create_table(
        "plugin_state",
        sa.Column("plugin", sa.String(length=20), nullable=False),
        sa.Column("scope", sa.String(length=8), nullable=False),
        sa.Column("scope_id", sa.String(length=40), nullable=False),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(length=100), nullable=False),
        sa.CheckConstraint("scope IN ('city', 'district', 'partner')", name=op.f("ck_plugin_state_scope")),
        sa.PrimaryKeyConstraint("plugin", "scope", "scope_id", name=op.f("pk_plugin_state")),
    )
    op.create_table(
        "product",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("title_zh", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_product")),
    )
    op.create_table(
        "request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("result", sa.String(length=40), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request")),
    )
    op.create_table(
        "segment",
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("intake", sa.Integer(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("path", name=op.f("pk_segment")),
    )
    op.create_index(op.f("ix_segment_intake"), "segment", ["intake"], unique=False)
    op.create_table(
        "balance",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("guard", sa.String(length=6), nullable=False),
        sa.Column("dr_posted_fen", sa.BigInteger(), nullable=False),
        sa.Column("cr_posted_fen", sa.BigInteger(), nullable=False),
        sa.Column("dr_pending_fen", sa.BigInteger(), nullable=False),
        sa.Column("cr_pending_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "guard <> 'cr<=dr' OR cr_posted_fen + cr_pending_fen <= dr_posted_fen",
            name=op.f("ck_balance_credits_within_debits"),
        ),
        sa.CheckConstraint(
            "guard <> 'dr<=cr' OR dr_posted_fen + dr_pending_fen <= cr_posted_fen",
            name=op.f("ck_balance_debits_within_credits"),
        ),
        sa.CheckConstraint(
            "dr_posted_fen <= 4000000000000000000 AND cr_posted_fen <= 4000000000000000000",
            name=op.f("ck_balance_not_too_large"),
        ),
        sa.CheckConstraint(
            "dr_posted_fen >= 0 AND cr_posted_fen >= 0 AND dr_pending_fen >= 0 AND cr_pending_fen >= 0",
            name=op.f("ck_balance_not_negative"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_balance_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_balance")),
    )
    op.create_table(
        "clearing_part",
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("bucket", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("outcomes", sa.String(length=200), nullable=False),
        sa.Column("cards", sa.String(length=200), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["run"], ["clearing_run.number"], name=op.f("fk_clearing_part_run_clearing_run")
        ),
        sa.PrimaryKeyConstraint("run", "bucket", name=op.f("pk_clearing_part")),
    )
    op.create_table(
        "manifest_line",
        sa.Column("collector", sa.String(length=100), nullable=False),
        sa.Column("manifest", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("terminal", sa.String(length=12), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["collector", "manifest"],
            ["manifest.collector", "manifest.number"],
            name=op.f("fk_manifest_line_collector_manifest_manifest"),
        ),
        sa.PrimaryKeyConstraint("collector", "manifest", "terminal", "number", name=op.f("pk_manifest_line")),
    )
    op.create_index(op.f("ix_manifest_line_digest"), "manifest_line", ["digest"], unique=False)
    op.create_table(
        "partner",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("account_name", sa.String(length=100), nullable=False),
        sa.Column("account_no", sa.String(length=34), nullable=False),
        sa.Column("bank_bic", sa.String(length=11), nullable=False),
        sa.Column("district", sa.String(length=64), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["district"], ["district.id"], name=op.f("fk_partner_district_district")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner")),
    )
    op.create_table(
        "product_version",
        sa.Column("product", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("layout", sa.Text(), nullable=False),
        sa.Column("created_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["product"], ["product.name"], name=op.f("fk_product_version_product_product")
        ),
        sa.PrimaryKeyConstraint("product", "version", name=op.f("pk_product_version")),
    )
    op.create_table(
        "statement",
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("partner", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("account_name", sa.String(length=200), nullable=False),
        sa.Column("account_no", sa.String(length=40), nullable=False),
        sa.Column("bank_bic", sa.String(length=11), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("gross_fen", sa.BigInteger(), nullable=False),
        sa.Column("fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("net_fen", sa.BigInteger(), nullable=False),
        sa.Column("end_to_end", sa.String(length=35), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["clearing_run.number"], name=op.f("fk_statement_run_clearing_run")),
        sa.PrimaryKeyConstraint("run", "partner", name=op.f("pk_statement")),
    )
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
        sa.CheckConstraint(
            "kind IN ('single', 'pending', 'post', 'void', 'expire')", name=op.f("ck_transfer_kind")
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_transfer_amount")),
        sa.CheckConstraint("dr_account <> cr_account", name=op.f("ck_transfer_two_accounts")),
        sa.ForeignKeyConstraint(["cr_account"], ["account.id"], name=op.f("fk_transfer_cr_account_account")),
        sa.ForeignKeyConstraint(["dr_account"], ["account.id"], name=op.f("fk_transfer_dr_account_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer")),
        sa.UniqueConstraint("posted_seq", name=op.f("uq_transfer_posted_seq")),
    )
    op.create_index(op.f("ix_transfer_cr_account"), "transfer", ["cr_account"], unique=False)
    op.create_index(op.f("ix_transfer_dr_account"), "transfer", ["dr_account"], unique=False)
    op.create_table(
        "card",
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("issuer", sa.String(length=16), nullable=False),
        sa.Column("product", sa.String(length=64), nullable=False),
        sa.Column("product_version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("holder", sa.Uuid(), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["holder"], ["holder.id"], name=op.f("fk_card_holder_holder")),
        sa.ForeignKeyConstraint(
            ["product", "product_version"],
            ["product_version.product", "product_version.version"],
            name=op.f("fk_card_product_product_version_product_version"),
        ),
        sa.PrimaryKeyConstraint("asn", name=op.f("pk_card")),
    )
    op.create_index("ix_card_holder", "card", ["holder"], unique=False)
    op.create_table(
        "place",
        sa.Column("code", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("line", sa.String(length=100), nullable=False),
        sa.Column("partner", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["partner"], ["partner.id"], name=op.f("fk_place_partner_partner")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_place")),
    )
    op.create_table(
        "blacklist",
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("added_in", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("removed_in", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["asn"], ["card.asn"], name=op.f("fk_blacklist_asn_card")),
        sa.PrimaryKeyConstraint("asn", "added_in", name=op.f("pk_blacklist")),
    )
    op.create_table(
        "card_status_change",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("asn", sa.String(length=20), nullable=False),
        sa.Column("before", sa.String(length=16), nullable=False),
        sa.Column("after", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["asn"], ["card.asn"], name=op.f("fk_card_status_change_asn_card")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_card_status_change")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_card_status_change_asn"), "card_status_change", ["asn"], unique=False)
    op.create_table(
        "entitlement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("asn", sa.String(length=20), nullable=True),
        sa.Column("holder", sa.Uuid(), nullable=True),
        sa.CheckConstraint("(asn IS NULL) <> (holder IS NULL)", name=op.f("ck_entitlement_one_subject")),
        sa.ForeignKeyConstraint(["asn"], ["card.asn"], name=op.f("fk_entitlement_asn_card")),
        sa.ForeignKeyConstraint(["holder"], ["holder.id"], name=op.f("fk_entitlement_holder_holder")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entitlement")),
    )
    op.create_index(op.f("ix_entitlement_asn"), "entitlement", ["asn"], unique=False)
    op.create_index(op.f("ix_entitlement_holder"), "entitlement", ["holder"], unique=False)
    op.create_table(
        "terminal",
        sa.Column("number", sa.String(length=12), nullable=False),
        sa.Column("partner", sa.String(length=64), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["partner"], ["partner.id"], name=op.f("fk_terminal_partner_partner")),
        sa.ForeignKeyConstraint(["place"], ["place.code"], name=op.f("fk_terminal_place_place")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_terminal")),
    )
    op.create_index(op.f("ix_terminal_partner"), "terminal", ["partner"], unique=False)
    op.create_index(op.f("ix_terminal_place"), "terminal", ["place"], unique=False)
    for table in (
        "account",
        "batch_file",
        "card_status_change",
        "clearing_part",
        "holder_read",
        "manifest",
        "manifest_line",
        "product_version",
        "request",
        "segment",
        "statement",
        "transfer",
    ):
        for statement in append_only_sql(table, op.get_bind().dialect.name):
            op.execute(statement)


def downgrade() -> None:
    op.drop_index(op.f("ix_terminal_place"), table_name="terminal")
    op.drop_index(op.f("ix_terminal_partner"), table_name="terminal")
    op.drop_table("terminal")
    op.drop_index(op.f("ix_entitlement_holder"), table_name="entitlement")
    op.drop_index(op.f("ix_entitlement_asn"), table_name="entitlement")
    op.drop_table("entitlement")
    op.drop_index(op.f("ix_card_status_change_asn"), table_name="card_status_change")
    op.drop_table("card_status_change")
    op.drop_table("blacklist")
    op.drop_table("place")
    op.drop_index("ix_card_holder", table_name="card")
    op.drop_table("card")
    op.drop_index(op.f("ix_transfer_dr_account"), table_name="transfer")
    op.drop_index(op.f("ix_transfer_cr_account"), table_name="transfer")
    op.drop_table("transfer")
    op.drop_table("statement")
    op.drop_table("product_version")
    op.drop_table("partner")
    op.drop_index(op.f("ix_manifest_line_digest"), table_name="manifest_line")
    op.drop_table("manifest_line")
    op.drop_table("clearing_part")
    op.drop_table("balance")
    op.drop_index(op.f("ix_segment_intake"), table_name="segment")
    op.drop_table("segment")
    op.drop_table("request")
    op.drop_table("product")
    op.drop_table("plugin_state")
    op.drop_table("plugin_epoch")
    op.drop_table("plugin_claim")
    op.drop_index(
        "ix_outbox_waiting",
        table_name="outbox",
        sqlite_where=sa.text("delivered_at IS NULL"),
        postgresql_where=sa.text("delivered_at IS NULL"),
    )
    op.drop_table("outbox")
    op.drop_table("manifest")
    op.drop_index(
        "uq_load_asn_counter",
        table_name="load",
        sqlite_where=sa.text("state != 'reversed'"),
        postgresql_where=sa.text("state != 'reversed'"),
    )
    op.drop_index("ix_load_asn", table_name="load")
    op.drop_table("load")
    op.drop_table("ledger")
    op.drop_index(op.f("ix_holder_read_holder"), table_name="holder_read")
    op.drop_table("holder_read")
    op.drop_table("holder")
    op.drop_index(op.f("ix_gap_owner"), table_name="gap")
    op.drop_table("gap")
    op.drop_table("district")
    op.drop_table("clearing_run")
    op.drop_table("clearing_clock")
    op.drop_table("blacklist_list")
    op.drop_index(
        "uq_batch_file_accepted",
        table_name="batch_file",
        sqlite_where=sa.text("state = 'accepted'"),
        postgresql_where=sa.text("state = 'accepted'"),
    )
    op.drop_index(op.f("ix_batch_file_digest"), table_name="batch_file")
    op.drop_table("batch_file")
    op.drop_index(op.f("ix_account_code"), table_name="account")
    op.drop_table("account")
