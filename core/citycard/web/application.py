"""The Starlette application of one city: its own addresses first, then whatever its plugins bring."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from citycard.city.rounds import Rounds
from citycard.web import (
    accounts,
    agents,
    api,
    bankapi,
    bankpage,
    charges,
    disputeapi,
    disputepage,
    drillpages,
    exceptionapi,
    floatpages,
    interconnect,
    latefiles,
    moneyapi,
    pages,
    points,
    seals,
    signin,
    statementpages,
    subsidies,
    supervision,
    topup_pages,
    topups,
    uploads,
)
from citycard.web.context import Web
from citycard.web.description import DESCRIPTION
from citycard.web.endpoints import Endpoint, door
from citycard.web.headers import AccessLog, SecurityHeaders
from citycard.web.limits import Attempts
from citycard.web.problems import HANDLERS
from citycard.web.sources import DayBook
from citycard.web.switchboard import Names, Switchboard
from citycard.web.tables import ensure_tables

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["CORE_ENDPOINTS", "create_app"]

STATIC = Path(__file__).parent / "static"

CORE_ENDPOINTS: tuple[Endpoint, ...] = (
    *pages.ENDPOINTS,
    *bankpage.ENDPOINTS,
    *disputepage.ENDPOINTS,
    *drillpages.ENDPOINTS,
    *floatpages.ENDPOINTS,
    *statementpages.ENDPOINTS,
    *signin.ENDPOINTS,
    *api.ENDPOINTS,
    *bankapi.ENDPOINTS,
    *interconnect.ENDPOINTS,
    *disputeapi.ENDPOINTS,
    *exceptionapi.ENDPOINTS,
    *latefiles.ENDPOINTS,
    *moneyapi.ENDPOINTS,
    *topup_pages.ENDPOINTS,
    *topups.ENDPOINTS,
    *agents.ENDPOINTS,
    *accounts.ENDPOINTS,
    *charges.ENDPOINTS,
    *subsidies.ENDPOINTS,
    *supervision.ENDPOINTS,
    *points.ENDPOINTS,
    *seals.ENDPOINTS,
    *uploads.ENDPOINTS,
    *DESCRIPTION,
)


def create_app(city: City, *, attempts: Attempts | None = None) -> Starlette:
    """Make the application that serves a city; its access tables are brought up to date first."""
    ensure_tables(city.engine)
    switchboard = Switchboard(city)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with switchboard.running():
            with Rounds(city).going():
                yield

    app = Starlette(
        routes=[
            *(door(item) for item in CORE_ENDPOINTS),
            Mount("/static", StaticFiles(directory=STATIC)),
            Route("/favicon.ico", _mark),
            Names("/", switchboard),
        ],
        middleware=[Middleware(AccessLog), Middleware(SecurityHeaders)],
        exception_handlers=dict(HANDLERS),
        lifespan=lifespan,
    )
    app.router.default = switchboard
    app.state.web = Web(
        city=city, switchboard=switchboard, days=DayBook(city), attempts=attempts or Attempts()
    )
    return app


async def _mark(_: Request) -> RedirectResponse:
    """Lead those who ask for an icon without reading the page to the mark."""
    return RedirectResponse("/static/mark.svg", HTTPStatus.MOVED_PERMANENTLY)
