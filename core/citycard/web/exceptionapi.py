"""The endpoints about records that clearing suspended or rejected, under ``/api/exceptions``."""

from __future__ import annotations

from uuid import UUID

import attrs
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from citycard.bank.codes import CaseState
from citycard.clearing.adjusting import PostedAdjustment
from citycard.clearing.casecodes import Bearer, Ruling
from citycard.clearing.codes import Code
from citycard.clearing.deciding import Decision, decide, take
from citycard.clearing.exceptions import ExceptionCase
from citycard.errors import BodyInvalid, PageNotFound, Phrase
from citycard.store.steps import CaseStep
from citycard.web import sources
from citycard.web.bankapi import TakeBody, actor_name
from citycard.web.bodies import read_json
from citycard.web.context import actor_of, city_of
from citycard.web.endpoints import Endpoint, endpoint, json_answer, read_query
from citycard.web.permissions import Actor, Reach, reach
from citycard.web.sessions import require

__all__ = ["ENDPOINTS", "DecisionBody", "ExceptionQuery", "only_own"]

_READ, _DECIDE = "city.read-exceptions", "city.decide-exceptions"
_AMOUNT = {"expected": "an amount in fen", "range": (0, 10**12)}


@attrs.frozen(kw_only=True)
class ExceptionQuery:
    """Which exceptions: those not decided, of a state, or all; of a code, a partner, a run; old or large.

    ``older_than`` is in business days.
    """

    state: str = attrs.field(
        default="", metadata={"expected": "open, taken, resolved or all", "range": (0, 20)}
    )
    code: str = attrs.field(default="", metadata={"expected": "a code such as T01", "range": (0, 20)})
    partner: str = attrs.field(default="", metadata={"expected": "a partner's id", "range": (0, 100)})
    run: int = attrs.field(default=0, metadata={"expected": "a run's number", "range": (0, 10**9)})
    older_than: int = attrs.field(default=0, metadata={"expected": "business days", "range": (0, 10_000)})
    at_least_fen: int = attrs.field(default=0, metadata=_AMOUNT)


@attrs.frozen(kw_only=True)
class ExceptionList:
    """Exceptions, the oldest first, 200 at most."""

    exceptions: tuple[ExceptionCase, ...]


@attrs.frozen(kw_only=True)
class ExceptionStory:
    """An exception, what happened to it, and the money that was moved for it."""

    exception: ExceptionCase
    steps: tuple[CaseStep, ...]
    adjustments: tuple[PostedAdjustment, ...]


@attrs.frozen(kw_only=True)
class DecisionBody:
    """How an exception is decided; ``how`` is accepted, rejected or left, ``bearer`` issuer or card."""

    id: UUID
    how: str
    reason: str
    bearer: str = ""
    evidence: str = ""

    def decision(self) -> Decision:
        """Give it as clearing takes it."""
        try:
            return Decision(
                how=Ruling(self.how),
                bearer=Bearer(self.bearer) if self.bearer else None,
                reason=self.reason,
                evidence=self.evidence,
            )
        except ValueError as wrong:
            expected = "expected how: accepted, rejected or left; and bearer: issuer or card"
            raise BodyInvalid(problems=Phrase("body: {expected}", expected=expected)) from wrong


def only_own(actor: Actor, permission: str, wanted: str) -> str:
    """Give the partner whose things are asked for: who may see only its own asks for no other's."""
    if reach(actor.role, permission) is not Reach.OWN:
        return wanted
    require(actor, permission, wanted or actor.subject)
    return actor.subject


async def listed(request: Request) -> Response:
    query: ExceptionQuery = read_query(request, ExceptionQuery)
    states, codes = {*CaseState, sources.ALL_STATES}, Code.__members__
    if (query.state and query.state not in states) or (query.code and query.code not in codes):
        raise PageNotFound(thing="state or code", name=f"{query.state} {query.code}".strip())
    partner = only_own(actor_of(request), _READ, query.partner)
    found = await run_in_threadpool(
        sources.read_exceptions, city_of(request), attrs.evolve(query, partner=partner), actor_of(request)
    )
    return json_answer(ExceptionList(exceptions=found))


async def shown(request: Request) -> Response:
    return json_answer(await _story(request))


async def taken(request: Request) -> Response:
    body, record = await read_json(request, TakeBody), request.path_params["record"]
    await run_in_threadpool(
        take,
        city_of(request),
        record,
        actor=actor_name(request),
        step=body.id,
        from_other=body.from_other,
    )
    return json_answer(await _story(request))


async def decided(request: Request) -> Response:
    body, record = await read_json(request, DecisionBody), request.path_params["record"]
    await run_in_threadpool(
        decide, city_of(request), record, body.decision(), actor=actor_name(request), step=body.id
    )
    return json_answer(await _story(request))


async def _story(request: Request) -> ExceptionStory:
    case, steps, adjustments = await run_in_threadpool(
        sources.read_exception, city_of(request), request.path_params["record"], actor_of(request)
    )
    require(actor_of(request), _READ, case.partner)
    return ExceptionStory(exception=case, steps=steps, adjustments=adjustments)


ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint(
        "/api/exceptions",
        listed,
        permission=_READ,
        query=ExceptionQuery,
        response=ExceptionList,
        summary="Records that clearing suspended or rejected, as a work list.",
    ),
    endpoint(
        "/api/exceptions/{record}",
        shown,
        permission=_READ,
        response=ExceptionStory,
        summary="One suspended or rejected record, and what was decided about it.",
    ),
    endpoint(
        "/api/exceptions/{record}/take",
        taken,
        permission=_DECIDE,
        methods=("POST",),
        request=TakeBody,
        response=ExceptionStory,
        summary="Take a suspended or rejected record to work on it.",
    ),
    endpoint(
        "/api/exceptions/{record}/decide",
        decided,
        permission=_DECIDE,
        methods=("POST",),
        request=DecisionBody,
        response=ExceptionStory,
        summary="Decide a suspended or rejected record; the next run posts what it pays.",
    ),
)
