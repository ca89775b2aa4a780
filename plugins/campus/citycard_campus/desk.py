"""The school's desk: what the city's books say of a pupil is written onto the card, in one step.

Only sums that grow and the newest limits are written, so that a tap done twice changes nothing.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import TYPE_CHECKING

from citycard.card.codec import evolve
from citycard.city.till import Receipt, Sale, Visit
from citycard.errors import Phrase, WalletRefused
from citycard.store import reading, writing
from citycard_campus.errors import MarkBroken, PupilUnknown, RightsEnded, SectorStale
from citycard_campus.fares import DESK
from citycard_campus.marks import check
from citycard_campus.posts import Post
from citycard_campus.pots import Pot, carry, find_pot
from citycard_campus.roll import Pupil, pupil_of
from citycard_campus.sectors import ENROLMENT, DeskFacts, Enrolment, Role
from citycard_campus.tables import pot

if TYPE_CHECKING:
    from citycard.terminal import Reader

__all__ = ["Desk"]


class Desk(Post):
    """Enrol cards, carry meal money onto them, and write the guardian's limit; it has a line to the city."""

    def write(self, reader: Reader, at: dt.datetime, *, heal: bool = False) -> Receipt:
        """Write the enrolment onto the card in a reader.

        ``heal`` puts right a card whose record was damaged or set back, as a person at the desk decided:
        what was used goes on from what is cleared. Raise PupilUnknown for a card that nobody enrolled,
        RightsEnded, MarkBroken, SectorStale.
        """

        def enrol(visit: Visit) -> Sale:
            return self._enrol(visit, heal=heal)

        return self.serve(reader, at, enrol)

    def _enrol(self, visit: Visit, *, heal: bool) -> Sale:
        # An account that is frozen keeps its grant, and is no reason not to write the rest.
        with contextlib.suppress(WalletRefused):
            carry(self.campus, visit.asn)
        with reading(self.campus.engine) as conn:
            known, held = pupil_of(conn, visit.asn), find_pot(conn, visit.asn)
        if known.school != self.school.number:
            raise PupilUnknown(key=Phrase("card {asn} at {school}", asn=visit.asn, school=self.school.id))
        if not known.enrolled(visit.at.date()):
            raise RightsEnded(asn=visit.asn, reason=Phrase("its last day was {until}", until=known.until))
        after = self._after(visit, known, held, heal=heal)
        facts = DeskFacts(
            school=after.school,
            role=after.role,
            pupil=after.pupil,
            loaded_fen=after.loaded_fen,
            spent_fen=after.spent_fen,
            uses=after.uses,
            until=after.until,
        )
        return Sale(
            service=DESK,
            amount_fen=0,
            facts=facts,
            writes={ENROLMENT.name: self.marked(visit, after, ENROLMENT.name)},
        )

    def _after(self, visit: Visit, known: Pupil, held: Pot, *, heal: bool) -> Enrolment:
        before = self._before(visit, held, heal=heal)
        return evolve(
            before,
            role=Role[known.role.upper()],
            school=known.school,
            pupil=known.number,
            group=known.group,
            until=known.until,
            loaded_fen=held.loaded_fen,
            # What went back of a pot that this card had before is not on it any more.
            spent_fen=max(before.spent_fen, held.settled_fen + held.returned_fen),
            uses=max(before.uses, held.last_use),
            limited=known.day_limit_fen is not None,
            day_limit_fen=known.day_limit_fen or 0,
        )

    def _before(self, visit: Visit, held: Pot, *, heal: bool) -> Enrolment:
        before: Enrolment = visit.read(ENROLMENT.name)
        try:
            check(before, ENROLMENT.name, visit.asn, self.campus.keys(visit.asn8))
        except MarkBroken:
            if not heal:
                raise
            return Enrolment()
        if before.uses < held.last_use and not heal:
            with writing(self.campus.engine) as conn:
                conn.execute(pot.update().where(pot.c.asn == visit.asn).values(flagged=True))
            raise SectorStale(asn=visit.asn, on_card=before.uses, cleared=held.last_use)
        return before
