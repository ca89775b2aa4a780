"""What campus tells, once it was committed."""

from __future__ import annotations

import attrs

from citycard.kernel.data import EventType

__all__ = [
    "ABSENCE_TAKEN_BACK",
    "ENROLMENT_ENDED",
    "EVENTS",
    "LESSON_MISSED",
    "POT_CARRIED",
    "POT_DOUBTED",
    "AbsenceTakenBack",
    "EnrolmentEnded",
    "LessonMissed",
    "PotCarried",
    "PotDoubted",
]

LESSON_MISSED = "campus.lesson-missed"
ABSENCE_TAKEN_BACK = "campus.absence-taken-back"
ENROLMENT_ENDED = "campus.enrolment-ended"
POT_CARRIED = "campus.pot-carried"
POT_DOUBTED = "campus.pot-doubted"


@attrs.frozen(kw_only=True)
class LessonMissed:
    """A pupil was not there: ``guardian`` is the card of whom to tell, empty where nobody is named."""

    pupil: int
    card: str
    guardian: str
    lesson: int
    title: str
    day: str
    begins: str


@attrs.frozen(kw_only=True)
class AbsenceTakenBack:
    """A pupil who was told missing had been there, or came late (``at``, local)."""

    pupil: int
    guardian: str
    lesson: int
    day: str
    at: str


@attrs.frozen(kw_only=True)
class EnrolmentEnded:
    """A pupil or teacher left: terminals refuse the enrolment from their next configuration on."""

    pupil: int
    card: str
    school: str
    why: str


@attrs.frozen(kw_only=True)
class PotCarried:
    """Meal money was put aside for a card: the school's desk writes it onto it."""

    card: str
    amount_fen: int


@attrs.frozen(kw_only=True)
class PotDoubted:
    """A cleared meal was not paid out of its pot, and somebody has to look: which, how much, why."""

    record: str
    card: str
    amount_fen: int
    why: str


EVENTS = (
    EventType(name=LESSON_MISSED, title="A pupil missed a lesson", body=LessonMissed),
    EventType(name=ABSENCE_TAKEN_BACK, title="A pupil was there after all", body=AbsenceTakenBack),
    EventType(name=ENROLMENT_ENDED, title="An enrolment ended", body=EnrolmentEnded),
    EventType(name=POT_CARRIED, title="Meal money was put aside for a card", body=PotCarried),
    EventType(name=POT_DOUBTED, title="A meal was not paid out of its pot", body=PotDoubted),
)
