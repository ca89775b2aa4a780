"""Forms that only our own pages can send: a token in the form, a cookie, and the browser's word."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from citycard.errors import FormRefused, QueryInvalid
from citycard.web.bodies import read_bytes

__all__ = [
    "FORM_COOKIE",
    "SESSION_COOKIE",
    "check_form",
    "form_token",
    "keep_form_cookie",
    "read_form",
    "set_cookie",
    "whole_in",
]

SESSION_COOKIE = "citycard_session"
FORM_COOKIE = "citycard_form"
_FIELD = "csrf"
_HEADER = "x-csrf-token"
_FIELDS = 100
_WHOLE = re.compile(r"[0-9]{1,9}")


def form_token(request: Request) -> str:
    """Make the token that a form on this page must bring back; it belongs to the browser's cookie."""
    return hmac.new(_secret(request).encode(), b"citycard form", hashlib.sha256).hexdigest()


def keep_form_cookie(request: Request, response: Response) -> None:
    """Give a browser that is not signed in the cookie its form token belongs to."""
    made = getattr(request.state, "form_secret", None)
    if made:
        set_cookie(request, response, FORM_COOKIE, made, max_age_s=3600)


async def check_form(request: Request) -> None:
    """Raise FormRefused unless an unsafe request was sent by one of our own pages."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site not in {None, "same-origin", "none"}:
        raise FormRefused
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise FormRefused
    if not (request.cookies.get(SESSION_COOKIE) or request.cookies.get(FORM_COOKIE)):
        raise FormRefused
    sent = request.headers.get(_HEADER)
    if sent is None:
        sent = (await read_form(request)).get(_FIELD, "")
    if not hmac.compare_digest(sent.encode(), form_token(request).encode()):
        raise FormRefused


async def read_form(request: Request) -> dict[str, str]:
    """Read an urlencoded form into field -> last value; raise BodyTooLarge or QueryInvalid."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        return {}
    body = await read_bytes(request)
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_FIELDS))
    except ValueError as wrong:
        raise QueryInvalid(field="body", text="…", expected="an urlencoded form in UTF-8") from wrong


def whole_in(form: Mapping[str, str], field: str, expected: str = "a whole number") -> int:
    """Read the whole number in a field of a form, of nine digits at most; raise QueryInvalid."""
    text = form.get(field, "")
    if not _WHOLE.fullmatch(text):
        raise QueryInvalid(field=field, text=text[:40], expected=expected)
    return int(text)


def set_cookie(request: Request, response: Response, name: str, value: str, *, max_age_s: int) -> None:
    """Set a cookie that no script reads, no other site sends, and https never lets out in clear text."""
    response.set_cookie(
        name,
        value,
        max_age=max_age_s,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )


def _secret(request: Request) -> str:
    kept = request.cookies.get(SESSION_COOKIE) or request.cookies.get(FORM_COOKIE)
    if kept:
        return kept
    if not getattr(request.state, "form_secret", None):
        request.state.form_secret = secrets.token_urlsafe(32)
    made: str = request.state.form_secret
    return made
