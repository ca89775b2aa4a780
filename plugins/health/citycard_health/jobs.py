"""What happens by time: missed appointments, records that came, broken-off work, insurers' months.

Each job and each check imports what it works with when it runs: declaring them does without.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
from collections.abc import Iterator

from citycard import HealthCheck, Job, PluginContext
from citycard.errors import CitycardError, KeyHierarchyMissing
from citycard.store import reading
from citycard_health.errors import StatementRefused

__all__ = ["JOBS", "health_checks"]

_MANY = 1000
_log = logging.getLogger("citycard.health")


def _no_shows(context: PluginContext) -> None:
    from citycard_health.booking import miss_overdue

    miss_overdue(context.city, context.settings)


def _records(context: PluginContext) -> None:
    from citycard_health.counter import take_records

    take_records(context.city)


def _finish(context: PluginContext) -> None:
    """Go on with whatever was broken off between two of its steps; what cannot yet keeps nothing else."""
    from citycard_health.returns import even_out, finish_return, waiting_evening, waiting_returns
    from citycard_health.sports import finish_sport, waiting_sports
    from citycard_health.visits import finish_charging, visits_of

    city = context.city
    with reading(city.engine) as conn:
        visits = visits_of(conn, state="charging", limit=_MANY)
        refunds, sports, purses = waiting_returns(conn), waiting_sports(conn), waiting_evening(conn)
    waiting = [
        *((finish_charging, visit.id) for visit in visits),
        *((finish_return, identity) for identity in refunds),
        *((even_out, identity) for identity in purses),
        *((finish_sport, identity) for identity in sports),
    ]
    for finish, identity in waiting:
        try:
            finish(city, identity)
        except CitycardError as waits:
            _log.warning("%s %s is not done yet: %s", finish.__name__, identity, waits)


def _claims(context: PluginContext) -> None:
    """Close last month for every insurer that owes something of it, and settle what the bank has booked."""
    from citycard_health.claims import close_month, settle_paid

    city, settings = context.city, context.settings
    month = city.now_local().date().replace(day=1) - dt.timedelta(days=1)
    for insurer in settings.insurers:
        with contextlib.suppress(StatementRefused):
            close_month(city, settings, insurer.id, f"{month:%Y-%m}")
    settle_paid(city)


JOBS = (
    Job(name="no-shows", title="Note missed appointments", every=dt.timedelta(minutes=15), run=_no_shows),
    Job(name="records", title="Take what cleared records say", every=dt.timedelta(minutes=5), run=_records),
    Job(name="finish", title="Finish what was broken off", every=dt.timedelta(minutes=5), run=_finish),
    Job(name="claims", title="Close and settle insurers' months", every=dt.timedelta(hours=1), run=_claims),
)


def health_checks() -> Iterator[HealthCheck]:
    """Give what an operator can ask: are the keys there, do claims and places add up."""
    yield HealthCheck(name="health-keys", title="Health has keys of its own", check=_keys)
    yield HealthCheck(name="health-claims", title="The ledger has the claims", check=_claims_add_up)
    yield HealthCheck(name="health-places", title="No doctor is booked too often", check=_places_add_up)
    yield HealthCheck(name="health-returns", title="Purses got what came back", check=_purses_got_it)


def _keys(context: PluginContext) -> str | None:
    from citycard_health.patients import HIERARCHY

    if context.city is None:
        return None
    try:
        context.city.hierarchy(HIERARCHY)
    except KeyHierarchyMissing as missing:
        return str(missing)
    return None


def _claims_add_up(context: PluginContext) -> str | None:
    from citycard_health.addresses import CLAIMS, insurer_account
    from citycard_health.claims import open_fen

    if context.city is None:
        return None
    with reading(context.city.engine) as conn:
        whole = 0
        for insurer in context.settings.insurers:
            owed = open_fen(conn, insurer.id)
            booked = context.city.ledger.balance_fen(conn, insurer_account(insurer.id))
            whole += owed
            if owed != booked:
                return f"{insurer.id} owes {owed} fen by its claims, and {booked} fen by the ledger"
        waiting = context.city.ledger.balance_fen(conn, CLAIMS)
    return None if whole == waiting else f"{waiting} fen wait for insurers that owe {whole} fen"


def _purses_got_it(context: PluginContext) -> str | None:
    from citycard_health.returns import waiting_evening

    if context.engine is None:
        return None
    with reading(context.engine) as conn:
        waiting = waiting_evening(conn)
    if not waiting:
        return None
    visit, record = next(iter(waiting.items()))
    told = f"the purse is owed money of visit {visit}: let the holder dispute record {record}"
    return told if len(waiting) == 1 else f"{told}; {len(waiting) - 1} more visits wait so"


def _places_add_up(context: PluginContext) -> str | None:
    from sqlalchemy import func, select

    from citycard_health.tables import booking, slot

    if context.engine is None:
        return None
    counted = (
        select(func.count())
        .where(booking.c.slot == slot.c.id, booking.c.state != "cancelled")
        .scalar_subquery()
    )
    with reading(context.engine) as conn:
        wrong = conn.scalar(select(func.count()).select_from(slot).where(slot.c.taken != counted))
    return f"{wrong} slots count other places than are booked" if wrong else None
