"""A node's little server: ``POST /query`` takes a signed query, ``GET /`` says who answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from citycard.errors import BodyTooLarge
from citycard.web.bodies import read_bytes
from citycard_egov.messages import LIMIT_BYTES

if TYPE_CHECKING:
    from citycard_egov.node import ExchangeNode

__all__ = ["node_app"]


def node_app(node: ExchangeNode) -> Starlette:
    """Make the application of a node that is open."""

    async def who(_: Request) -> Response:
        return JSONResponse({"id": node.config.id, "key": node.public_key})

    async def query(request: Request) -> Response:
        try:
            text = (await read_bytes(request, limit=LIMIT_BYTES)).decode(errors="replace")
        except BodyTooLarge as wrong:
            return JSONResponse({"title": str(wrong)}, status_code=413)
        status, answer = await run_in_threadpool(node.answer, text)
        return Response(answer.as_json(), status_code=status, media_type="application/json")

    return Starlette(routes=[Route("/", who), Route("/query", query, methods=["POST"])])
