"""What happens by time: after runs of clearing, and to what was broken off in the middle."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from citycard.kernel.outside import Job

if TYPE_CHECKING:
    from citycard.kernel.identity import PluginContext

__all__ = ["jobs"]


def jobs() -> Iterator[Job]:
    """Declare retail's work."""
    yield Job(
        name="close-runs",
        title="Put fees right after a run, and do the voids of tills",
        every=timedelta(minutes=10),
        run=_close_runs,
    )
    yield Job(
        name="finish",
        title="Finish sales, orders and refunds that were broken off",
        every=timedelta(minutes=5),
        run=_finish,
    )


def _close_runs(context: PluginContext) -> None:
    from citycard_retail.closing import close_runs
    from citycard_retail.market import Market

    close_runs(Market(context.city, context.settings))


def _finish(context: PluginContext) -> None:
    from citycard_retail.market import Market
    from citycard_retail.orders import finish_orders
    from citycard_retail.pos import PosHost
    from citycard_retail.refunds import finish_refunds

    market = Market(context.city, context.settings)
    PosHost(market).finish()
    finish_refunds(market)
    finish_orders(market)
