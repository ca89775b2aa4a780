from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.errors import AccessSubjectMissing, AccessUnknown
from citycard.store import open_store, reading, writing
from citycard.web.permissions import Actor, Role
from citycard.web.tables import access_token, ensure_tables
from citycard.web.tokens import find, grant, listed, open_session, revoke, revoke_secret

AT = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    engine = open_store(f"sqlite:///{tmp_path_factory.mktemp('access')}/access.db")
    ensure_tables(engine)
    ensure_tables(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def conn(engine):
    with writing(engine) as conn:
        yield conn


def test_a_secret_finds_its_access_until_it_expires(conn):
    access, secret = grant(conn, role=Role.AUDITOR, days=2, at=AT)
    found = [find(conn, secret, kind="token", at=AT + days * dt.timedelta(days=1)) for days in (0, 1, 2)]
    assert found == [access, access, None]


def test_the_secret_is_nowhere_in_the_store(conn):
    _, secret = grant(conn, role=Role.CLERK, days=1, at=AT, label="till 3")
    row = conn.execute(access_token.select().where(access_token.c.label == "till 3")).one()
    assert secret.rpartition("_")[2] not in str(tuple(row))


@given(st.text(max_size=80))
def test_nothing_else_finds_an_access(engine, text):
    with reading(engine) as conn:
        assert find(conn, text, kind="token", at=AT) is None


def test_a_secret_with_one_letter_changed_finds_nothing(conn):
    _, secret = grant(conn, role=Role.CLERK, days=1, at=AT)
    changed = [
        secret[:place] + ("A" if secret[place] != "A" else "B") + secret[place + 1 :]
        for place in range(len(secret))
    ]
    assert [find(conn, one, kind="token", at=AT) for one in changed] == [None] * len(secret)


@pytest.mark.parametrize("role", [Role.CITIZEN, Role.PARTNER])
def test_who_sees_only_their_own_is_granted_with_a_subject(conn, role):
    with pytest.raises(AccessSubjectMissing, match="--for"):
        grant(conn, role=role, days=1, at=AT)


def test_a_session_acts_for_its_token_and_ends_before_it(conn):
    parent, _ = grant(conn, role=Role.PARTNER, days=1, at=AT, subject="ferry")
    session, secret = open_session(conn, parent, at=AT + 20 * HOUR)
    assert session.actor() == Actor(role=Role.PARTNER, token=parent.id, subject="ferry")
    assert (session.expires_at, find(conn, secret, kind="session", at=AT + 23 * HOUR)) == (
        AT + 24 * HOUR,
        session,
    )


def test_a_session_is_no_token_and_a_token_no_session(conn):
    parent, token = grant(conn, role=Role.CLERK, days=1, at=AT)
    _, cookie = open_session(conn, parent, at=AT)
    assert find(conn, cookie, kind="token", at=AT) is find(conn, token, kind="session", at=AT) is None


def test_revoking_a_token_ends_its_sessions_at_once_and_again_without_harm(conn):
    parent, token = grant(conn, role=Role.CLERK, days=1, at=AT)
    _, cookie = open_session(conn, parent, at=AT)
    revoke(conn, parent.id, at=AT)
    revoke(conn, parent.id, at=AT + HOUR)
    assert find(conn, token, kind="token", at=AT) is find(conn, cookie, kind="session", at=AT) is None
    assert [access.revoked_at for access in listed(conn) if access.id == parent.id] == [AT]


def test_signing_out_ends_one_session_only(conn):
    parent, token = grant(conn, role=Role.CLERK, days=1, at=AT)
    _, here = open_session(conn, parent, at=AT)
    _, there = open_session(conn, parent, at=AT)
    revoke_secret(conn, here, at=AT)
    revoke_secret(conn, "cview_unknown", at=AT)
    assert find(conn, here, kind="session", at=AT) is None
    assert find(conn, there, kind="session", at=AT)
    assert find(conn, token, kind="token", at=AT)


def test_revoking_what_does_not_exist_says_so(conn):
    with pytest.raises(AccessUnknown, match="abc"):
        revoke(conn, "abc", at=AT)


def test_sessions_that_ended_are_forgotten_and_not_listed(conn):
    parent, _ = grant(conn, role=Role.CLERK, days=9, at=AT)
    old, _ = open_session(conn, parent, at=AT)
    new, _ = open_session(conn, parent, at=AT + 13 * HOUR)
    kept = set(conn.scalars(access_token.select().with_only_columns(access_token.c.id)))
    assert (old.id in kept, new.id in kept) == (False, True)
    assert {access.kind for access in listed(conn)} == {"token"}
