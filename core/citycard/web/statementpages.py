"""Statements of cards and partners: as a page, as JSON, and to download as CSV and PDF."""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable, Iterator
from datetime import date
from typing import IO, Any

import attrs
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from citycard.city.statements import (
    Period,
    PlainStatement,
    Statement,
    csv_lines,
    partner_statement,
    plain_statement,
    write_pdf,
)
from citycard.clock import first_and_last
from citycard.web import sources
from citycard.web.context import actor_of, web_of
from citycard.web.endpoints import Endpoint, endpoint, json_answer, read_query
from citycard.web.languages import Language
from citycard.web.rendering import language_of, render
from citycard.web.sessions import require

__all__ = ["ENDPOINTS", "StatementQuery"]

_SHOWN = 500
_PIECE_BYTES = 64 * 1024
_A_DAY = {"expected": "a day such as 2018-09-01"}

Made = Callable[[Request, str], Awaitable[Statement]]


@attrs.frozen(kw_only=True)
class StatementQuery:
    """The days of a statement, both included; this month up to today when left out."""

    since: date | None = attrs.field(default=None, metadata=_A_DAY)
    until: date | None = attrs.field(default=None, metadata=_A_DAY)


async def _of_card(request: Request, page: str) -> Statement:
    """Make the statement of a card; that somebody looks at it is recorded before."""
    web, asn = web_of(request), request.path_params["asn"]
    require(actor_of(request), "city.read-cards", asn)
    return await run_in_threadpool(
        sources.open_statement,
        web.city,
        asn,
        _period(request),
        actor_of(request),
        page=page,
        at=web.clock.now(),
    )


async def _of_partner(request: Request, _page: str) -> Statement:
    name = request.path_params["partner"]
    require(actor_of(request), "city.read-statements", name)
    return await run_in_threadpool(partner_statement, web_of(request).city, name, _period(request))


def _period(request: Request) -> Period:
    query: StatementQuery = read_query(request, StatementQuery)
    today = web_of(request).city.now_local().date()
    since, until = first_and_last(query.since, query.until, today=today)
    return Period(since=since, until=until)


async def card_page(request: Request) -> Response:
    return await _page(request, await _of_card(request, "account"), back="/cards")


async def partner_page(request: Request) -> Response:
    return await _page(request, await _of_partner(request, ""), back="/partners")


async def card_csv(request: Request) -> Response:
    return _csv(await _of_card(request, "account csv"))


async def partner_csv(request: Request) -> Response:
    return _csv(await _of_partner(request, ""))


async def card_pdf(request: Request) -> Response:
    return await run_in_threadpool(_pdf, await _of_card(request, "account pdf"))


async def partner_pdf(request: Request) -> Response:
    return await run_in_threadpool(_pdf, await _of_partner(request, ""))


async def card_json(request: Request) -> Response:
    return json_answer(await run_in_threadpool(plain_statement, await _of_card(request, "api account")))


async def partner_json(request: Request) -> Response:
    return json_answer(await run_in_threadpool(plain_statement, await _of_partner(request, "")))


async def _page(request: Request, statement: Statement, *, back: str) -> Response:
    say = language_of(request)
    shown = await run_in_threadpool(plain_statement, statement, limit=_SHOWN)
    return render(
        request,
        "account.html",
        statement=shown,
        heading=_said(say, statement.title.en, statement.title.zh),
        name=_said(say, shown.name, shown.name_zh),
        back=f"{back}/{shown.subject}",
        sections=[
            {
                "title": _said(say, section.title, section.title_zh),
                "opening": say.money(section.opening_fen),
                "closing": say.money(section.closing_fen),
                "cut": section.cut,
                "lines": [
                    {
                        "at": say.moment(line.at),
                        "booked": line.booked_at.date() if line.booked_at.date() != line.at.date() else "",
                        "what": _said(say, line.what, line.what_zh),
                        "told": " · ".join(
                            filter(None, (line.who, line.where, _said(say, line.why, line.why_zh)))
                        ),
                        "amount": ("+" if line.amount_fen > 0 else "") + say.money(line.amount_fen),
                        "balance": say.money(line.balance_fen),
                    }
                    for line in section.lines
                ],
            }
            for section in shown.sections
        ],
        shown=_SHOWN,
    )


def _csv(statement: Statement) -> Response:
    lines = (line.encode() for line in csv_lines(statement, bom=True))
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=_named(statement, "csv"))


def _pdf(statement: Statement) -> Response:
    # On the disk, because the number of pages stands on the first one and is known after the last.
    file = tempfile.TemporaryFile()  # noqa: SIM115 - whoever sends it closes it
    write_pdf(statement, file)
    file.seek(0)
    return StreamingResponse(_pieces(file), media_type="application/pdf", headers=_named(statement, "pdf"))


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE_BYTES):
            yield piece


def _named(statement: Statement, ending: str) -> dict[str, str]:
    days = f"{statement.period.since}-{statement.period.until}"
    name = f"statement-{statement.subject}-{days}.{ending}"
    return {"content-disposition": f'attachment; filename="{name}"'}


def _said(say: Language, english: str, chinese: str) -> str:
    return chinese if say.code == "zh" else english


def _endpoints(where: str, permission: str, whose: str, *handlers: Any) -> tuple[Endpoint, ...]:
    page, csv, pdf, plain = handlers
    shared: dict[str, Any] = {"permission": permission, "query": StatementQuery}
    return (
        endpoint(where, page, page=True, summary=f"{whose} statement, line by line.", **shared),
        endpoint(f"{where}.csv", csv, page=True, summary=f"{whose} statement as CSV.", **shared),
        endpoint(f"{where}.pdf", pdf, page=True, summary=f"{whose} statement as PDF.", **shared),
        endpoint(
            f"/api{where}",
            plain,
            response=PlainStatement,
            summary=f"{whose} statement: every movement of its money, with balances.",
            **shared,
        ),
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    *_endpoints(
        "/cards/{asn}/account", "city.read-cards", "A card's", card_page, card_csv, card_pdf, card_json
    ),
    *_endpoints(
        "/partners/{partner}/account",
        "city.read-statements",
        "A partner's",
        partner_page,
        partner_csv,
        partner_pdf,
        partner_json,
    ),
)
