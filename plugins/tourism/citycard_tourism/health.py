"""What an operator can ask: do the tables of places and tickets agree, and is any refund waiting too long."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, select

from citycard.kernel.identity import HealthCheck, PluginContext
from citycard.store import reading
from citycard_tourism.tables import refund, slot, ticket

__all__ = ["CHECKS"]

_LONG = dt.timedelta(days=3)


def _places(context: PluginContext) -> str | None:
    """Compare the places that slots say are taken with the tickets that take them."""
    assert context.engine is not None
    live = ticket.c.state.in_(("held", "paid", "card", "used"))
    with reading(context.engine) as conn:
        taken = {(row.show, row.starts): row.taken for row in conn.execute(select(slot))}
        sold: dict[tuple[int, dt.datetime], int] = {}
        for column in (ticket.c.starts, ticket.c.step_to):
            query = select(ticket.c.show, column, func.sum(ticket.c.people)).where(live, column.is_not(None))
            for show, starts, people in conn.execute(query.group_by(ticket.c.show, column)):
                sold[show, starts] = sold.get((show, starts), 0) + int(people)
    for key in sorted(taken.keys() | sold.keys()):
        # Rows of holders who were erased are gone, their places stay taken.
        if sold.get(key, 0) > taken.get(key, 0):
            return f"show {key[0]} at {key[1]}: {sold[key]} places sold, {taken.get(key, 0)} counted"
    return None


def _refunds(context: PluginContext) -> str | None:
    assert context.engine is not None
    # Local time is ahead of UTC here, so that nothing is told too early.
    before = context.clock.now().replace(tzinfo=None) - _LONG
    with reading(context.engine) as conn:
        long = (refund.c.state == "due", refund.c.at < before)
        waiting = conn.scalar(select(func.count()).select_from(refund).where(*long))
    return (
        f"{waiting} refunds wait for more than {_LONG.days} days: /tourism/office lists them"
        if waiting
        else None
    )


CHECKS = (
    HealthCheck(name="tourism-places", title="Places counted and sold agree", check=_places),
    HealthCheck(name="tourism-refunds", title="No refund waits too long", check=_refunds),
)
