"""The sandbox's endpoints: the merchant's, signed in both directions; the citizen's; and those for trying."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from citycard.clock import Clock, SystemClock
from citycard.errors import NotificationRefused
from citycard.provider.sandbox.books import Books, Fault
from citycard.provider.sandbox.keys import MERCHANT, PROVIDER_KEY, SandboxKeys
from citycard.provider.sandbox.notifying import Notifier
from citycard.provider.signing import Seal, Signer, Verifier, read_private_key

__all__ = ["sandbox_app"]

_OK, _WRONG, _UNSIGNED, _UNKNOWN, _REFUSED = 200, 400, 401, 404, 409
_ACTS = frozenset({"create", "query", "close", "refund", "notify"})
_WHAT = frozenset({"lose-answer", "late-answer", "refuse", "twice", "late", "never"})
_Answer = tuple[int, dict[str, Any]]


class _Cut(Response):
    """Begin an answer and break it off: the work was done, and nobody hears of it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": _OK, "headers": [(b"content-length", b"9999")]})
        await send({"type": "http.response.body", "body": b"{", "more_body": False})


class _Sandbox:
    def __init__(self, books: Books, keys: SandboxKeys, clock: Clock, address: Callable[[], str]) -> None:
        self.books = books
        self._clock = clock
        self._address = address
        self._signer = Signer(PROVIDER_KEY, read_private_key(keys.provider))
        self._verifier = Verifier(MERCHANT, read_private_key(keys.merchant).public_key())
        self.notifier = Notifier(books, self._signer, clock)

    # ── the merchant ─────────────────────────────────────────────────────────────────────────────

    def merchant(self, act: str, work: Callable[..., _Answer]) -> Callable[[Request], Awaitable[Response]]:
        """Put an act behind the check of its signature; its answer is signed, or goes wrong as planned."""

        async def endpoint(request: Request) -> Response:
            body = await request.body()
            path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            now = self._clock.now()
            try:
                seal = Seal.read(request.headers)
                self._verifier.check(request.method, path, body, seal, now=now)
            except NotificationRefused as refused:
                return JSONResponse({"message": str(refused)}, _UNSIGNED)
            if not await run_in_threadpool(self.books.first_time, seal.nonce):
                return JSONResponse({"message": "this request was sent before"}, _UNSIGNED)
            fault = await run_in_threadpool(self.books.next_fault, act)
            status, content = _REFUSED, {"message": "the sandbox was told to refuse this"}
            if fault is None or fault.what != "refuse":
                status, content = await run_in_threadpool(_done, work, request.path_params, body)
            if fault is not None and fault.what == "late-answer":
                await asyncio.sleep(fault.seconds)
            if fault is not None and fault.what == "lose-answer":
                return _Cut()
            answer = json.dumps(content).encode()
            back = self._signer.seal(request.method, path, answer, nonce=seal.nonce, now=self._clock.now())
            headers = {"content-type": "application/json"} | back.headers
            return Response(answer, status, headers)

        return endpoint

    def create(self, _: Mapping[str, str], content: Mapping[str, Any]) -> _Answer:
        wanted = {
            "number": str(content["number"]),
            "amount_fen": int(content["amount_fen"]),
            "description": str(content["description"])[:200],
            "notify_url": str(content["notify_url"]),
            "expires_at": datetime.fromisoformat(content["expires_at"]),
        }
        agreement = str(content.get("agreement", ""))
        made = self.books.create(wanted, now=self._clock.now(), agreement=agreement)
        if made is None:
            return _REFUSED, {"message": "another order has this number, or nobody agreed to pay it"}
        return _OK, self.report(made)

    def query(self, path: Mapping[str, str], _: Mapping[str, Any]) -> _Answer:
        found = self.books.find(path["number"], now=self._clock.now())
        return (_UNKNOWN, {}) if found is None else (_OK, self.report(found))

    def close(self, path: Mapping[str, str], _: Mapping[str, Any]) -> _Answer:
        found = self.books.close(path["number"], now=self._clock.now())
        return (_UNKNOWN, {}) if found is None else (_OK, self.report(found))

    def refund(self, _: Mapping[str, str], content: Mapping[str, Any]) -> _Answer:
        wrong = self.books.refund(str(content["number"]), str(content["refund"]), int(content["amount_fen"]))
        return (_REFUSED, {"message": wrong}) if wrong else (_OK, {"state": "done"})

    def query_refund(self, path: Mapping[str, str], _: Mapping[str, Any]) -> _Answer:
        known = self.books.refunded(path["refund"])
        return (_OK, {"state": "done"}) if known else (_UNKNOWN, {})

    def report(self, order: Mapping[str, Any]) -> dict[str, Any]:
        said = {name: order[name] for name in ("number", "amount_fen", "state", "transaction")}
        waiting = order["state"] == "unpaid"
        return said | {"pay_url": f"{self._address()}/pay/{order['number']}" if waiting else ""}

    # ── the citizen ──────────────────────────────────────────────────────────────────────────────

    async def pay_page(self, request: Request) -> Response:
        number = request.path_params["number"]
        order = await run_in_threadpool(self.books.find, number, now=self._clock.now())
        if order is None:
            return HTMLResponse(_page("No such order", "<p>There is no such order.</p>"), _UNKNOWN)
        yuan = f"{order['amount_fen'] // 100}.{order['amount_fen'] % 100:02d}"
        words = f"<p>{escape(order['description'])}</p><p><strong>{yuan} CNY</strong></p>"
        if order["state"] != "unpaid":
            return HTMLResponse(_page("Payment sandbox", words + f"<p>This order is {order['state']}.</p>"))
        return HTMLResponse(
            _page(
                "Payment sandbox", words + '<form method="post"><button>Pay (no real money)</button></form>'
            )
        )

    async def pay(self, request: Request) -> Response:
        number = request.path_params["number"]
        paid = await run_in_threadpool(self.books.pay, number, now=self._clock.now())
        if paid is not None:
            await run_in_threadpool(self.notifier.paid, paid, self.report(paid))
        return RedirectResponse(f"/pay/{number}", 303)

    # ── for trying ───────────────────────────────────────────────────────────────────────────────

    async def sums(self, _: Request) -> Response:
        found = await run_in_threadpool(self.books.sums)
        names = ("paid", "paid_fen", "refunded", "refunded_fen", "settled_fen", "owed_fen")
        return JSONResponse({name: getattr(found, name) for name in names})

    async def settle(self, _: Request) -> Response:
        return JSONResponse({"settled_fen": await run_in_threadpool(self.books.settle)})

    async def agree(self, request: Request) -> Response:
        await run_in_threadpool(self.books.agree, str((await request.json())["agreement"]))
        return JSONResponse({})

    async def fault(self, request: Request) -> Response:
        content = await request.json()
        if content.get("on") not in _ACTS or content.get("what") not in _WHAT:
            told = f"on: one of {sorted(_ACTS)}; what: one of {sorted(_WHAT)}"
            return JSONResponse({"message": told}, _WRONG)
        fault = Fault(on=content["on"], what=content["what"], seconds=float(content.get("seconds", 0)))
        await run_in_threadpool(self.books.plan_fault, fault, int(content.get("times", 1)))
        return JSONResponse({})


