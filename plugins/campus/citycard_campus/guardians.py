"""What a guardian sees and says: the children, where they were, what they ate, and a limit for the day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs
from sqlalchemy import Connection, update

from citycard import CitizenLine
from citycard.errors import Phrase
from citycard.store import reading, writing
from citycard_campus.attendance import Absence, Presence, absences_of, presences_of
from citycard_campus.errors import GuardianUnknown, PupilRefused
from citycard_campus.loans import Loan, loans_of
from citycard_campus.pots import Pot, find_pot
from citycard_campus.roll import Pupil, find_pupil, pupils_of
from citycard_campus.settings import hour
from citycard_campus.settling import PotUse, uses_of
from citycard_campus.tables import loan, pot_use, pupil

if TYPE_CHECKING:
    from citycard_campus.campus import Campus

__all__ = ["Child", "children", "limit_day", "lines"]

_MOST_FEN = 1_000_000
_SHOWN = 20


@attrs.frozen(kw_only=True)
class Child:
    """A child with what happened lately; ``meals`` are cleared meals that the pot paid for."""

    number: int
    name: str
    school: str
    group: str
    card: str
    until: dt.date
    enrolled: bool
    day_limit_fen: int | None
    pot_left_fen: int
    absences: tuple[Absence, ...]
    presences: tuple[Presence, ...]
    meals: tuple[PotUse, ...]
    loans: tuple[Loan, ...]


def children(campus: Campus, guardian: str) -> list[Child]:
    """Give the children of a guardian, whose card this is; a pupil's own card shows the pupil."""
    with reading(campus.engine) as conn:
        found = pupils_of(conn, (pupil.c.guardian == guardian) | (pupil.c.asn == guardian))
        return [_child(campus, conn, one) for one in found]


def limit_day(campus: Campus, guardian: str, number: int, day_limit_fen: int | None) -> Pupil:
    """Let a guardian limit what a child's purse pays at school in a day; None takes the limit away.

    The school's desk writes it onto the card, and terminals keep to it offline. Raise GuardianUnknown,
    PupilRefused.
    """
    if day_limit_fen is not None and not 0 <= day_limit_fen <= _MOST_FEN:
        raise PupilRefused(
            field="day_limit_fen",
            value=day_limit_fen,
            expected=Phrase("0 to {most_fen} fen", most_fen=_MOST_FEN),
        )
    with writing(campus.engine) as conn:
        mine = (pupil.c.number == number, pupil.c.guardian == guardian, pupil.c.guardian != "")
        if not conn.execute(update(pupil).where(*mine), {"day_limit_fen": day_limit_fen}).rowcount:
            raise GuardianUnknown(pupil=number)
        return find_pupil(conn, number)


def lines(campus: Campus, asn: str) -> Iterator[CitizenLine]:
    """Say on a citizen's card page what happened at school: to the holder, and to the holder's children."""
    with reading(campus.engine) as conn:
        mine = pupils_of(conn, (pupil.c.guardian == asn) | (pupil.c.asn == asn))
        if not mine:
            return
        names = {one.number: "" if one.asn == asn else campus.opened(one.name) for one in mine}
        missed = absences_of(conn, *names, limit=_SHOWN)
        cards = [one.asn for one in mine if one.asn == asn]
        eaten = uses_of(conn, pot_use.c.asn.in_(cards), limit=_SHOWN)
    found = [_missed(one, names[one.pupil]) for one in missed] + [_eaten(one) for one in eaten]
    yield from sorted(found, key=lambda line: line.at, reverse=True)[:_SHOWN]


def _child(campus: Campus, conn: Connection, one: Pupil) -> Child:
    held: Pot = find_pot(conn, one.asn)
    return Child(
        number=one.number,
        name=campus.opened(one.name),
        school=campus.settings.school(one.school).name,
        group=one.group,
        card=one.asn,
        until=one.until,
        enrolled=one.enrolled(campus.now().date()),
        day_limit_fen=one.day_limit_fen,
        pot_left_fen=held.left_fen,
        absences=tuple(absences_of(conn, one.number, limit=_SHOWN)),
        presences=tuple(presences_of(conn, one.number, limit=_SHOWN)),
        meals=tuple(uses_of(conn, pot_use.c.asn == one.asn, limit=_SHOWN)),
        loans=tuple(loans_of(conn, loan.c.pupil == one.number, limit=_SHOWN)),
    )


def _missed(one: Absence, name: str) -> CitizenLine:
    who, who_zh = (name, name) if name else ("You", "您")
    back = one.taken_back_at is not None
    return CitizenLine(
        at=dt.datetime.combine(one.day, hour(one.begins)),
        title=f"{who} came after all: {one.title}, {one.begins}" if back else f"{who} missed {one.title}",
        title_zh=f"{who_zh}已到课:{one.title} {one.begins}" if back else f"{who_zh}缺课:{one.title}",
        path="/campus/mine",
    )


def _eaten(one: PotUse) -> CitizenLine:
    return CitizenLine(
        at=one.at,
        title="The meal pot paid at school",
        title_zh="餐补支付校园就餐",
        amount_fen=-one.pot_fen,
        path="/campus/mine",
    )
