"""What campus keeps on a card, and what its records say (docs/campus.md).

The enrolment carries the meal pot as two sums that only grow: what was ever carried onto the card, and what
was ever taken from it. A terminal adds to the second, the school's desk sets the first: so a step that is
done twice changes nothing, and what is missing or repeated shows in the count of uses.
"""

from __future__ import annotations

import datetime as dt
from enum import IntEnum

from citycard.card.codec import (
    amount,
    choice,
    date,
    encode,
    examples,
    flag,
    layout,
    moment,
    raw,
    reserved,
    text,
    unsigned,
)
from citycard.card.sector import SectorLayout

__all__ = [
    "ENROLMENT",
    "MARK_SIZE",
    "SESSION",
    "ComputerFacts",
    "DeskFacts",
    "Enrolment",
    "LibraryFacts",
    "MealFacts",
    "PassFacts",
    "Role",
    "Session",
    "Sort",
]

MARK_SIZE = 8


class Role(IntEnum):
    """Who somebody is at school; a card without enrolment is a guest's."""

    GUEST = 0
    PUPIL = 1
    TEACHER = 2

    @property
    def word(self) -> str:
        """Return its name as settings and files have it."""
        return self.name.lower()


class Sort(IntEnum):
    """What a use of the library was."""

    LENT = 1
    RETURNED = 2


@layout(size=64)
class Enrolment:
    """Who the holder is at which school, until when; the meal pot; what may be spent in a day."""

    role: Role = choice(Role, default=Role.GUEST)
    school: int = unsigned(2, default=0, note="the school's number")
    pupil: int = unsigned(4, default=0, note="number of the enrolment")
    group: str = text(16, default="", note="class")
    until: dt.date | None = date(default=None, note="last day, included")
    loaded_fen: int = amount(default=0, note="all that was ever carried into the pot")
    spent_fen: int = amount(default=0, note="all that was ever taken from the pot")
    uses: int = unsigned(2, default=0, note="how often the pot was used")
    limited: bool = flag(default=False)
    day_limit_fen: int = amount(default=0, note="the guardian's limit of a day, when limited")
    spent_on: dt.date | None = date(default=None)
    spent_today_fen: int = amount(default=0, note="from the purse, on that day")
    reserved: bytes = reserved(6)
    mark: bytes = raw(MARK_SIZE, default=bytes(MARK_SIZE), note="CMAC under the card's campus key")

    @property
    def pot_fen(self) -> int:
        """Return what is in the meal pot; never less than nothing, whatever was written."""
        return max(0, self.loaded_fen - self.spent_fen)

    def left_on(self, day: dt.date) -> int | None:
        """Return what the guardian's limit leaves of a day in fen; None without a limit."""
        if not self.limited:
            return None
        return max(0, self.day_limit_fen - self.spent_today(day))

    def spent_today(self, day: dt.date) -> int:
        """Return what was paid from the purse on a day, as far as the card knows."""
        return self.spent_today_fen if self.spent_on == day else 0


@layout(size=24)
class Session:
    """The session in a computer room that is going on, if one is."""

    room: int = unsigned(2, default=0, note="0 no session")
    began: dt.datetime | None = moment(default=None)
    reserved: bytes = reserved(7)
    mark: bytes = raw(MARK_SIZE, default=bytes(MARK_SIZE), note="CMAC under the card's campus key")


@layout(size=48)
class MealFacts:
    """A meal: for whom, and what the pot paid of it; ``uses``, ``spent_fen``, ``loaded_fen`` are as after."""

    school: int = unsigned(2)
    role: Role = choice(Role)
    pupil: int = unsigned(4, default=0)
    pot_fen: int = amount(default=0, note="paid by the pot, beside the record's own amount")
    uses: int = unsigned(2, default=0, note="0 when the pot was not used")
    spent_fen: int = amount(default=0)
    loaded_fen: int = amount(default=0)
    reserved: bytes = reserved(27)


@layout(size=48)
class ComputerFacts:
    """A session in a computer room."""

    school: int = unsigned(2)
    role: Role = choice(Role)
    pupil: int = unsigned(4)
    room: int = unsigned(2)
    began: dt.datetime | None = moment(default=None)
    reserved: bytes = reserved(32)


@layout(size=48)
class PassFacts:
    """A door that was passed, or a room in which a lesson was attended."""

    school: int = unsigned(2)
    role: Role = choice(Role)
    pupil: int = unsigned(4)
    place: int = unsigned(2, note="number of the door or the room")
    reserved: bytes = reserved(39)


@layout(size=48)
class LibraryFacts:
    """An item that was lent or came back."""

    school: int = unsigned(2)
    role: Role = choice(Role)
    pupil: int = unsigned(4)
    sort: Sort = choice(Sort)
    item: str = text(20)
    due: dt.date = date(blank=False)
    reserved: bytes = reserved(16)


@layout(size=48)
class DeskFacts:
    """What the school's desk wrote onto a card."""

    school: int = unsigned(2)
    role: Role = choice(Role)
    pupil: int = unsigned(4)
    loaded_fen: int = amount()
    spent_fen: int = amount()
    uses: int = unsigned(2)
    until: dt.date | None = date(default=None)
    reserved: bytes = reserved(27)


_PUPIL = Enrolment(
    role=Role.PUPIL,
    school=3,
    pupil=1001,
    group="7-3",
    until=dt.date(2027, 7, 15),
    loaded_fen=10_000,
    spent_fen=1_000,
    uses=1,
    limited=True,
    day_limit_fen=2_000,
    spent_on=dt.date(2026, 9, 1),
    spent_today_fen=300,
    mark=bytes.fromhex("0102030405060708"),
)
examples(
    Enrolment,
    (
        (
            f"01 0003 000003E9 {b'7-3'.hex()}{'00' * 13} 20270715 00002710 000003E8 0001 01 000007D0"
            f" 20260901 0000012C {'00' * 6} 0102030405060708"
        ),
        _PUPIL,
    ),
)
_AT_A_DESK = Session(
    room=12,
    began=dt.datetime(2026, 9, 1, 16, 30),  # noqa: DTZ001 - cards know local time only
    mark=bytes.fromhex("0102030405060708"),
)
examples(Session, (f"000C 20260901163000 {'00' * 7} 0102030405060708", _AT_A_DESK))
examples(
    MealFacts,
    (
        f"0003 01 000003E9 000003E8 0001 000003E8 00002710 {'00' * 27}",
        MealFacts(
            school=3, role=Role.PUPIL, pupil=1001, pot_fen=1000, uses=1, spent_fen=1000, loaded_fen=10_000
        ),
    ),
)

ENROLMENT = SectorLayout(
    name="campus",
    title="Enrolment and meal pot",
    title_zh="学籍与餐补",
    record=Enrolment,
    examples=((encode(_PUPIL), _PUPIL),),  # type: ignore[arg-type]
)
SESSION = SectorLayout(
    name="campus-session",
    title="Session in a computer room",
    title_zh="机房上机",
    record=Session,
    examples=((encode(_AT_A_DESK), _AT_A_DESK),),  # type: ignore[arg-type]
)
