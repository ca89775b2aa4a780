"""Whether retail is in order: no merchant pays two fees, nothing waits too long, the supermarket can sell."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from citycard.kernel.identity import HealthCheck

if TYPE_CHECKING:
    from citycard.kernel.identity import PluginContext

__all__ = ["health_checks"]

_PROBE_FEN = 1_000_000
_LONG = timedelta(hours=1)


def health_checks() -> Iterator[HealthCheck]:
    """Declare the checks an operator can run."""
    yield HealthCheck(name="one-fee", title="No merchant pays the city's clearing fee too", check=_one_fee)
    yield HealthCheck(name="waiting", title="No refund or order waits", check=_waiting)
    yield HealthCheck(name="supermarket", title="The supermarket can be paid", check=_supermarket)


def _one_fee(context: PluginContext) -> str | None:
    from citycard_retail.tables import merchant

    city = context.city
    if city is None:
        return None
    wanted = {context.settings.fees_partner: "retail-fees"}
    with _reading(context) as conn:
        wanted |= {row.partner: row.category for row in conn.execute(select(merchant))}
    twice = sorted(
        {kind for partner, kind in wanted.items() if city.terms.fee_fen(partner, _PROBE_FEN, kind)}
    )
    if not twice:
        return None
    kinds = ", ".join(f"{kind} = 0" for kind in twice)
    return f"clearing takes its own fee beside the tiers': write kind_fees_bp = {{{kinds}}} under [clearing]"


def _waiting(context: PluginContext) -> str | None:
    from citycard_retail.tables import order, refund

    if context.city is None:
        return None
    before = context.city.now_local() - _LONG
    with _reading(context) as conn:
        refunds = conn.scalar(select(func.count()).where(refund.c.state == "begun", refund.c.at <= before))
        orders = conn.scalar(
            select(func.count()).where(
                order.c.state.in_(("placed", "cancelling")), order.c.changed_at <= before
            )
        )
    if not refunds and not orders:
        return None
    return f"{refunds} refunds and {orders} orders wait for an hour: citycard plugin run retail.finish"


def _supermarket(context: PluginContext) -> str | None:
    from citycard_retail.tables import merchant, product

    if context.city is None:
        return None
    partner = context.settings.supermarket.partner
    with _reading(context) as conn:
        sells = conn.scalar(select(func.count()).where(product.c.on_sale == 1))
        known = conn.scalar(select(func.count()).where(merchant.c.partner == partner))
    if not sells or known:
        return None
    return f"{sells} products are on sale and {partner} is no merchant: apply for it (citycard retail apply)"


def _reading(context: PluginContext):  # type: ignore[no-untyped-def]  # noqa: ANN202
    from citycard.store import reading

    return reading(context.city.engine)
