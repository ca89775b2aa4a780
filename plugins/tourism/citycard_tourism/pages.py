"""Pages."""

from __future__ import annotations

from collections.abc import Iterator

from citycard.kernel.outside import MenuItem, Route
from citycard_tourism.settings import TourismSettings

__all__ = ["MENU", "pages"]

MENU: tuple[MenuItem, ...] = ()


def pages(settings: TourismSettings) -> Iterator[Route]:
    yield from ()
