"""``citycard key``: versions, roll-over, ceremonies, keys under transport."""

from __future__ import annotations

import click

from citycard.cli.lazy import LazyGroup

__all__ = ["group"]

# Name -> (where the click command stands, its line in --help). Loaded only when called.
_COMMANDS: dict[str, tuple[str, str]] = {
    "audit": ("citycard.cli.key_transport:audit", "List which keys left or came, and check the list."),
    "ceremony": ("citycard.cli.key_ceremony:group", "Make a key from components that several people hold."),
    "export": ("citycard.cli.key_transport:export", "Give a key out under a transport key."),
    "hierarchy": ("citycard.cli.key_versions:hierarchy", "Make a hierarchy of keys with a root of its own."),
    "import": ("citycard.cli.key_transport:import_", "Take a key that comes under a transport key."),
    "list": ("citycard.cli.key_versions:list_versions", "List every key version."),
    "retire": ("citycard.cli.key_versions:retire", "Stop honouring an old version."),
    "roll": ("citycard.cli.key_versions:roll", "Make a new current version of a purpose."),
    "update-card": ("citycard.cli.key_card:update_card", "Write the current keys onto a card at a reader."),
}


@click.group(cls=LazyGroup, table=_COMMANDS)
def group() -> None:
    """Look after a city's keys: versions, ceremonies, export. A key is shown to its custodian alone."""
