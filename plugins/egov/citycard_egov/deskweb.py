"""City hall's endpoints for offices and clerks: the register, decisions, queries, windows, plans, notices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import attrs
from starlette.concurrency import run_in_threadpool

from citycard.kernel.outside import Route
from citycard.store import reading
from citycard_egov import applications, asking, bodies, disclosure, plans, register, windows
from citycard_egov.office import Office
from citycard_egov.settings import EgovSettings
from citycard_egov.web import act_id, office_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = ["desk_routes"]

_PLAN_BYTES = 1024 * 1024


@attrs.frozen(kw_only=True)
class _Asked:
    office: Office
    body: Any
    actor: str
    request: Request

    @property
    def department(self) -> str:
        name: str = self.request.path_params["department"]
        return name

    @property
    def plan(self) -> str:
        name: str = self.request.path_params["plan"]
        return name


def desk_routes(settings: EgovSettings) -> Iterator[Route]:
    """Declare what offices (partners, each for itself) and clerks use."""

    def posting(
        path: str,
        permission: str,
        response: type[Any],
        summary: str,
        work: Callable[[_Asked], Any],
        body: type[Any] | None = None,
        limit: int | None = None,
    ) -> Route:
        async def endpoint(request: Request) -> Response:
            from citycard.web import actor_of, json_answer, read_json, require
            from citycard.web.accounts import asked_by

            asked = None
            if body is not None:
                asked = await (read_json(request, body, limit=limit) if limit else read_json(request, body))
            owner = request.path_params.get("department") or getattr(asked, "department", None)
            if owner is not None:
                require(actor_of(request), permission, owner)
            made = _Asked(
                office=office_of(request, settings),
                body=asked,
                actor=asked_by(actor_of(request)),
                request=request,
            )
            return json_answer(await run_in_threadpool(work, made))

        return Route(
            path=path,
            endpoint=endpoint,
            permission=permission,
            methods=("POST",),
            summary=summary,
            request=body,
            response=response,
        )

    def showing(
        path: str, permission: str, response: type[Any], summary: str, work: Callable[[_Asked], Any]
    ) -> Route:
        def endpoint(request: Request) -> Response:
            from citycard.web import actor_of, json_answer, require
            from citycard.web.accounts import asked_by

            owner = request.path_params.get("department")
            if owner is not None:
                require(actor_of(request), permission, owner)
            made = _Asked(
                office=office_of(request, settings),
                body=None,
                actor=asked_by(actor_of(request)),
                request=request,
            )
            return json_answer(work(made))

        return Route(path=path, endpoint=endpoint, permission=permission, summary=summary, response=response)

    office = "/departments/{department}"
    yield posting(
        f"{office}/residents",
        "egov.tell-residents",
        bodies.TellingList,
        "Tell the register what this office knows about a person.",
        _tell,
        bodies.ResidentToTell,
    )
    yield showing(
        f"{office}/applications",
        "egov.read-applications",
        bodies.ApplicationList,
        "The applications that wait for this office, the most urgent first.",
        _queue,
    )
    yield showing(
        f"{office}/applications/{{id}}",
        "egov.decide-applications",
        bodies.ApplicationLook,
        "An application with its form and the applicant's fields; the reading is written down.",
        _look,
    )
    yield posting(
        "/applications/{id}/decisions",
        "egov.decide-applications",
        applications.Application,
        "Decide the step of an application whose turn it is.",
        _decide,
        bodies.DecisionToMake,
    )
    yield posting(
        f"{office}/queries",
        "egov.ask-parties",
        bodies.PartyAnswer,
        "Ask another party about a resident who consented.",
        _ask,
        bodies.QueryToAsk,
    )
    yield posting(
        f"{office}/plans",
        "egov.make-plans",
        bodies.PlanDetail,
        "Hand in a payment plan.",
        _make_plan,
        bodies.PlanToMake,
        _PLAN_BYTES,
    )
    yield showing(
        "/conflicts", "egov.read-conflicts", bodies.ConflictList, "Conflicts to settle.", _conflicts
    )
    yield posting(
        "/conflicts/{id}/settle",
        "egov.settle-conflicts",
        bodies.ConflictList,
        "Settle a conflict, and give those that are left.",
        _settle,
        bodies.ConflictToSettle,
    )
    window = "/windows/{window}"
    yield showing(window, "egov.read-windows", bodies.TicketList, "Who waits at a window today.", _waiting)
    yield posting(
        f"{window}/next", "egov.keep-windows", bodies.TicketList, "Call the next one who waits.", _next
    )
    yield posting(
        "/tickets/{id}/end",
        "egov.keep-windows",
        windows.Ticket,
        "Say that a ticket was served, or that nobody came.",
        lambda asked: windows.end(asked.office, act_id(asked.request, "ticket"), served=asked.body.served),
        bodies.TicketToEnd,
    )
    yield showing("/plans", "egov.read-plans", bodies.PlanList, "Payment plans, newest first.", _plans)
    yield showing("/plans/{plan}", "egov.read-plans", bodies.PlanDetail, "A plan and its bad lines.", _plan)
    yield posting(
        "/plans/{plan}/approve",
        "egov.approve-plans",
        plans.Plan,
        "Approve a plan; two persons have to.",
        lambda asked: plans.approve(asked.office, asked.plan, actor=asked.actor),
    )
    yield posting(
        "/plans/{plan}/refuse",
        "egov.approve-plans",
        plans.Plan,
        "Give up a plan of which nothing was paid.",
        lambda asked: plans.refuse_plan(asked.office, asked.plan),
    )
    yield posting(
        "/notices",
        "egov.publish-notices",
        disclosure.Notice,
        "Publish an item.",
        lambda asked: disclosure.publish_notice(
            asked.office,
            asked.body.id,
            **{k: v for k, v in attrs.asdict(asked.body).items() if k != "id"},
            actor=asked.actor,
        ),
        bodies.NoticeToPublish,
    )


def _tell(asked: _Asked) -> bodies.TellingList:
    body: bodies.ResidentToTell = asked.body
    came = register.tell(
        asked.office, body.id_number, asked.department, body.values, day=body.day, actor=asked.actor
    )
    return bodies.TellingList(fields={one.field: one.outcome for one in came})


def _queue(asked: _Asked) -> bodies.ApplicationList:
    with reading(asked.office.engine) as conn:
        return bodies.ApplicationList(applications=tuple(applications.queue(conn, asked.department)))


def _look(asked: _Asked) -> bodies.ApplicationLook:
    wanted = act_id(asked.request, "application")
    seen = applications.look(asked.office, wanted, asked.department, actor=asked.actor)
    return bodies.ApplicationLook(
        application=seen.application, form=seen.form, done=seen.done, fields=seen.file.fields
    )


def _decide(asked: _Asked) -> applications.Application:
    body: bodies.DecisionToMake = asked.body
    return applications.decide(
        asked.office,
        body.id,
        act_id(asked.request, "application"),
        body.department,
        approve=body.approve,
        words=body.words,
        actor=asked.actor,
    )


def _ask(asked: _Asked) -> bodies.PartyAnswer:
    body: bodies.QueryToAsk = asked.body
    came = asking.ask(
        asked.office,
        body.node,
        body.id_number,
        body.fields,
        asker=asked.department,
        purpose=body.purpose,
        actor=asked.actor,
    )
    return bodies.PartyAnswer(query=came.query, node=came.node, known=came.known, values=came.values)


def _make_plan(asked: _Asked) -> bodies.PlanDetail:
    body: bodies.PlanToMake = asked.body
    made = plans.make_plan(
        asked.office,
        body.plan,
        body.programme,
        body.csv,
        title=body.title,
        department=asked.department,
        file="csv",
        actor=asked.actor,
    )
    return _detail(asked.office, made.id)


def _conflicts(asked: _Asked) -> bodies.ConflictList:
    with reading(asked.office.engine) as conn:
        return bodies.ConflictList(conflicts=tuple(register.open_conflicts(conn)))


def _settle(asked: _Asked) -> bodies.ConflictList:
    body: bodies.ConflictToSettle = asked.body
    wanted = act_id(asked.request, "conflict")
    register.settle(asked.office, wanted, body.chosen, reason=body.reason, actor=asked.actor)
    return _conflicts(asked)


def _waiting(asked: _Asked) -> bodies.TicketList:
    return bodies.TicketList(
        tickets=tuple(windows.waiting(asked.office, asked.request.path_params["window"]))
    )


def _next(asked: _Asked) -> bodies.TicketList:
    found = windows.call_next(asked.office, asked.request.path_params["window"], actor=asked.actor)
    return bodies.TicketList(tickets=() if found is None else (found,))


def _plans(asked: _Asked) -> bodies.PlanList:
    with reading(asked.office.engine) as conn:
        return bodies.PlanList(plans=tuple(plans.plans(conn)))


def _plan(asked: _Asked) -> bodies.PlanDetail:
    return _detail(asked.office, asked.plan)


def _detail(office: Office, plan_id: str) -> bodies.PlanDetail:
    with reading(office.engine) as conn:
        found = plans.find_plan(conn, plan_id)
        return bodies.PlanDetail(plan=found, bad=tuple(plans.lines_of(conn, plan_id, state="bad")))
