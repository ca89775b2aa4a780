"""What the endpoints and pages share: the market of a request, work in a thread, ids in addresses."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from citycard.store import reading
from citycard.web import actor_of, city_of, json_answer
from citycard_retail.errors import SaleUnknown
from citycard_retail.market import Market, market_of

__all__ = ["done", "id_in", "read", "worked"]

Found = TypeVar("Found")


async def done(request: Request, work: Callable[[Market, str], object]) -> Response:
    """Do the work of an endpoint in a thread and answer with what it gives, as JSON."""
    return json_answer(await worked(request, work))


async def worked(request: Request, work: Callable[[Market, str], Found]) -> Found:
    """Do work in a thread; it is given the market, and who asks."""
    by = actor_of(request).name
    return await run_in_threadpool(lambda: work(market_of(city_of(request)), by))


def read(market: Market, what: Callable[[Connection], Found]) -> Found:
    """Read something in a transaction of its own."""
    with reading(market.city.engine) as conn:
        return what(conn)


def id_in(request: Request, what: str) -> UUID:
    """Read an id in the address; raise SaleUnknown for what is none."""
    text = request.path_params[what]
    try:
        return UUID(text)
    except ValueError:
        raise SaleUnknown(id=text[:40]) from None
