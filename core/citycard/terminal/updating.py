"""Loading newly enabled domains onto a card in use, at any reader with a line to the card's city.

What is missing is added record by record. Each is there or not, whenever the card is taken away, so that the
next sight of the card goes on where this one ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import attrs

from citycard.card.files import TRANSIT_PROFILE, CardProfile
from citycard.errors import CardHasNoRoom, MaintenanceRefused
from citycard.terminal.maintaining import MaintenanceHost, MaintenanceSession
from citycard.terminal.reader import Reader

__all__ = ["CardUpdate", "UpdateHost", "WantedRecord", "update_card"]

_NO_ROOM = "6A84"


@attrs.frozen(kw_only=True)
class WantedRecord:
    """A record that a card is to carry: the sector it is for, and all its bytes."""

    sector: str
    data: bytes


class UpdateHost(MaintenanceHost, Protocol):
    """The city's side of an update."""

    def begin(self, asn: str, issuer: str, records: Sequence[bytes]) -> Sequence[WantedRecord]:
        """Return what a card that carries these records lacks, in order; OfficeRefused."""
        ...

    def finish(self, asn: str, records: Sequence[bytes]) -> int:
        """Take note of what the card carries now, and return the version of its product that this is."""
        ...


@attrs.frozen(kw_only=True)
class CardUpdate:
    """What an update did: the sectors it added, and the version of its product that the card now is."""

    asn: str
    added: tuple[str, ...]
    version: int


def update_card(reader: Reader, host: UpdateHost, *, profile: CardProfile = TRANSIT_PROFILE) -> CardUpdate:
    """Add to the card in a reader what the newest version of its product has more; again without harm.

    Raises CardRemoved at any point: hold the card to a reader again. OfficeRefused says that this card is
    not updated, before anything is written; CardHasNoRoom that it is full: it stays at its old version.
    """
    session = MaintenanceSession(reader, host, profile=profile)
    application = session.open()
    wanted = host.begin(application.asn, application.issuer, session.records())
    for record in wanted:
        try:
            session.append(record.data)
        except MaintenanceRefused as refused:
            if refused.data["status_word"] != _NO_ROOM:
                raise
            raise CardHasNoRoom(asn=application.asn, sector=record.sector, needed=len(record.data)) from None
    version = host.finish(application.asn, session.records())
    return CardUpdate(asn=application.asn, added=tuple(record.sector for record in wanted), version=version)
