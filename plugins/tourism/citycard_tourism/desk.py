"""A staffed terminal of a venue: it is online with the city, and has a reader for the card.

What it does at a card is noted in the city's tables first, then the card is written in one step, then the
tables are brought to the end. Torn anywhere, the same act is asked for again and goes on where it stopped.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs

from citycard.city.till import Receipt, Sale, Till, Visit
from citycard.errors import CardRemoved, CitycardError, Phrase
from citycard_tourism.errors import RightMissing, WrittenBefore
from citycard_tourism.office import Office
from citycard_tourism.sectors import RightKind, Step, VisitFacts
from citycard_tourism.services import VISIT

if TYPE_CHECKING:
    from citycard.terminal import Reader

__all__ = ["Desk", "Served"]


class _Looked(CitycardError):
    """The card was only to be looked at."""

    sentence = "card {asn} was looked at"


@attrs.frozen(kw_only=True)
class Served:
    """How serving a card ended: what was charged, or None where an earlier tap had done it."""

    receipt: Receipt | None = None


class Desk:
    """A terminal of ``venue`` that sells, changes and lends; ``venue`` is an id of the settings."""

    def __init__(self, office: Office, till: Till, venue: str) -> None:
        self.office, self.till = office, till
        self.venue = office.settings.venue(venue)

    @property
    def now(self) -> dt.datetime:
        """The city's local time."""
        return self.office.now

    def asn_of(self, reader: Reader) -> str:
        """Say which card lies on the reader; raise CardRefused for one that is not served."""

        def look(visit: Visit) -> Sale:
            raise _Looked(asn=visit.asn)

        try:
            return self.till.serve(reader, self.now, look).debit.asn
        except _Looked as looked:
            return str(looked.data["asn"])

    def serve(
        self,
        reader: Reader,
        asn: str,
        decide: Callable[[Visit], Sale],
        *,
        fresh: bool,
        undo: Callable[[], object],
    ) -> Served:
        """Serve one card; ``undo`` what was noted where the card is known not to have been written.

        Of an act that is not ``fresh`` an earlier tap may have written the card: it is only undone once the
        card was looked at.
        """
        looked = False

        def watched(visit: Visit) -> Sale:
            nonlocal looked
            if visit.asn != asn:
                raise RightMissing(asn=visit.asn, venue=Phrase("an act of card {asn}", asn=asn))
            looked = True
            return decide(visit)

        try:
            receipt = self.till.serve(reader, self.now, watched)
            if receipt.recovered and not looked:
                # An earlier act was torn and is finished now; this one was not asked for yet.
                receipt = self.till.serve(reader, self.now, watched)
        except WrittenBefore:
            return Served()
        except CardRemoved:
            raise
        except CitycardError:
            if fresh or looked:
                undo()
            raise
        return Served(receipt=receipt)

    def written(
        self,
        right: RightKind,
        number: int,
        serial: int,
        writes: dict[str, Any],
        *,
        step: Step = Step.WRITE,
        people: int = 1,
    ) -> Sale:
        """Say that a right is written onto the card, or taken off, and costs nothing."""
        facts = VisitFacts(
            venue=self.venue.number,
            right=right,
            number=number,
            serial=serial,
            step=step,
            people=people,
            group=self.venue.gates,
        )
        return Sale(service=VISIT, amount_fen=0, facts=facts, writes=writes)
