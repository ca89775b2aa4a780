"""The city's side of writing to its cards: it gives a MAC only to commands that it decided on itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from citycard.errors import OfficeRefused
from citycard.keys.line import line_mac
from citycard.keys.versions import KeyStatus

if TYPE_CHECKING:
    from citycard.city.city import City

__all__ = ["Maintenance"]

_PURPOSE = "maintenance"


class Maintenance:
    """A host for maintenance sessions (``terminal.maintaining``); ``allow`` says what may be written."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._allowed: set[tuple[str, bytes]] = set()

    def allow(self, asn: str, command: bytes) -> None:
        """Let a command be sent to a card, as often as it takes to arrive."""
        self._allowed.add((asn, command))

    def line_mac(self, asn: str, command: bytes, challenge: bytes, attempt: int) -> bytes:
        """Return the MAC of an allowed command; OfficeRefused for any other, and after the last version."""
        if (asn, command) not in self._allowed:
            raise OfficeRefused(asn=asn, reason=f"nobody decided on the command {command[:4].hex().upper()}")
        rows = [row for row in self._city.vault.versions() if row.purpose == _PURPOSE]
        usable = [row for row in rows if row.status in {KeyStatus.CURRENT, KeyStatus.ACCEPTED}]
        usable.sort(key=lambda row: (row.status is not KeyStatus.CURRENT, -row.version))
        if attempt >= len(usable):
            raise OfficeRefused(asn=asn, reason="its maintenance key is none that the city still has")
        key = self._city.vault.card_key(_PURPOSE, bytes.fromhex(asn[4:]), usable[attempt].version)
        return line_mac(key, command, challenge)
