"""A partner's statement of one run, down to its records: as a page, as CSV, and for programs."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlencode

import attrs
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from citycard.clearing.codes import Code
from citycard.clearing.drilldown import (
    Drill,
    ServiceLine,
    masked_card,
    partner_lines,
    partner_records,
    record_csv,
)
from citycard.clearing.records import ClearedRecord
from citycard.clearing.statements import Statement, statement_of
from citycard.errors import PageNotFound
from citycard.web.context import actor_of, city_of
from citycard.web.endpoints import Endpoint, endpoint, json_answer, read_query
from citycard.web.languages import Language
from citycard.web.pages import state_of
from citycard.web.permissions import OWN, Actor
from citycard.web.rendering import language_of, render
from citycard.web.sessions import require
from citycard.web.words import code_meaning

__all__ = ["ENDPOINTS"]

_READ = "city.read-statements"
_SHOWN, _MOST = 200, 100_000
_DIGITS = 10
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"


@attrs.frozen(kw_only=True)
class DrillQuery:
    """Which records: of a day, a service (by its number, -1: of all) and a code."""

    day: date | None = attrs.field(default=None, metadata={"expected": "a day such as 2018-09-01"})
    service: int = attrs.field(
        default=-1, metadata={"expected": "a service's number", "range": (-1, 1_000_000)}
    )
    code: str = attrs.field(default="", metadata={"expected": "a code such as T01", "range": (0, 3)})


@attrs.frozen(kw_only=True)
class BrokenDown:
    """A partner's statement of a run, and what makes it up by day, service and code."""

    statement: Statement
    lines: tuple[ServiceLine, ...]


@attrs.frozen(kw_only=True)
class RecordList:
    """A partner's records of a run, by business date and id, 200 at most; cards' numbers are masked.

    A partner sees its own share of each, and not what others got.
    """

    records: tuple[ClearedRecord, ...]


def _drill(request: Request) -> Drill:
    partner, run = request.path_params["partner"], request.path_params["run"]
    require(actor_of(request), _READ, partner)
    if not (run.isdecimal() and len(run) < _DIGITS):
        raise PageNotFound(thing="run", name=run[:40])
    query: DrillQuery = read_query(request, DrillQuery)
    if query.code and query.code not in Code.__members__:
        raise PageNotFound(thing="code", name=query.code)
    return Drill(
        partner=partner,
        run=int(run),
        day=query.day,
        service=query.service if query.service >= 0 else None,
        code=Code[query.code] if query.code else None,
    )


async def page(request: Request) -> Response:
    drill, say, city = _drill(request), language_of(request), city_of(request)
    whole = Drill(partner=drill.partner, run=drill.run)
    statement = await run_in_threadpool(statement_of, city, drill.partner, drill.run)
    lines = await run_in_threadpool(partner_lines, city, whole)
    chosen = request.url.query if drill != whole else ""
    records: tuple[ClearedRecord, ...] = ()
    if chosen:
        records = await run_in_threadpool(partner_records, city, drill, limit=_SHOWN)
    return render(
        request,
        "drill.html",
        partner=drill.partner,
        name=statement.name,
        run=drill.run,
        gross=say.money(statement.gross_fen),
        lines=[_line(one, say) for one in lines],
        records=[_record(one, drill.partner, say) for one in records],
        chosen=chosen,
        shown=_SHOWN,
    )


async def csv_file(request: Request) -> Response:
    drill = _drill(request)
    found = await run_in_threadpool(partner_records, city_of(request), drill, limit=_MOST)
    rows = record_csv(found, drill.partner)
    name = f"records-{drill.partner}-run-{drill.run}.csv"
    return StreamingResponse(
        (text.encode() for text in (_BOM, *rows)),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


async def broken_down(request: Request) -> Response:
    drill, city = _drill(request), city_of(request)
    statement = await run_in_threadpool(statement_of, city, drill.partner, drill.run)
    return json_answer(
        BrokenDown(statement=statement, lines=await run_in_threadpool(partner_lines, city, drill))
    )


async def records(request: Request) -> Response:
    found = await run_in_threadpool(partner_records, city_of(request), _drill(request), limit=_SHOWN)
    return json_answer(RecordList(records=tuple(_seen(one, actor_of(request)) for one in found)))


def _seen(one: ClearedRecord, actor: Actor) -> ClearedRecord:
    """Mask a record's card, and keep what others got of it from who sees only its own."""
    parts = tuple(part for part in one.parts if actor.role not in OWN or part[0] == actor.subject)
    return attrs.evolve(one, card=masked_card(one.card), parts=parts)


def _line(one: ServiceLine, say: Language) -> dict[str, Any]:
    wish = {"day": one.business_date, "service": one.service, "code": one.code}
    return {
        "day": one.business_date,
        "service": one.service,
        "state": state_of(one.state.value, say),
        "code": one.code,
        "meaning": code_meaning(one.code, say),
        "records": f"{one.records:,}",
        "amount": say.money(one.amount_fen),
        "share": say.money(one.share_fen),
        "link": urlencode(wish),
    }


def _record(one: ClearedRecord, partner: str, say: Language) -> dict[str, Any]:
    return {
        "id": one.id,
        "at": say.moment(one.at),
        "card": masked_card(one.card),
        "code": one.code,
        "amount": say.money(one.amount_fen),
        "share": say.money(dict(one.parts).get(partner, 0)),
    }


_SHARED: dict[str, Any] = {"permission": _READ, "query": DrillQuery}

ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint(
        "/partners/{partner}/runs/{run}",
        page,
        page=True,
        summary="A partner's statement of one run, down to its records.",
        **_SHARED,
    ),
    endpoint(
        "/partners/{partner}/runs/{run}/records.csv",
        csv_file,
        page=True,
        summary="A partner's records of one run as CSV.",
        **_SHARED,
    ),
    endpoint(
        "/api/partners/{partner}/runs/{run}",
        broken_down,
        response=BrokenDown,
        summary="A partner's statement of one run, by day, service and code.",
        **_SHARED,
    ),
    endpoint(
        "/api/partners/{partner}/runs/{run}/records",
        records,
        response=RecordList,
        summary="A partner's records of one run.",
        **_SHARED,
    ),
)
