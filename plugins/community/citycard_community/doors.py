"""A door: it opens for a card by what it knows offline, and writes a record of 0 fen for each opening."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import attrs

from citycard.city.till import Receipt, Sale, Till, Visit
from citycard.errors import CardLacksSector
from citycard_community.access import admitted
from citycard_community.errors import DoorClosed, TerminalElsewhere
from citycard_community.fees import DOOR
from citycard_community.rights import key_of
from citycard_community.running import Known
from citycard_community.sectors import RIGHTS, CardRights, DoorFacts, Right

if TYPE_CHECKING:
    from citycard.keys.vault import Vault
    from citycard.terminal.reader import Reader

__all__ = ["DoorTerminal", "Opening"]


@attrs.frozen(kw_only=True)
class Opening:
    """A door that opened: by which right, and the receipt; a torn tap that had done it has no right here."""

    door: str
    receipt: Receipt
    right: Right | None


class DoorTerminal:
    """The terminal of a door; ``vault`` stands for its security module, which derives the cards' keys.

    Raise TerminalElsewhere when the till's configuration has no door of its number.
    """

    def __init__(self, till: Till, vault: Vault) -> None:
        self.till, self._vault = till, vault
        self._take()

    def refresh(self) -> int:
        """Take the newest configuration with its lists, and return its number."""
        number = self.till.refresh()
        self._take()
        return number

    def open(self, card: Reader, at: dt.datetime) -> Opening:
        """Open for the card in the reader; raise DoorClosed, CardRefused or CardRemoved."""
        opened: list[Right] = []

        def decide(visit: Visit) -> Sale:
            right = self._right(visit)
            opened[:] = [right]
            facts = DoorFacts(
                community=self._community.number, zone=self._door.zone, kind=right.kind, serial=right.serial
            )
            return Sale(service=DOOR, amount_fen=visit.price(DOOR, facts).amount_fen, facts=facts)

        receipt = self.till.serve(card, at, decide)
        return Opening(door=self._door.id, receipt=receipt, right=opened[0] if opened else None)

    def _right(self, visit: Visit) -> Right:
        try:
            record: CardRights = visit.read(RIGHTS.name)
        except CardLacksSector:
            reason = "the card was never prepared for communities: bring it to a kiosk"
            raise DoorClosed(door=self._door.name, code="no-right", reason=reason) from None
        return admitted(
            self._known.settings,
            self._community,
            self._door,
            record,
            asn=visit.asn,
            key=key_of(self._vault, visit.asn8),
            revoked=self._known.revoked,
            at=visit.at,
        )

    def _take(self) -> None:
        self._known = Known.of(self.till)
        found = self._known.settings.door(self.till.number)
        if found is None:
            raise TerminalElsewhere(terminal=self.till.number, what="door")
        self._community, self._door = found
