from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError

from citycard.store import reading, writing
from citycard.store.migrate import downgrade_plugin, drift
from citycard.store.schema import plugin_owner
from citycard.web.permissions import Actor, Role
from citycard.web.readings import readings, record_reading
from citycard.web.tables import MIGRATIONS, NAME, access_reading, ensure_tables, metadata
from citycard.web.tokens import find, grant, open_session

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.fixture
def engine(store):
    """SQLite, and PostgreSQL where it is installed."""
    ensure_tables(store)
    return store


def test_the_migrations_make_the_tables_that_are_declared(engine):
    with reading(engine) as conn:
        assert drift(conn, plugin_owner(NAME, metadata, MIGRATIONS)) == []


def test_the_migrations_go_back(engine):
    downgrade_plugin(engine, NAME, metadata, MIGRATIONS)
    ensure_tables(engine)


def test_tokens_and_sessions_work_on_both_databases(engine):
    with writing(engine) as conn:
        access, secret = grant(conn, role=Role.CLERK, days=1, at=AT)
        _, cookie = open_session(conn, access, at=AT)
    with reading(engine) as conn:
        assert find(conn, secret, kind="token", at=AT) == access
        assert find(conn, cookie, kind="session", at=AT).parent == access.id


def test_looks_at_a_card_are_listed_newest_first(engine):
    actor = Actor(role=Role.CLERK, token="t1")
    with writing(engine) as conn:
        for page in ("card", "record"):
            record_reading(conn, actor, asn="1" * 20, page=page, at=AT)
        found = readings(conn, "1" * 20)
        assert readings(conn, "2" * 20) == []
    assert [(one.page, one.role, one.token, one.at) for one in found] == [
        ("record", Role.CLERK, "t1", AT),
        ("card", Role.CLERK, "t1", AT),
    ]


@pytest.mark.parametrize("change", [update(access_reading).values(role="nobody"), delete(access_reading)])
def test_nobody_can_change_who_looked(engine, change):
    with writing(engine) as conn:
        record_reading(conn, Actor(role=Role.CLERK, token="t1"), asn="1" * 20, page="card", at=AT)
    with pytest.raises(DBAPIError, match="append-only"), writing(engine) as conn:
        conn.execute(change)
