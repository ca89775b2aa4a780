"""What tills must know to sell offline: whose they are, which tier they write down, and their category."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from citycard.kernel.outside import TerminalConfig

if TYPE_CHECKING:
    from citycard.kernel.identity import PluginContext

__all__ = ["terminal_config"]


def terminal_config() -> TerminalConfig:
    """Declare the section ``tills``, by number, read from the merchants of the moment."""
    return TerminalConfig(name="tills", current=_tills)


def _tills(context: PluginContext) -> Mapping[str, Any]:
    if context.city is None:  # the plugins of no city have no merchants
        return {}
    from citycard.store import reading
    from citycard_retail.market import Market
    from citycard_retail.merchants import tills

    with reading(context.city.engine) as conn:
        return tills(Market(context.city, context.settings), conn)
