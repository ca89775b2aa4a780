"""What city hall tells once it has happened: a card number may be in it, and nothing else of a person."""

from __future__ import annotations

import attrs

from citycard.kernel.data import EventType

__all__ = [
    "APPLICATION_CHANGED",
    "APPLICATION_OVERDUE",
    "CONFLICT_OPENED",
    "EVENT_TYPES",
    "PLAN_PAID",
    "ApplicationChanged",
    "ApplicationOverdue",
    "ConflictOpened",
    "PlanPaid",
]

CONFLICT_OPENED = "egov.conflict-opened"
APPLICATION_CHANGED = "egov.application-changed"
APPLICATION_OVERDUE = "egov.application-overdue"
PLAN_PAID = "egov.plan-paid"


@attrs.frozen(kw_only=True)
class ConflictOpened:
    """Two departments tell a field of a resident differently."""

    conflict: str
    field: str


@attrs.frozen(kw_only=True)
class ApplicationChanged:
    """An application was filed, went on to its next step, or was closed; ``asn`` is the applicant's card."""

    application: str
    service: str
    asn: str
    state: str
    step: int


@attrs.frozen(kw_only=True)
class ApplicationOverdue:
    """A department did not decide a step in time; ``due_on`` was its last day."""

    application: str
    service: str
    department: str
    due_on: str


@attrs.frozen(kw_only=True)
class PlanPaid:
    """A payment plan was paid out: how many payments, and how much."""

    plan: str
    programme: str
    payments: int
    amount_fen: int


EVENT_TYPES = (
    EventType(
        name=CONFLICT_OPENED,
        title="Departments tell a field of the register differently",
        body=ConflictOpened,
    ),
    EventType(name=APPLICATION_CHANGED, title="An application was filed or decided", body=ApplicationChanged),
    EventType(name=APPLICATION_OVERDUE, title="A step of an application is overdue", body=ApplicationOverdue),
    EventType(name=PLAN_PAID, title="A payment plan of a subsidy was paid out", body=PlanPaid),
)
