"""City hall's endpoints for offices and clerks: the register, decisions, queries, windows, plans, notices."""

from __future__ import annotations

import attrs

from citycard.store import reading
from citycard_egov import answering, applications, asking, bodies, disclosure, plans, register, windows
from citycard_egov.messages import opened
from citycard_egov.office import Office
from citycard_egov.routing import Asked

__all__ = [
    "all_plans",
    "answer",
    "approve",
    "ask",
    "call_next",
    "conflicts",
    "decide",
    "end",
    "look",
    "make_plan",
    "plan",
    "publish",
    "queue",
    "receipt",
    "refuse",
    "settle",
    "tell",
    "waiting",
]


def tell(asked: Asked) -> bodies.TellingList:
    """Tell the register what this office knows about a person."""
    body: bodies.ResidentToTell = asked.body
    came = register.tell(
        asked.office, body.id_number, asked.word("department"), body.values, day=body.day, actor=asked.actor
    )
    return bodies.TellingList(fields={one.field: one.outcome for one in came})


def queue(asked: Asked) -> bodies.ApplicationList:
    """List the applications that wait for this office, the most urgent first."""
    with reading(asked.office.engine) as conn:
        return bodies.ApplicationList(applications=tuple(applications.queue(conn, asked.word("department"))))


def look(asked: Asked) -> bodies.ApplicationLook:
    """Give an application with its form and the applicant's fields; the reading is written down."""
    wanted = asked.id("application")
    seen = applications.look(asked.office, wanted, asked.word("department"), actor=asked.actor)
    return bodies.ApplicationLook(
        application=seen.application, form=seen.form, done=seen.done, fields=seen.file.fields
    )


def decide(asked: Asked) -> applications.Application:
    """Decide the step of an application whose turn it is."""
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


def ask(asked: Asked) -> bodies.PartyAnswer:
    """Ask another party about a resident who consented."""
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


def receipt(asked: Asked) -> bodies.SignedMessage:
    """Get the signed receipt of a consent, for a query of the office's own node."""
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


def answer(asked: Asked) -> bodies.SignedMessage:
    """Answer a party's signed query about a resident, or refuse it; both are signed."""
    query = opened(attrs.asdict(asked.body))
    return bodies.SignedMessage(**attrs.asdict(answering.answer_query(asked.office, query)))


def make_plan(asked: Asked) -> bodies.PlanDetail:
    """Hand in a payment plan."""
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


def conflicts(asked: Asked) -> bodies.ConflictList:
    """List the conflicts to settle."""
    with reading(asked.office.engine) as conn:
        return bodies.ConflictList(conflicts=tuple(register.open_conflicts(conn)))


def settle(asked: Asked) -> bodies.ConflictList:
    """Settle a conflict, and give those that are left."""
    body: bodies.ConflictToSettle = asked.body
    wanted = asked.id("conflict")
    register.settle(asked.office, wanted, body.chosen, reason=body.reason, actor=asked.actor)
    return conflicts(asked)


def waiting(asked: Asked) -> bodies.TicketList:
    """Say who waits at a window today."""
    return bodies.TicketList(tickets=tuple(windows.waiting(asked.office, asked.word("window"))))


def call_next(asked: Asked) -> bodies.TicketList:
    """Call the next one who waits."""
    found = windows.call_next(asked.office, asked.word("window"), actor=asked.actor)
    return bodies.TicketList(tickets=() if found is None else (found,))


def all_plans(asked: Asked) -> bodies.PlanList:
    """List the payment plans, newest first."""
    with reading(asked.office.engine) as conn:
        return bodies.PlanList(plans=tuple(plans.plans(conn)))


def plan(asked: Asked) -> bodies.PlanDetail:
    """Give a plan and its bad lines."""
    return _detail(asked.office, asked.word("plan"))


def _detail(office: Office, plan_id: str) -> bodies.PlanDetail:
    with reading(office.engine) as conn:
        found = plans.find_plan(conn, plan_id)
        return bodies.PlanDetail(plan=found, bad=tuple(plans.lines_of(conn, plan_id, state="bad")))


def end(asked: Asked) -> windows.Ticket:
    """Say that a ticket was served, or that nobody came."""
    return windows.end(asked.office, asked.id("ticket"), served=asked.body.served)


def approve(asked: Asked) -> plans.Plan:
    """Approve a plan; two persons have to."""
    return plans.approve(asked.office, asked.word("plan"), actor=asked.actor)


def refuse(asked: Asked) -> plans.Plan:
    """Give up a plan of which nothing was paid."""
    return plans.refuse_plan(asked.office, asked.word("plan"))


def publish(asked: Asked) -> disclosure.Notice:
    """Publish an item."""
    words = attrs.asdict(asked.body)
    return disclosure.publish_notice(asked.office, words.pop("id"), **words, actor=asked.actor)
