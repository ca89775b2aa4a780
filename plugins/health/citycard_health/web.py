"""The endpoints of health."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from citycard.kernel.outside import Route
    from citycard_health.settings import HealthSettings

__all__ = ["routes"]


def routes(_settings: HealthSettings) -> Iterator[Route]:
    """Declare the endpoints of a city with these settings."""
    yield from ()
