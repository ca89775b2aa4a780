"""Meal money for programs: grants, a school's statement, and meals that somebody has to decide."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import attrs
from starlette.concurrency import run_in_threadpool

from citycard_campus.campus import Campus
from citycard_campus.permissions import READ_SCHOOLS
from citycard_campus.pots import grant_meals
from citycard_campus.settling import PotUse, decide, reopen, waiting
from citycard_campus.statements import school_statement

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from citycard.wallet import BulkGrant

__all__ = ["MealGrant", "MealGranted", "PotDecision", "PotUseList", "StatementQuery"]

_A_DAY = {"expected": "a day such as 2026-12-01"}


@attrs.frozen(kw_only=True)
class MealGrant:
    """A month's meals: under one batch, such as 2026-12, each account is granted them once."""

    batch: str


@attrs.frozen(kw_only=True)
class MealGranted:
    """What was granted, in fen; ``repeated`` were granted under this batch before."""

    granted: int
    granted_fen: int
    repeated: int
    left_out: tuple[str, ...]


@attrs.frozen(kw_only=True)
class StatementQuery:
    """The days of a statement, both included; this month when left out."""

    since: dt.date | None = attrs.field(default=None, metadata=_A_DAY)
    until: dt.date | None = attrs.field(default=None, metadata=_A_DAY)


@attrs.frozen(kw_only=True)
class PotUseList:
    """Meals that pots did not pay and somebody has to decide, newest first."""

    uses: tuple[PotUse, ...]


@attrs.frozen(kw_only=True)
class PotDecision:
    """Pay a meal out of its pot, or refuse it."""

    pay: bool


async def grant(request: Request) -> Response:
    from citycard.web import actor_of, city_of, json_answer, read_json

    body = await read_json(request, MealGrant)
    campus = Campus.of(city_of(request))
    school = campus.settings.school(request.path_params["school"])
    actor = str(actor_of(request).role)
    done: BulkGrant = await run_in_threadpool(grant_meals, campus, school, body.batch, actor=actor)
    return json_answer(
        MealGranted(
            granted=done.granted,
            granted_fen=done.granted_fen,
            repeated=done.repeated,
            left_out=tuple(line.reason for line in done.bad),
        )
    )


def statement(request: Request) -> Response:
    from citycard.clock import first_and_last
    from citycard.web import actor_of, city_of, json_answer, read_query, require

    school = request.path_params["school"]
    require(actor_of(request), READ_SCHOOLS, school)
    query: StatementQuery = read_query(request, StatementQuery)
    campus = Campus.of(city_of(request))
    days = first_and_last(query.since, query.until, today=campus.now().date())
    return json_answer(school_statement(campus, school, *days))


def doubts(request: Request) -> Response:
    from citycard.store import reading
    from citycard.web import city_of, json_answer

    with reading(city_of(request).engine) as conn:
        return json_answer(PotUseList(uses=tuple(waiting(conn))))


async def decision(request: Request) -> Response:
    from citycard.web import actor_of, city_of, json_answer, read_json

    body = await read_json(request, PotDecision)
    campus, record = Campus.of(city_of(request)), request.path_params["record"]
    actor = str(actor_of(request).role)
    return json_answer(await run_in_threadpool(decide, campus, record, pay=body.pay, actor=actor))


def open_again(request: Request) -> Response:
    from citycard.web import city_of, json_answer

    return json_answer(reopen(Campus.of(city_of(request)), request.path_params["card"]))
