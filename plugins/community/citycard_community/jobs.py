"""What happens by time: bills, payments and sales that broke off, cards that were replaced.

Each job imports what it works with when it runs: declaring the jobs does without.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING

from citycard.kernel.outside import Job

if TYPE_CHECKING:
    from citycard.kernel.identity import PluginContext

__all__ = ["jobs"]


def jobs() -> Iterator[Job]:
    """Declare the jobs; each may run twice."""
    hour, day = dt.timedelta(hours=1), dt.timedelta(days=1)
    yield Job(name="bill", title="Bill the property fee of the month", every=day, run=_bill)
    yield Job(name="finish", title="Finish payments and sales that broke off", every=hour, run=_finish)
    yield Job(name="follow", title="Move rights from replaced cards on", every=hour, run=_follow)


def _bill(context: PluginContext) -> None:
    from citycard_community.billing import bill_month

    bill_month(context.city, context.settings, context.city.now_local().date())


def _finish(context: PluginContext) -> None:
    from citycard_community.billing import finish_payments
    from citycard_community.passes import finish_passes

    city, now = context.city, context.city.now_local()
    finish_payments(city, context.settings, now)
    finish_passes(city, context.settings, now)


def _follow(context: PluginContext) -> None:
    from citycard_community.replacing import follow_replacements

    follow_replacements(context.city, context.settings)
