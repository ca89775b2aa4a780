"""What city hall does by itself: mark what is overdue, and pay plans that two persons approved."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from citycard.kernel.outside import Job

if TYPE_CHECKING:
    from citycard.kernel.identity import PluginContext

__all__ = ["JOBS"]


def _mark_overdue(context: PluginContext) -> None:
    from citycard_egov.applications import mark_overdue
    from citycard_egov.office import Office

    mark_overdue(Office.within(context))


def _finish_applications(context: PluginContext) -> None:
    from citycard_egov.filing import finish_paying
    from citycard_egov.office import Office

    finish_paying(Office.within(context))


def _pay_plans(context: PluginContext) -> None:
    from citycard.store import reading
    from citycard_egov.office import Office
    from citycard_egov.plans import PlanState, pay_plan, plans

    office = Office.within(context)
    with reading(office.engine) as conn:
        due = [one.id for one in plans(conn) if one.state in {PlanState.APPROVED, PlanState.PAYING}]
    for name in reversed(due):
        pay_plan(office, name, actor="job pay-plans")


JOBS = (
    Job(name="mark-overdue", title="Mark overdue steps", every=timedelta(hours=1), run=_mark_overdue),
    Job(
        name="finish-applications",
        title="Finish applications that were broken off while paying",
        every=timedelta(minutes=5),
        run=_finish_applications,
    ),
    Job(name="pay-plans", title="Pay approved plans", every=timedelta(minutes=5), run=_pay_plans),
)
