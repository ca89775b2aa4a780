"""Add what goes between the city and its bank."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from citycard.store.guarding import append_only_sql

revision = "citycard_0007"
down_revision = "citycard_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _add_payments()
    _add_statements()
    _add_cases()
    for table in ("bank_case_step", "bank_instruction", "bank_line", "bank_match", "bank_statement"):
        for statement in append_only_sql(table, op.get_bind().dialect.name):
            op.execute(statement)


def _add_payments() -> None:
    op.create_table(
        "bank_instruction",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("request", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.String(length=35), nullable=False),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("execution_date", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("debtor_name", sa.String(length=140), nullable=False),
        sa.Column("debtor_account", sa.String(length=34), nullable=False),
        sa.Column("debtor_bic", sa.String(length=11), nullable=False),
        sa.Column("payments", sa.Integer(), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("payments > 0 AND total_fen > 0", name=op.f("ck_bank_instruction_not_empty")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_bank_instruction")),
        sa.UniqueConstraint("message_id", name=op.f("uq_bank_instruction_message_id")),
        sa.UniqueConstraint("path", name=op.f("uq_bank_instruction_path")),
        sa.UniqueConstraint("request", name=op.f("uq_bank_instruction_request")),
    )
    op.create_table(
        "bank_receipt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=35), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=True),
        sa.Column("credit", sa.String(length=200), nullable=False),
        sa.Column("standing", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("expected_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('open', 'received')", name=op.f("ck_bank_receipt_state")),
        sa.CheckConstraint("amount_fen IS NULL OR amount_fen > 0", name=op.f("ck_bank_receipt_amount")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_receipt")),
        sa.UniqueConstraint("reference", name=op.f("uq_bank_receipt_reference")),
    )
    op.create_table(
        "bank_payment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("end_to_end", sa.String(length=35), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("creditor_name", sa.String(length=140), nullable=False),
        sa.Column("creditor_account", sa.String(length=34), nullable=False),
        sa.Column("creditor_bic", sa.String(length=11), nullable=False),
        sa.Column("text", sa.String(length=140), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("transit", sa.String(length=200), nullable=False),
        sa.Column("transfer", sa.Uuid(), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("instruction", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "state IN ('ordered', 'instructed', 'settled', 'returned')", name=op.f("ck_bank_payment_state")
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_bank_payment_amount")),
        sa.ForeignKeyConstraint(
            ["instruction"],
            ["bank_instruction.number"],
            name=op.f("fk_bank_payment_instruction_bank_instruction"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_payment")),
        sa.UniqueConstraint("end_to_end", name=op.f("uq_bank_payment_end_to_end")),
        sa.UniqueConstraint("transfer", name=op.f("uq_bank_payment_transfer")),
    )
    op.create_index(op.f("ix_bank_payment_instruction"), "bank_payment", ["instruction"], unique=False)
    op.create_index(op.f("ix_bank_payment_state"), "bank_payment", ["state"], unique=False)


def _add_statements() -> None:
    op.create_table(
        "bank_statement",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account", sa.String(length=34), nullable=False),
        sa.Column("statement_id", sa.String(length=35), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.String(length=2), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=False),
        sa.Column("opening_fen", sa.BigInteger(), nullable=False),
        sa.Column("closing_fen", sa.BigInteger(), nullable=False),
        sa.Column("credit_fen", sa.BigInteger(), nullable=False),
        sa.Column("debit_fen", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("file_digest", sa.String(length=64), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "opening_fen + credit_fen - debit_fen = closing_fen", name=op.f("ck_bank_statement_adds_up")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_bank_statement")),
        sa.UniqueConstraint("account", "statement_id", name=op.f("uq_bank_statement_account_statement_id")),
    )
    op.create_index(op.f("ix_bank_statement_file_digest"), "bank_statement", ["file_digest"], unique=False)
    op.create_table(
        "bank_line",
        sa.Column("statement", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("direction", sa.String(length=4), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("reference", sa.String(length=35), nullable=False),
        sa.Column("end_to_end", sa.String(length=35), nullable=False),
        sa.Column("batch", sa.String(length=35), nullable=False),
        sa.Column("party_name", sa.String(length=140), nullable=False),
        sa.Column("party_account", sa.String(length=34), nullable=False),
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.Column("kind", sa.String(length=35), nullable=False),
        sa.Column("return_reason", sa.String(length=35), nullable=False),
        sa.CheckConstraint("direction IN ('CRDT', 'DBIT')", name=op.f("ck_bank_line_direction")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_bank_line_amount")),
        sa.ForeignKeyConstraint(
            ["statement"], ["bank_statement.number"], name=op.f("fk_bank_line_statement_bank_statement")
        ),
        sa.PrimaryKeyConstraint("statement", "position", name=op.f("pk_bank_line")),
    )
    op.create_index(op.f("ix_bank_line_end_to_end"), "bank_line", ["end_to_end"], unique=False)
    op.create_index(op.f("ix_bank_line_reference"), "bank_line", ["reference"], unique=False)
    op.create_table(
        "bank_match",
        sa.Column("statement", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("code", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("payment", sa.Uuid(), nullable=True),
        sa.Column("instruction", sa.Integer(), nullable=True),
        sa.Column("receipt", sa.Uuid(), nullable=True),
        sa.Column("matched_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('matched', 'returned', 'charge', 'exception')", name=op.f("ck_bank_match_state")
        ),
        sa.ForeignKeyConstraint(
            ["instruction"],
            ["bank_instruction.number"],
            name=op.f("fk_bank_match_instruction_bank_instruction"),
        ),
        sa.ForeignKeyConstraint(
            ["payment"], ["bank_payment.id"], name=op.f("fk_bank_match_payment_bank_payment")
        ),
        sa.ForeignKeyConstraint(
            ["receipt"], ["bank_receipt.id"], name=op.f("fk_bank_match_receipt_bank_receipt")
        ),
        sa.ForeignKeyConstraint(
            ["statement", "position"],
            ["bank_line.statement", "bank_line.position"],
            name=op.f("fk_bank_match_statement_position_bank_line"),
        ),
        sa.PrimaryKeyConstraint("statement", "position", name=op.f("pk_bank_match")),
    )
    op.create_index(op.f("ix_bank_match_payment"), "bank_match", ["payment"], unique=False)


def _add_cases() -> None:
    op.create_table(
        "bank_case",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=3), nullable=False),
        sa.Column("statement", sa.Integer(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("payment", sa.Uuid(), nullable=True),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("taken_by", sa.String(length=100), nullable=False),
        sa.Column("how", sa.String(length=10), nullable=False),
        sa.Column("resolution", sa.String(length=300), nullable=False),
        sa.CheckConstraint("(state = 'resolved') = (how <> '')", name=op.f("ck_bank_case_how")),
        sa.CheckConstraint("state IN ('open', 'taken', 'resolved')", name=op.f("ck_bank_case_state")),
        sa.CheckConstraint("(statement IS NULL) = (position IS NULL)", name=op.f("ck_bank_case_line")),
        sa.ForeignKeyConstraint(
            ["payment"], ["bank_payment.id"], name=op.f("fk_bank_case_payment_bank_payment")
        ),
        sa.ForeignKeyConstraint(
            ["statement", "position"],
            ["bank_line.statement", "bank_line.position"],
            name=op.f("fk_bank_case_statement_position_bank_line"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_case")),
        sa.UniqueConstraint("statement", "position", name=op.f("uq_bank_case_statement_position")),
    )
    op.create_index(op.f("ix_bank_case_payment"), "bank_case", ["payment"], unique=False)
    op.create_index(op.f("ix_bank_case_state"), "bank_case", ["state"], unique=False)
    op.create_table(
        "bank_case_step",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("about", sa.Uuid(), nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("detail", sa.String(length=300), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["about"], ["bank_case.id"], name=op.f("fk_bank_case_step_about_bank_case")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_bank_case_step")),
        sa.UniqueConstraint("id", name=op.f("uq_bank_case_step_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_bank_case_step_about"), "bank_case_step", ["about"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_bank_case_step_about"), table_name="bank_case_step")
    op.drop_table("bank_case_step")
    op.drop_index(op.f("ix_bank_match_payment"), table_name="bank_match")
    op.drop_table("bank_match")
    op.drop_index(op.f("ix_bank_case_state"), table_name="bank_case")
    op.drop_index(op.f("ix_bank_case_payment"), table_name="bank_case")
    op.drop_table("bank_case")
    op.drop_index(op.f("ix_bank_payment_state"), table_name="bank_payment")
    op.drop_index(op.f("ix_bank_payment_instruction"), table_name="bank_payment")
    op.drop_table("bank_payment")
    op.drop_index(op.f("ix_bank_line_reference"), table_name="bank_line")
    op.drop_index(op.f("ix_bank_line_end_to_end"), table_name="bank_line")
    op.drop_table("bank_line")
    op.drop_index(op.f("ix_bank_statement_file_digest"), table_name="bank_statement")
    op.drop_table("bank_statement")
    op.drop_table("bank_receipt")
    op.drop_table("bank_instruction")
