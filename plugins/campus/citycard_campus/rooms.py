"""Doors, lessons and computer rooms: taps that cost nothing, and sessions that are billed by the minute."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from citycard.card.codec import decode
from citycard.city.till import Receipt, Sale, Visit
from citycard.store import reading, writing
from citycard.terminal.record import RecordKind
from citycard_campus.attendance import attend, lesson_for
from citycard_campus.errors import DayLimitReached, DoorClosed, PurseTooSmall
from citycard_campus.fares import COMPUTER, DOOR, LESSON
from citycard_campus.marks import check
from citycard_campus.posts import Post
from citycard_campus.roll import find_pupil
from citycard_campus.sectors import ENROLMENT, SESSION, ComputerFacts, Enrolment, PassFacts, Role, Session

if TYPE_CHECKING:
    from citycard.terminal import Reader
    from citycard_campus.campus import Campus

__all__ = ["ComputerRoom", "Gate", "LessonRoom"]


class Gate(Post):
    """A door of the school, which opens for the roles and hours of its configuration."""

    def __init__(self, campus: Campus, number: str, school: str, door: int) -> None:
        super().__init__(campus, number, school)
        found = [one for one in campus.settings.doors if (one.school, one.number) == (school, door)]
        self.door, self._doors = door, found

    def enter(self, reader: Reader, at: dt.datetime) -> Receipt:
        """Open for the card in a reader; raise DoorClosed, NotEnrolled, RightsEnded or MarkBroken."""

        def passing(visit: Visit) -> Sale:
            enrolment = self.enrolled(visit)
            role = enrolment.role.word
            if not any(one.opens(role, visit.at) for one in self._doors):
                raise DoorClosed(door=self.door, role=role, at=f"{visit.at:%H:%M}")
            return Sale(service=DOOR, amount_fen=0, facts=_passed(enrolment, self.door))

        return self.serve(reader, at, passing)


class LessonRoom(Post):
    """A room with lessons. With a line it tells each presence at once, else its records do later."""

    def __init__(self, campus: Campus, number: str, school: str, room: int, *, online: bool = True) -> None:
        super().__init__(campus, number, school)
        self.room, self.online = room, online

    def attend(self, reader: Reader, at: dt.datetime) -> Receipt:
        """Note that the holder is there; raise LessonUnknown (with a line), NotEnrolled, RightsEnded."""

        def present(visit: Visit) -> Sale:
            enrolment = self.enrolled(visit)
            if self.online:
                with reading(self.campus.engine) as conn:
                    lesson_for(self.campus, conn, enrolment.school, enrolment.group, self.room, visit.at)
            return Sale(service=LESSON, amount_fen=0, facts=_passed(enrolment, self.room))

        receipt = self.serve(reader, at, present)
        if self.online:
            # The facts that the card's step was made with: a torn tap that is finished here has its own.
            facts = decode(PassFacts, receipt.debit.plan.facts)
            with writing(self.campus.engine) as conn:
                attend(self.campus, conn, find_pupil(conn, facts.pupil), facts.place, receipt.debit.at)
        return receipt


class ComputerRoom(Post):
    """A computer room: the first tap begins a session, the next one ends it and takes what it came to."""

    def __init__(self, campus: Campus, number: str, school: str, room: int) -> None:
        super().__init__(campus, number, school)
        self.room = room

    def tap(self, reader: Reader, at: dt.datetime) -> Receipt:
        """Begin a session, or end the one that goes on; a forgotten one ends at the cap with the next tap.

        Raise PurseTooSmall or DayLimitReached when a session may cost more than there is, NotEnrolled,
        RightsEnded or MarkBroken.
        """
        return self.serve(reader, at, self._session)

    def _session(self, visit: Visit) -> Sale:
        session: Session = visit.read(SESSION.name)
        check(session, SESSION.name, visit.asn, self.campus.keys(visit.asn8))
        return self._end(visit, session) if session.room else self._begin(visit)

    def _begin(self, visit: Visit) -> Sale:
        enrolment = self.enrolled(visit)
        computer = self.campus.settings.computer
        free = enrolment.role is Role.TEACHER and not computer.teacher_minute_fen
        most_fen = 0 if free else computer.cap_fen
        if visit.balance_fen < most_fen:
            raise PurseTooSmall(balance_fen=visit.balance_fen, wanted_fen=most_fen)
        left_fen = enrolment.left_on(visit.at.date())
        if left_fen is not None and left_fen < most_fen:
            raise DayLimitReached(left_fen=left_fen, wanted_fen=most_fen)
        begun = Session(room=self.room, began=visit.at.replace(microsecond=0))
        facts = self._facts(enrolment, None)
        return Sale(
            service=COMPUTER,
            amount_fen=0,
            facts=facts,
            kind=RecordKind.ENTRY,
            writes={SESSION.name: self.marked(visit, begun, SESSION.name)},
        )

    def _end(self, visit: Visit, session: Session) -> Sale:
        # Whose rights ended meanwhile still pays for the session.
        enrolment = self.holder(visit).enrolment
        facts = self._facts(enrolment, session.began)
        price_fen = visit.price(COMPUTER, facts, kind=RecordKind.EXIT).amount_fen
        over = self.marked(visit, Session(), SESSION.name)
        paid = self.marked(visit, self.counted(enrolment, price_fen, visit.at), ENROLMENT.name)
        return Sale(
            service=COMPUTER,
            amount_fen=price_fen,
            facts=facts,
            kind=RecordKind.EXIT,
            writes={SESSION.name: over, ENROLMENT.name: paid},
        )

    def _facts(self, enrolment: Enrolment, began: dt.datetime | None) -> ComputerFacts:
        return ComputerFacts(
            school=enrolment.school,
            role=enrolment.role,
            pupil=enrolment.pupil,
            room=self.room,
            began=began,
        )


def _passed(enrolment: Enrolment, place: int) -> PassFacts:
    return PassFacts(school=enrolment.school, role=enrolment.role, pupil=enrolment.pupil, place=place)
