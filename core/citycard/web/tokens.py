"""Access tokens and browser sessions: made here, shown once, kept as digests, expiring and revocable.

A secret reads ``ccard_<id>_<secret>`` (a token, for people and machines) or ``cview_<id>_<secret>`` (a
browser's session, opened with a token). Its id finds the row; its SHA-256 is compared in constant time.
Secrets carry 256 random bits, which needs no slow hash.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

import attrs
from sqlalchemy import Connection, RowMapping, delete, insert, or_, select, update

from citycard.errors import AccessSubjectMissing, AccessUnknown
from citycard.web.permissions import OWN, Actor, Role
from citycard.web.tables import access_token

__all__ = ["Access", "find", "grant", "listed", "open_session", "revoke", "revoke_secret"]

SESSION_HOURS = 12
_PREFIXES = {"token": "ccard", "session": "cview"}
_EXPECTED = {Role.CITIZEN: "the card's ASN, 20 digits", Role.PARTNER: "the partner's id"}
# Compared with when no row is found, so that an unknown id takes as long as a wrong secret.
_NOBODY = bytes(32)


@attrs.frozen(kw_only=True)
class Access:
    """One access: its id, role, whose things it may see (``subject``), and how long; never its secret."""

    id: str
    kind: str
    role: Role
    subject: str
    label: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    parent: str | None = None

    def actor(self) -> Actor:
        """Name the actor behind this access; a session acts for the token it was opened with."""
        return Actor(role=self.role, token=self.parent or self.id, subject=self.subject)

    def valid(self, at: datetime) -> bool:
        """Tell whether it can be used at a moment."""
        return self.revoked_at is None and at < self.expires_at


def grant(
    conn: Connection, *, role: Role, days: int, at: datetime, subject: str = "", label: str = ""
) -> tuple[Access, str]:
    """Make a token for a role and return it with its secret, which nobody can read again.

    Raise AccessSubjectMissing for a citizen or a partner without a subject.
    """
    if role in OWN and not subject:
        raise AccessSubjectMissing(role=role.value, expected=_EXPECTED[role])
    access = Access(
        id=secrets.token_hex(6),
        kind="token",
        role=role,
        subject=subject,
        label=label,
        created_at=at,
        expires_at=at + timedelta(days=days),
    )
    return access, _keep(conn, access)


def open_session(conn: Connection, parent: Access, *, at: datetime) -> tuple[Access, str]:
    """Open a browser's session with a token; it ends with the token, or after twelve hours."""
    conn.execute(delete(access_token).where(access_token.c.kind == "session", access_token.c.expires_at < at))
    session = attrs.evolve(
        parent,
        id=secrets.token_hex(6),
        kind="session",
        parent=parent.id,
        created_at=at,
        expires_at=min(parent.expires_at, at + timedelta(hours=SESSION_HOURS)),
    )
    return session, _keep(conn, session)


def find(conn: Connection, secret: str, *, kind: str, at: datetime) -> Access | None:
    """Find the valid access that belongs to a secret, or nothing; the reason is not told."""
    prefix, _, rest = secret.partition("_")
    row = conn.execute(select(access_token).where(access_token.c.id == rest[:12])).mappings().first()
    matches = hmac.compare_digest(_digest(secret), bytes(row["digest"]) if row else _NOBODY)
    if row is None or not matches or row["kind"] != kind or prefix != _PREFIXES[kind]:
        return None
    access = _access(row)
    return access if access.valid(at) else None


def revoke(conn: Connection, name: str, *, at: datetime) -> None:
    """End a token and every session opened with it, or one session; raise AccessUnknown if there is none."""
    ended = conn.execute(
        update(access_token)
        .where(or_(access_token.c.id == name, access_token.c.parent == name))
        .where(access_token.c.revoked_at.is_(None))
        .values(revoked_at=at)
    ).rowcount
    known = select(access_token.c.id).where(access_token.c.id == name)
    if not ended and conn.execute(known).first() is None:
        raise AccessUnknown(name=name)


def revoke_secret(conn: Connection, secret: str, *, at: datetime) -> None:
    """End the session that a secret belongs to, if it still runs."""
    session = find(conn, secret, kind="session", at=at)
    if session is not None:
        revoke(conn, session.id, at=at)


def listed(conn: Connection) -> list[Access]:
    """List the tokens, newest first, ended ones as well; sessions are not listed."""
    query = select(access_token).where(access_token.c.kind == "token")
    newest = access_token.c.created_at.desc(), access_token.c.id
    return [_access(row) for row in conn.execute(query.order_by(*newest)).mappings()]


def _keep(conn: Connection, access: Access) -> str:
    secret = f"{_PREFIXES[access.kind]}_{access.id}_{secrets.token_urlsafe(32)}"
    conn.execute(
        insert(access_token).values(
            attrs.asdict(access) | {"role": access.role.value, "digest": _digest(secret)}
        )
    )
    return secret


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _access(row: RowMapping) -> Access:
    fields = {name: value for name, value in row.items() if name != "digest"}
    return Access(**(fields | {"role": Role(fields["role"])}))
