"""Questions that an operator can ask of city hall."""

from __future__ import annotations

from typing import TYPE_CHECKING

from citycard.kernel.identity import HealthCheck
from citycard.store import reading
from citycard_egov import chain
from citycard_egov.tables import exchange_log

if TYPE_CHECKING:
    from citycard.kernel.identity import PluginContext

__all__ = ["CHECKS"]


def _whole(context: PluginContext) -> str | None:
    assert context.engine is not None
    with reading(context.engine) as conn:
        return chain.broken(conn, exchange_log)


CHECKS = (HealthCheck(name="exchange-log", title="The log of queries is what was written", check=_whole),)
