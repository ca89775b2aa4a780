"""The endpoints of load agents: where they stand, their days, credit and deposits."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import attrs
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from citycard.city import agents
from citycard.store import reading
from citycard.wallet.agentdays import AgentDay, agent_days
from citycard.wallet.agents import AgentStanding
from citycard.web.bodies import read_json
from citycard.web.context import actor_of, web_of
from citycard.web.endpoints import Endpoint, endpoint, json_answer
from citycard.web.sessions import require
from citycard.web.topups import whoever

__all__ = ["ENDPOINTS", "read_agent"]


@attrs.frozen(kw_only=True)
class AgentView:
    """A load agent: where it stands, and its closed days, newest first."""

    standing: AgentStanding
    days: tuple[AgentDay, ...]


@attrs.frozen(kw_only=True)
class AgentList:
    """Where every load agent stands, by id."""

    agents: tuple[AgentStanding, ...]


@attrs.frozen(kw_only=True)
class NewAgent:
    """A registered partner that becomes a load agent; ``id`` is yours. Its commission is in basis points."""

    id: UUID
    partner: str
    commission_bp: int = attrs.field(
        default=0, validator=[attrs.validators.ge(0), attrs.validators.le(10_000)]
    )
    credit_fen: int = attrs.field(default=0, validator=attrs.validators.ge(0))


@attrs.frozen(kw_only=True)
class NewCredit:
    """Another credit line; ``id`` is yours, and sent again it changes nothing more."""

    id: UUID
    credit_fen: int = attrs.field(validator=attrs.validators.ge(0))


@attrs.frozen(kw_only=True)
class NewDeposit:
    """What an agent paid into the trust account; ``ref`` says where that was read, ``id`` is yours."""

    id: UUID
    amount_fen: int = attrs.field(validator=attrs.validators.gt(0))
    ref: str = attrs.field(validator=attrs.validators.max_len(200))


@attrs.frozen(kw_only=True)
class ClosedDay:
    """A business day to close; ``id`` is yours. A day that is closed gives the same statement."""

    id: UUID
    day: date


async def list_agents(request: Request) -> Response:
    found = await run_in_threadpool(agents.standings, web_of(request).city)
    return json_answer(AgentList(agents=tuple(found)))


async def show_agent(request: Request) -> Response:
    return json_answer(await run_in_threadpool(read_agent, request))


async def open_agent(request: Request) -> Response:
    wanted = await read_json(request, NewAgent)
    city = web_of(request).city

    def work() -> AgentStanding:
        agents.open_load_agent(
            city, wanted.partner, commission_bp=wanted.commission_bp, credit_fen=wanted.credit_fen
        )
        return agents.standing(city, wanted.partner)

    return json_answer(await run_in_threadpool(work))


async def give_credit(request: Request) -> Response:
    wanted = await read_json(request, NewCredit)
    city, name = web_of(request).city, request.path_params["agent"]

    def work() -> AgentStanding:
        agents.give_credit(city, name, wanted.credit_fen, identity=wanted.id)
        return agents.standing(city, name)

    return json_answer(await run_in_threadpool(work))


async def note_deposit(request: Request) -> Response:
    wanted = await read_json(request, NewDeposit)
    city, name = web_of(request).city, request.path_params["agent"]

    def work() -> AgentStanding:
        agents.paid_in(city, name, wanted.amount_fen, identity=wanted.id, ref=wanted.ref)
        return agents.standing(city, name)

    return json_answer(await run_in_threadpool(work))


async def close_day(request: Request) -> Response:
    city, name = web_of(request).city, request.path_params["agent"]
    require(actor_of(request), "city.close-days", name)
    wanted = await read_json(request, ClosedDay)

    def work() -> AgentDay:
        return agents.close_day(city, name, wanted.day, actor=whoever(request))

    return json_answer(await run_in_threadpool(work))


def read_agent(request: Request) -> AgentView:
    """Read the agent that a request names, for who may see it."""
    city, name = web_of(request).city, request.path_params["agent"]
    require(actor_of(request), "city.read-agents", name)
    standing = agents.standing(city, name)
    with reading(city.engine) as conn:
        return AgentView(standing=standing, days=tuple(agent_days(conn, name)))


ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint(
        "/api/agents",
        list_agents,
        permission="city.manage-agents",
        response=AgentList,
        summary="Where every load agent stands.",
    ),
    endpoint(
        "/api/agents",
        open_agent,
        permission="city.manage-agents",
        methods=("POST",),
        request=NewAgent,
        response=AgentStanding,
        summary="Open a partner as a load agent.",
    ),
    endpoint(
        "/api/agents/{agent}",
        show_agent,
        permission="city.read-agents",
        response=AgentView,
        summary="Where a load agent stands, and its closed days.",
    ),
    endpoint(
        "/api/agents/{agent}/credit",
        give_credit,
        permission="city.manage-agents",
        methods=("POST",),
        request=NewCredit,
        response=AgentStanding,
        summary="Give a load agent another credit line.",
    ),
    endpoint(
        "/api/agents/{agent}/deposits",
        note_deposit,
        permission="city.manage-agents",
        methods=("POST",),
        request=NewDeposit,
        response=AgentStanding,
        summary="Note what a load agent paid in, which restores its quota.",
    ),
    endpoint(
        "/api/agents/{agent}/days",
        close_day,
        permission="city.close-days",
        methods=("POST",),
        request=ClosedDay,
        response=AgentDay,
        summary="Close a business day of a load agent.",
    ),
)
