"""``citycard replay``: a group that plugins fill, one command per kind of taps they can play."""

from __future__ import annotations

import click

from citycard.cli.plugged import PluggedGroup

__all__ = ["group"]


@click.group(cls=PluggedGroup, under="replay")
def group() -> None:
    """Play a city's taps through terminals and chips, then clear and settle them."""
