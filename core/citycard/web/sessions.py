"""Who is asking: a bearer token, a browser's session, or nobody in particular."""

from __future__ import annotations

from starlette.requests import Request

from citycard.errors import PermissionMissing, SignInNeeded, TokenRefused
from citycard.store import reading
from citycard.web.context import Web
from citycard.web.forms import SESSION_COOKIE
from citycard.web.permissions import Actor
from citycard.web.tokens import Access, find

__all__ = ["address_of", "authenticate", "require", "token_access"]


def authenticate(web: Web, request: Request) -> Actor:
    """Find the actor of a request.

    A bearer token that is not valid is refused, and counts as a failed attempt; a session that has ended is
    merely not signed in. Raise TokenRefused or TooManyAttempts.
    """
    header = request.headers.get("authorization")
    if header is not None:
        scheme, _, secret = header.partition(" ")
        if scheme.lower() != "bearer":
            raise TokenRefused
        return _bearer(web, request, secret.strip()).actor()
    cookie = request.cookies.get(SESSION_COOKIE)
    if not cookie:
        return Actor()
    with reading(web.city.engine) as conn:
        session = find(conn, cookie, kind="session", at=web.clock.now())
    return session.actor() if session else Actor()


def token_access(web: Web, request: Request, secret: str) -> Access:
    """Find the access of a token to sign in with; an address that failed too often is not even listened to.

    Raise TokenRefused or TooManyAttempts.
    """
    web.attempts.check(address_of(request))
    return _bearer(web, request, secret)


def _bearer(web: Web, request: Request, secret: str) -> Access:
    """Find the access of a token. One that is valid passes, whatever others behind the same address try."""
    with reading(web.city.engine) as conn:
        access = find(conn, secret, kind="token", at=web.clock.now())
    if access is None:
        web.attempts.check(address_of(request))
        web.attempts.failed(address_of(request))
        raise TokenRefused
    return access


def require(actor: Actor, permission: str, owner: str | None = None) -> None:
    """Let an actor pass that has a permission (for an owner's things).

    Raise SignInNeeded when nobody is signed in, PermissionMissing when they may not.
    """
    if actor.may(permission, owner):
        return
    if not actor.signed_in:
        raise SignInNeeded(permission=permission)
    raise PermissionMissing(role=actor.role.value, permission=permission)


def address_of(request: Request) -> str:
    """Name the address a request came from, as far as the server knows it."""
    return request.client.host if request.client else "unknown"
