"""What happens by time: holds lapse, what was paid is finished, refunds are given, late books are told.

Each job imports what it works with when it runs: declaring the jobs does without.
"""

from __future__ import annotations

import datetime as dt

from citycard.kernel.identity import PluginContext
from citycard.kernel.outside import Job
from citycard_tourism.office import Office

__all__ = ["JOBS"]


def _lapse(context: PluginContext) -> None:
    from citycard_tourism.tickets import lapse_held

    lapse_held(Office.of(context))


def _finish(context: PluginContext) -> None:
    """Finish passes that an account paid and that a break left unfinished."""
    from citycard.errors import PaymentUnknown
    from citycard.store import reading
    from citycard.wallet import Payments
    from citycard_tourism.passes import buy_pass, held_passes
    from citycard_tourism.takings import payment_id

    office = Office.of(context)
    with reading(office.engine) as conn:
        held = held_passes(conn)
    for one in held:
        try:
            Payments(office.city.wallet).find(payment_id(one.id))
        except PaymentUnknown:
            continue
        buy_pass(office, one.id, one.asn, office.settings.plan(one.plan))


def _refund(context: PluginContext) -> None:
    from citycard_tourism.takings import give_due

    give_due(Office.of(context))


def _overdue(context: PluginContext) -> None:
    from citycard_tourism.library import tell_overdue

    tell_overdue(Office.of(context))


def _visits(context: PluginContext) -> None:
    from citycard_tourism.visits import keep_visits

    keep_visits(Office.of(context))


JOBS = (
    Job(
        name="keep-visits",
        title="Keep the visits that were cleared",
        every=dt.timedelta(hours=1),
        run=_visits,
    ),
    Job(name="lapse-holds", title="Free places that nobody paid", every=dt.timedelta(minutes=1), run=_lapse),
    Job(
        name="finish-passes", title="Finish passes that were paid", every=dt.timedelta(minutes=5), run=_finish
    ),
    Job(name="give-refunds", title="Give back what is due", every=dt.timedelta(minutes=10), run=_refund),
    Job(name="tell-overdue", title="Tell who has a late book", every=dt.timedelta(hours=6), run=_overdue),
)