def sandbox_app(folder: Path, *, address: Callable[[], str], clock: Clock | None = None) -> Starlette:
    """Make the application of a sandbox whose books and keys lie in ``folder``; ``address`` is its own."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    books = Books(folder / "sandbox.sqlite")
    box = _Sandbox(books, SandboxKeys.of(folder), clock or SystemClock(), address)
    return Starlette(
        routes=[
            Route("/v1/orders", box.merchant("create", box.create), methods=["POST"]),
            Route("/v1/orders/{number}", box.merchant("query", box.query), methods=["GET"]),
            Route("/v1/orders/{number}/close", box.merchant("close", box.close), methods=["POST"]),
            Route("/v1/refunds", box.merchant("refund", box.refund), methods=["POST"]),
            Route("/v1/refunds/{refund}", box.merchant("query", box.query_refund), methods=["GET"]),
            Route("/pay/{number}", box.pay_page, methods=["GET"]),
            Route("/pay/{number}", box.pay, methods=["POST"]),
            Route("/sandbox/books", box.sums, methods=["GET"]),
            Route("/sandbox/settle", box.settle, methods=["POST"]),
            Route("/sandbox/agreements", box.agree, methods=["POST"]),
            Route("/sandbox/faults", box.fault, methods=["POST"]),
        ]
    )


def _done(work: Callable[..., _Answer], path: Mapping[str, str], body: bytes) -> _Answer:
    try:
        return work(path, json.loads(body) if body else {})
    except (ValueError, KeyError, TypeError) as wrong:
        return _WRONG, {"message": f"the request cannot be read: {wrong!r}"}


def _page(title: str, content: str) -> str:
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width"><body style="font: 1.2rem system-ui; '
        f'max-width: 26rem; margin: 4rem auto; text-align: center"><h1>{title}</h1>{content}</body></html>'
    )
