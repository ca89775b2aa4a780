"""The endpoints of culture and leisure: what is on, buying, changing, and what venues may see."""

from __future__ import annotations

from collections.abc import Iterator

from citycard.kernel.outside import Permission, Route
from citycard_tourism.settings import TourismSettings

__all__ = ["PERMISSIONS", "routes"]

PERMISSIONS: tuple[Permission, ...] = ()


def routes(settings: TourismSettings) -> Iterator[Route]:
    yield from ()
