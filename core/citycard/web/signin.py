"""Signing in and out: a token, by link or by form, becomes a cookie that ends after twelve hours."""

from __future__ import annotations

from html import escape
from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from citycard.store import writing
from citycard.web.context import actor_of, web_of
from citycard.web.endpoints import Endpoint, endpoint
from citycard.web.forms import SESSION_COOKIE, read_form, set_cookie
from citycard.web.rendering import render, safe_next
from citycard.web.sessions import token_access
from citycard.web.tokens import open_session, revoke_secret

__all__ = ["ENDPOINTS"]


async def sign_in(request: Request) -> Response:
    """Exchange the token of a link or of the form, or show the form."""
    if request.method == "POST":
        form = await read_form(request)
        return await _exchange(request, form.get("token", "").strip(), form.get("next", "/"))
    wish = request.query_params.get("next", "/")
    secret = request.query_params.get("token")
    if secret is None:
        return render(request, "signin.html", next=safe_next(wish))
    return await _exchange(request, secret, wish)


async def sign_out(request: Request) -> Response:
    """End the session here and in the store."""
    web = web_of(request)
    cookie = request.cookies.get(SESSION_COOKIE)
    if cookie and actor_of(request).signed_in:

        def end() -> None:
            with writing(web.city.engine) as conn:
                revoke_secret(conn, cookie, at=web.clock.now())

        await run_in_threadpool(end)
    response = RedirectResponse("/", HTTPStatus.SEE_OTHER)
    response.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="strict")
    return response


async def _exchange(request: Request, secret: str, wish: str) -> Response:
    web = web_of(request)

    def opened() -> tuple[str, int]:
        access = token_access(web, request, secret)
        now = web.clock.now()
        with writing(web.city.engine) as conn:
            session, cookie = open_session(conn, access, at=now)
        return cookie, int((session.expires_at - now).total_seconds())

    cookie, lasts_s = await run_in_threadpool(opened)
    target = safe_next(wish)
    response: Response = RedirectResponse(target, HTTPStatus.SEE_OTHER)
    if request.headers.get("sec-fetch-site") == "cross-site":
        # Sent here from another site (a web mail), the browser would follow a redirect without the new
        # cookie, which is SameSite=Strict. A page of our own that goes on by itself is our own step.
        where = escape(target)
        page = f'<!doctype html><meta http-equiv="refresh" content="0;url={where}"><a href="{where}">→</a>'
        response = HTMLResponse(page)
    set_cookie(request, response, SESSION_COOKIE, cookie, max_age_s=lasts_s)
    return response


ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint(
        "/sign-in",
        sign_in,
        summary="Sign in with a token, by link or by form.",
        methods=("GET", "POST"),
        page=True,
    ),
    endpoint("/sign-out", sign_out, summary="End the session.", methods=("POST",), page=True),
)
