"""A school's terminal: a till that reads the enrolment on a card and refuses what is not in order, offline.

It knows its configuration, the keys of its SAM and the card, and the rest when it refreshes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from citycard.card.codec import evolve
from citycard.city.till import Receipt, Sale, Till, Visit
from citycard.errors import CardLacksSector, Phrase
from citycard_campus.errors import DayLimitReached, NotEnrolled, RightsEnded
from citycard_campus.marks import check, marked
from citycard_campus.roll import pot_number
from citycard_campus.sectors import ENROLMENT, Enrolment, Role
from citycard_campus.services import TERMINALS

if TYPE_CHECKING:
    from citycard.terminal import Reader
    from citycard_campus.campus import Campus

__all__ = ["Holder", "Post"]


@attrs.frozen(kw_only=True)
class Holder:
    """Whose card it is, as the card and the terminal's configuration say.

    ``enrolment`` is what stands on the card; ``role`` what counts now: a guest where nothing or no more.
    """

    enrolment: Enrolment
    role: Role
    pot_open: bool


class Post:
    """Be a school's terminal; ``number`` is registered for the school, or for who runs its canteen."""

    def __init__(self, campus: Campus, number: str, school: str) -> None:
        self.campus, self.school = campus, campus.settings.school(school)
        self.till = Till(campus.city, number)

    def refresh(self) -> None:
        """Take the newest configuration: blacklist, ended enrolments, closed pots."""
        self.till.refresh()

    def serve(self, reader: Reader, at: dt.datetime, decide: Callable[[Visit], Sale]) -> Receipt:
        """Serve the card in a reader; raise what the till and ``decide`` raise."""
        return self.till.serve(reader, at, decide)

    def holder(self, visit: Visit) -> Holder:
        """Read who the holder is; raise MarkBroken for a record that is not this card's own.

        A card without the sector, or enrolled at another school, is a guest's.
        """
        try:
            enrolment = visit.read(ENROLMENT.name)
        except CardLacksSector:
            return Holder(enrolment=Enrolment(), role=Role.GUEST, pot_open=False)
        check(enrolment, ENROLMENT.name, visit.asn, self.campus.keys(visit.asn8))
        known = self._known()
        here = enrolment.school == self.school.number and not self._over(enrolment, known, visit.at)
        return Holder(
            enrolment=enrolment,
            role=enrolment.role if here else Role.GUEST,
            pot_open=here and pot_number(enrolment.pupil, visit.asn) not in known.get("closed_pots", ()),
        )

    def enrolled(self, visit: Visit) -> Enrolment:
        """Read the enrolment at this school; raise NotEnrolled, RightsEnded or MarkBroken."""
        found = self.holder(visit)
        if found.enrolment.role is Role.GUEST or found.enrolment.school != self.school.number:
            raise NotEnrolled(asn=visit.asn)
        over = self._over(found.enrolment, self._known(), visit.at)
        if over:
            raise RightsEnded(asn=visit.asn, reason=over)
        enrolment: Enrolment = found.enrolment
        return enrolment

    def paying(self, enrolment: Enrolment, amount_fen: int, at: dt.datetime) -> Enrolment:
        """Count what the purse pays into the day; raise DayLimitReached beyond the guardian's limit."""
        left_fen = enrolment.left_on(at.date())
        if left_fen is not None and amount_fen > left_fen:
            raise DayLimitReached(left_fen=left_fen, wanted_fen=amount_fen)
        return self.counted(enrolment, amount_fen, at)

    def counted(self, enrolment: Enrolment, amount_fen: int, at: dt.datetime) -> Enrolment:
        """Count what the purse pays into the day, whatever the limit: what was used has to be paid."""
        spent_fen = enrolment.spent_today(at.date()) + amount_fen
        return evolve(enrolment, spent_on=at.date(), spent_today_fen=spent_fen)

    def marked(self, visit: Visit, record: Any, sector: str) -> Any:
        """Put the card's mark into a record that is to be written."""
        return marked(record, sector, visit.asn, self.campus.keys(visit.asn8)[0])

    def _known(self) -> Mapping[str, Any]:
        return self.till.configured("campus", TERMINALS)

    def _over(self, enrolment: Enrolment, known: Mapping[str, Any], at: dt.datetime) -> str:
        """Say why an enrolment is over; nothing while it holds."""
        if enrolment.until is None or at.date() > enrolment.until:
            return Phrase("its last day was {until}", until=enrolment.until)
        return "the school ended the enrolment" if enrolment.pupil in known.get("ended", ()) else ""
