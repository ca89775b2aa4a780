"""The tables of the pages: who has access, and who looked at which card.

They are migrated as a plugin's are, under the name ``access`` and with their own version table.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Column, Engine, Index, LargeBinary, MetaData, String, Table

from citycard.store import NAMING_CONVENTION, SerialNumber, UtcTime
from citycard.store.guarding import append_only

__all__ = ["MIGRATIONS", "NAME", "access_reading", "access_token", "ensure_tables", "metadata"]

NAME = "access"
MIGRATIONS = Path(__file__).parent / "migrations"

metadata = MetaData(naming_convention=NAMING_CONVENTION)

access_token = Table(
    "access_token",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("kind", String(7), nullable=False),  # token or session
    Column("parent", String(12)),  # the token that a session was opened with
    Column("digest", LargeBinary(32), nullable=False),  # SHA-256; the secret itself is nowhere
    Column("role", String(20), nullable=False),
    Column("subject", String(64), nullable=False),  # a citizen's ASN, a partner's id, or empty
    Column("label", String(100), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("revoked_at", UtcTime),
    Index("ix_access_token_parent", "parent"),
)

access_reading = Table(
    "access_reading",
    metadata,
    Column("seq", SerialNumber, primary_key=True, autoincrement=True),
    Column("at", UtcTime, nullable=False),
    Column("token", String(12), nullable=False),
    Column("role", String(20), nullable=False),
    Column("asn", String(20), nullable=False),
    Column("page", String(40), nullable=False),
    Index("ix_access_reading_asn", "asn", "at"),
)
append_only(access_reading)


def ensure_tables(engine: Engine) -> None:
    """Bring these tables up to date; harmless when they are."""
    from citycard.store.migrate import upgrade_plugin

    upgrade_plugin(engine, NAME, metadata, MIGRATIONS)
