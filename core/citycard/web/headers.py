"""What every answer carries: headers that keep a browser from doing more than the pages need."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping
from types import MappingProxyType

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["SECURITY_HEADERS", "AccessLog", "SecurityHeaders", "masked"]

SECURITY_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        # Everything comes from this server; no script at all, no inline style, nobody frames us.
        "content-security-policy": (
            "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        # A sign-in link carries a token, which must not travel to another site in a Referer. With
        # "no-referrer" browsers call the origin of our own forms "null", and the forms would be refused.
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
    }
)

_log = logging.getLogger("citycard.web.access")
_NUMBERS = re.compile(r"[0-9A-Fa-f]{8,}")


def masked(path: str) -> str:
    """Take card numbers and ids out of a path, so that a log holds no personal data."""
    return _NUMBERS.sub("…", path)


class SecurityHeaders:
    """Set the security headers on every answer; what an endpoint set itself is replaced."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers[name] = value
                # Files are asked for again and mostly answered "not modified"; everything else is not kept.
                headers.setdefault("cache-control", "no-cache" if "etag" in headers else "no-store")
            await send(message)

        await self.app(scope, receive, guarded)


class AccessLog:
    """Log one line per request: method, path without its query and numbers, status, milliseconds.

    The server's own log would write the query, and with it the token of a sign-in link.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 500

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, counted)
        finally:
            spent_ms = (time.perf_counter() - began) * 1000
            _log.info("%s %s %d %.1f ms", scope["method"], masked(scope["path"]), status, spent_ms)
