"""The till of a community clinic: a visit fee, less for who carries a resident's right of its communities."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from citycard.city.till import Receipt, Sale, Till, Visit
from citycard.errors import CardLacksSector, Phrase
from citycard_community.errors import TerminalElsewhere
from citycard_community.fees import CLINIC
from citycard_community.rights import good_rights, key_of
from citycard_community.running import Known
from citycard_community.sectors import RIGHTS, ClinicFacts, RightKind

if TYPE_CHECKING:
    from citycard.keys.vault import Vault
    from citycard.terminal.reader import Reader

__all__ = ["ClinicTill"]

_RESIDENTS = frozenset({RightKind.OWNER, RightKind.TENANT})


class ClinicTill:
    """The till of a clinic by its number; raise TerminalElsewhere when there is no such clinic."""

    def __init__(self, till: Till, vault: Vault, clinic: int) -> None:
        self.till, self._vault = till, vault
        self._known = Known.of(till)
        found = self._known.settings.clinic(clinic)
        if found is None:
            raise TerminalElsewhere(
                terminal=till.number, what=Phrase("till of clinic {clinic}", clinic=clinic)
            )
        self._clinic = found

    def refresh(self) -> int:
        """Take the newest configuration with its lists, and return its number."""
        number = self.till.refresh()
        self._known = Known.of(self.till)
        return number

    def visit(self, card: Reader, at: dt.datetime) -> Receipt:
        """Take the visit fee from the card in the reader; raise CardRefused or CardRemoved."""

        def decide(visit: Visit) -> Sale:
            facts = ClinicFacts(clinic=self._clinic.number, serial=self._resident(visit))
            return Sale(service=CLINIC, amount_fen=visit.price(CLINIC, facts).amount_fen, facts=facts)

        return self.till.serve(card, at, decide)

    def _resident(self, visit: Visit) -> int:
        """Give the serial of the right that shows a resident, 0 without one."""
        try:
            record = visit.read(RIGHTS.name)
        except CardLacksSector:
            return 0
        settings = self._known.settings
        homes = {settings.community(name).number for name in self._clinic.communities}
        key = key_of(self._vault, visit.asn8)
        found = [
            one.serial
            for one in good_rights(record, visit.asn, key, self._known.revoked)
            if one.kind in _RESIDENTS and one.community in homes and one.holds_on(visit.at.date())
        ]
        return min(found, default=0)
