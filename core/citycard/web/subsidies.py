"""Subsidy programmes: for programs as JSON, for the city's people as pages."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import attrs
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from citycard.store import reading
from citycard.wallet.grantfile import BadLine, GrantLine
from citycard.wallet.grants import BulkGrant, grant_lines, grants_of
from citycard.wallet.programmes import (
    ProgrammeReport,
    find_programme,
    fund_programme,
    programmes_by_id,
    report_programme,
)
from citycard.web.bodies import read_json
from citycard.web.context import actor_of, city_of
from citycard.web.endpoints import Endpoint, endpoint, json_answer
from citycard.web.rendering import language_of, render

__all__ = ["ENDPOINTS"]

_SHOWN = 100
# Some ten thousand grants at once.
_LARGEST_BYTES = 1024 * 1024


@attrs.frozen(kw_only=True)
class ProgrammeList:
    """Every programme with where its money is."""

    programmes: tuple[ProgrammeReport, ...]


@attrs.frozen(kw_only=True)
class ToFund:
    """Money of the funder, paid in at the desk; ``id`` is made by the client."""

    id: UUID
    amount_fen: int


@attrs.frozen(kw_only=True)
class LineToGrant:
    """One grant: the number of a card or an account, and the amount."""

    number: str
    amount_fen: int = attrs.field(validator=attrs.validators.gt(0))


@attrs.frozen(kw_only=True)
class ToGrant:
    """Grants under one batch: an account is granted something once under it, however often this is sent.

    ``id`` is made by the client; what was done before is known by ``batch``.
    """

    id: UUID
    batch: str
    grants: tuple[LineToGrant, ...]


async def programmes(request: Request) -> Response:
    return json_answer(ProgrammeList(programmes=await run_in_threadpool(_reports, request)))


async def programme(request: Request) -> Response:
    return json_answer(await run_in_threadpool(_report, request))


async def fund(request: Request) -> Response:
    body, wallet = await read_json(request, ToFund), city_of(request).wallet
    name, actor = request.path_params["programme"], actor_of(request).name
    return json_answer(
        await run_in_threadpool(fund_programme, wallet, body.id, name, body.amount_fen, actor=actor)
    )


async def grant(request: Request) -> Response:
    body, wallet = await read_json(request, ToGrant, limit=_LARGEST_BYTES), city_of(request).wallet
    lines: list[GrantLine] = []
    bad: list[BadLine] = []
    seen: set[str] = set()
    for place, one in enumerate(body.grants, 1):
        if one.number in seen:
            bad.append(BadLine(line=place, reason=f"{one.number} stands in an earlier line already"))
            continue
        seen.add(one.number)
        lines.append(GrantLine(line=place, number=one.number, amount_fen=one.amount_fen))
    name = request.path_params["programme"]

    def work() -> BulkGrant:
        with reading(wallet.engine) as conn:
            find_programme(conn, name)
        return grant_lines(wallet, name, body.batch, lines, bad)

    return json_answer(await run_in_threadpool(work))


async def programmes_page(request: Request) -> Response:
    found = await run_in_threadpool(_reports, request)
    return render(request, "subsidies.html", programmes=found, titled=_titled(request))


async def programme_page(request: Request) -> Response:
    city = city_of(request)
    found = await run_in_threadpool(_report, request)

    def work() -> list[tuple[str, int, str]]:
        with reading(city.engine) as conn:
            return grants_of(conn, found.programme.id, limit=_SHOWN)

    grants = await run_in_threadpool(work)
    return render(request, "subsidy.html", report=found, grants=grants, titled=_titled(request))


def _titled(request: Request) -> Any:
    """Give what names a programme in the reader's language."""
    chinese = language_of(request).code == "zh"
    return lambda one: one.title_zh if chinese and one.title_zh else one.title


def _reports(request: Request) -> tuple[ProgrammeReport, ...]:
    city = city_of(request)
    with reading(city.engine) as conn:
        return tuple(report_programme(conn, city.ledger, name) for name in programmes_by_id(conn))


def _report(request: Request) -> ProgrammeReport:
    city = city_of(request)
    with reading(city.engine) as conn:
        return report_programme(conn, city.ledger, request.path_params["programme"])


_PROGRAMME = "/api/subsidies/{programme}"

ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint(
        "/api/subsidies",
        programmes,
        permission="city.read-subsidies",
        response=ProgrammeList,
        summary="Every subsidy programme with where its money is.",
    ),
    endpoint(
        _PROGRAMME,
        programme,
        permission="city.read-subsidies",
        response=ProgrammeReport,
        summary="A subsidy programme: budget, granted, spent, lapsed, held.",
    ),
    endpoint(
        f"{_PROGRAMME}/funds",
        fund,
        permission="city.manage-subsidies",
        methods=("POST",),
        request=ToFund,
        response=ProgrammeReport,
        summary="Put money of the funder into a programme's budget.",
    ),
    endpoint(
        f"{_PROGRAMME}/grants",
        grant,
        permission="city.grant-subsidies",
        methods=("POST",),
        request=ToGrant,
        response=BulkGrant,
        summary="Grant amounts of a programme to accounts; bad lines are told, the others are granted.",
    ),
    endpoint(
        "/subsidies",
        programmes_page,
        permission="city.read-subsidies",
        page=True,
        summary="The subsidy programmes and where their money is.",
    ),
    endpoint(
        "/subsidies/{programme}",
        programme_page,
        permission="city.read-subsidies",
        page=True,
        summary="A subsidy programme and its newest grants.",
    ),
)
