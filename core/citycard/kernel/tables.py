"""What the kernel remembers in the city's database: wishes, sticky claims, switchings, and runs of jobs."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, String, Table

from citycard.store.metadata import UtcTime, metadata

__all__ = ["job_run", "plugin_claim", "plugin_epoch", "plugin_state"]

plugin_state = Table(
    "plugin_state",
    metadata,
    Column("plugin", String(20), primary_key=True),
    Column("scope", String(8), primary_key=True),
    # Empty for the city itself, else the id of the district or the partner.
    Column("scope_id", String(40), primary_key=True),
    Column("wanted", Boolean, nullable=False),
    Column("changed_at", UtcTime, nullable=False),
    Column("changed_by", String(100), nullable=False),
    CheckConstraint("scope IN ('city', 'district', 'partner')", name="scope"),
)

# A claim in here outlives the plugin: cards in pockets and rows in ledgers still carry what was claimed.
plugin_claim = Table(
    "plugin_claim",
    metadata,
    Column("kind", String(20), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("plugin", String(20), nullable=False),
    Column("distribution", String(100), nullable=False),
    Column("version", String(40), nullable=False),
    Column("claimed_at", UtcTime, nullable=False),
)

# One row. Whoever changes plugin_state adds one; servers compare it with the number they last acted on.
plugin_epoch = Table(
    "plugin_epoch",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("epoch", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)

# One row for each job, about its last run. While it runs, whoever runs it moves leased_until ahead.
job_run = Table(
    "job_run",
    metadata,
    Column("job", String(100), primary_key=True),
    Column("started_at", UtcTime),
    Column("leased_until", UtcTime),
    Column("finished_at", UtcTime),
    Column("outcome", String(400), nullable=False),
)
