"""City hall's endpoints for offices and clerks: the register, decisions, queries, windows, plans, notices."""

from __future__ import annotations

import attrs

from citycard.store import reading
from citycard_egov import answering, applications, asking, bodies, disclosure, plans, register, windows
from citycard_egov.messages import opened
from citycard_egov.office import Office
from citycard_egov.routing import Asked, Posted, Shown

__all__ = ["DESK_ENDPOINTS"]

_PLAN_BYTES = 1024 * 1024


def _tell(asked: Asked) -> bodies.TellingList:
    body: bodies.ResidentToTell = asked.body
    came = register.tell(
        asked.office, body.id_number, asked.word("department"), body.values, day=body.day, actor=asked.actor
    )
    return bodies.TellingList(fields={one.field: one.outcome for one in came})


def _queue(asked: Asked) -> bodies.ApplicationList:
    with reading(asked.office.engine) as conn:
        return bodies.ApplicationList(applications=tuple(applications.queue(conn, asked.word("department"))))


def _look(asked: Asked) -> bodies.ApplicationLook:
    wanted = asked.id("application")
    seen = applications.look(asked.office, wanted, asked.word("department"), actor=asked.actor)
    return bodies.ApplicationLook(
        application=seen.application, form=seen.form, done=seen.done, fields=seen.file.fields
    )


def _decide(asked: Asked) -> applications.Application:
    body: bodies.DecisionToMake = asked.body
    return applications.decide(
        asked.office,
        body.id,
        asked.id("application"),
        body.department,
        approve=body.approve,
        words=body.words,
        actor=asked.actor,
    )


def _ask(asked: Asked) -> bodies.PartyAnswer:
    body: bodies.QueryToAsk = asked.body
    came = asking.ask(
        asked.office,
        body.node,
        body.id_number,
        body.fields,
        asker=asked.word("department"),
        purpose=body.purpose,
        actor=asked.actor,
    )
    return bodies.PartyAnswer(query=came.query, node=came.node, known=came.known, values=came.values)


def _receipt(asked: Asked) -> bodies.SignedMessage:
    body: bodies.QueryToAsk = asked.body
    made = asking.receipt_for(
        asked.office,
        body.node,
        body.id_number,
        body.fields,
        asker=asked.word("department"),
        purpose=body.purpose,
    )
    return bodies.SignedMessage(**attrs.asdict(made))


def _answer(asked: Asked) -> bodies.SignedMessage:
    query = opened(attrs.asdict(asked.body))
    return bodies.SignedMessage(**attrs.asdict(answering.answer_query(asked.office, query)))


def _make_plan(asked: Asked) -> bodies.PlanDetail:
    body: bodies.PlanToMake = asked.body
    made = plans.make_plan(
        asked.office,
        body.plan,
        body.programme,
        body.csv,
        title=body.title,
        department=asked.word("department"),
        file="csv",
        actor=asked.actor,
    )
    return _detail(asked.office, made.id)


def _conflicts(asked: Asked) -> bodies.ConflictList:
    with reading(asked.office.engine) as conn:
        return bodies.ConflictList(conflicts=tuple(register.open_conflicts(conn)))


def _settle(asked: Asked) -> bodies.ConflictList:
    body: bodies.ConflictToSettle = asked.body
    wanted = asked.id("conflict")
    register.settle(asked.office, wanted, body.chosen, reason=body.reason, actor=asked.actor)
    return _conflicts(asked)


def _waiting(asked: Asked) -> bodies.TicketList:
    return bodies.TicketList(tickets=tuple(windows.waiting(asked.office, asked.word("window"))))


def _next(asked: Asked) -> bodies.TicketList:
    found = windows.call_next(asked.office, asked.word("window"), actor=asked.actor)
    return bodies.TicketList(tickets=() if found is None else (found,))


def _plans(asked: Asked) -> bodies.PlanList:
    with reading(asked.office.engine) as conn:
        return bodies.PlanList(plans=tuple(plans.plans(conn)))


def _plan(asked: Asked) -> bodies.PlanDetail:
    return _detail(asked.office, asked.word("plan"))


def _detail(office: Office, plan_id: str) -> bodies.PlanDetail:
    with reading(office.engine) as conn:
        found = plans.find_plan(conn, plan_id)
        return bodies.PlanDetail(plan=found, bad=tuple(plans.lines_of(conn, plan_id, state="bad")))


def _end(asked: Asked) -> windows.Ticket:
    return windows.end(asked.office, asked.id("ticket"), served=asked.body.served)


