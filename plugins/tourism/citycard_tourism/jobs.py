"""What happens by time: holds lapse, what was paid is finished, refunds are given, late books are told."""

from __future__ import annotations

import datetime as dt

from citycard.errors import PaymentUnknown
from citycard.kernel.identity import PluginContext
from citycard.kernel.outside import Job
from citycard.store import reading
from citycard.wallet import Payments
from citycard_tourism.library import tell_overdue
from citycard_tourism.office import Office
from citycard_tourism.passes import buy_pass, held_passes
from citycard_tourism.takings import give_due, payment_id
from citycard_tourism.tickets import lapse_held
from citycard_tourism.visits import keep_visits

__all__ = ["JOBS"]


def _lapse(context: PluginContext) -> None:
    lapse_held(Office.of(context))


def _finish(context: PluginContext) -> None:
    """Finish passes that an account paid and that a break left unfinished."""
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
    give_due(Office.of(context))


def _overdue(context: PluginContext) -> None:
    tell_overdue(Office.of(context))


def _visits(context: PluginContext) -> None:
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