def _approve(asked: Asked) -> plans.Plan:
    return plans.approve(asked.office, asked.word("plan"), actor=asked.actor)


def _refuse(asked: Asked) -> plans.Plan:
    return plans.refuse_plan(asked.office, asked.word("plan"))


def _publish(asked: Asked) -> disclosure.Notice:
    words = attrs.asdict(asked.body)
    return disclosure.publish_notice(asked.office, words.pop("id"), **words, actor=asked.actor)


DESK_ENDPOINTS: tuple[Shown, ...] = (
    Posted(
        path="/departments/{department}/residents",
        permission="egov.tell-residents",
        response=bodies.TellingList,
        summary="Tell the register what this office knows about a person.",
        work=_tell,
        body=bodies.ResidentToTell,
    ),
    Shown(
        path="/departments/{department}/applications",
        permission="egov.read-applications",
        response=bodies.ApplicationList,
        summary="The applications that wait for this office, the most urgent first.",
        work=_queue,
    ),
    Shown(
        path="/departments/{department}/applications/{id}",
        permission="egov.decide-applications",
        response=bodies.ApplicationLook,
        summary="An application with its form and the applicant's fields; the reading is written down.",
        work=_look,
    ),
    Posted(
        path="/applications/{id}/decisions",
        permission="egov.decide-applications",
        response=applications.Application,
        summary="Decide the step of an application whose turn it is.",
        work=_decide,
        body=bodies.DecisionToMake,
    ),
    Posted(
        path="/departments/{department}/queries",
        permission="egov.ask-parties",
        response=bodies.PartyAnswer,
        summary="Ask another party about a resident who consented.",
        work=_ask,
        body=bodies.QueryToAsk,
    ),
    Posted(
        path="/departments/{department}/receipts",
        permission="egov.ask-parties",
        response=bodies.SignedMessage,
        summary="Get the signed receipt of a consent, for a query of the office's own node.",
        work=_receipt,
        body=bodies.QueryToAsk,
    ),
    Posted(
        path="/exchange/query",
        permission="egov.ask-parties",
        response=bodies.SignedMessage,
        summary="Answer a party's signed query about a resident, or refuse it; both are signed.",
        work=_answer,
        body=bodies.SignedMessage,
    ),
    Posted(
        path="/departments/{department}/plans",
        permission="egov.make-plans",
        response=bodies.PlanDetail,
        summary="Hand in a payment plan.",
        work=_make_plan,
        body=bodies.PlanToMake,
        limit=_PLAN_BYTES,
    ),
    Shown(
        path="/conflicts",
        permission="egov.read-conflicts",
        response=bodies.ConflictList,
        summary="Conflicts to settle.",
        work=_conflicts,
    ),
    Posted(
        path="/conflicts/{id}/settle",
        permission="egov.settle-conflicts",
        response=bodies.ConflictList,
        summary="Settle a conflict, and give those that are left.",
        work=_settle,
        body=bodies.ConflictToSettle,
    ),
    Shown(
        path="/windows/{window}",
        permission="egov.read-windows",
        response=bodies.TicketList,
        summary="Who waits at a window today.",
        work=_waiting,
    ),
    Posted(
        path="/windows/{window}/next",
        permission="egov.keep-windows",
        response=bodies.TicketList,
        summary="Call the next one who waits.",
        work=_next,
    ),
    Posted(
        path="/tickets/{id}/end",
        permission="egov.keep-windows",
        response=windows.Ticket,
        summary="Say that a ticket was served, or that nobody came.",
        work=_end,
        body=bodies.TicketToEnd,
    ),
    Shown(
        path="/plans",
        permission="egov.read-plans",
        response=bodies.PlanList,
        summary="Payment plans, newest first.",
        work=_plans,
    ),
    Shown(
        path="/plans/{plan}",
        permission="egov.read-plans",
        response=bodies.PlanDetail,
        summary="A plan and its bad lines.",
        work=_plan,
    ),
    Posted(
        path="/plans/{plan}/approve",
        permission="egov.approve-plans",
        response=plans.Plan,
        summary="Approve a plan; two persons have to.",
        work=_approve,
    ),
    Posted(
        path="/plans/{plan}/refuse",
        permission="egov.approve-plans",
        response=plans.Plan,
        summary="Give up a plan of which nothing was paid.",
        work=_refuse,
    ),
    Posted(
        path="/notices",
        permission="egov.publish-notices",
        response=disclosure.Notice,
        summary="Publish an item.",
        work=_publish,
        body=bodies.NoticeToPublish,
    ),
)
