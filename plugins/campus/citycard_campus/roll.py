"""The roll: who is enrolled where, with which card, until when, and whose child it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs
from sqlalchemy import Connection, insert, select, update

from citycard import registry
from citycard.errors import CitycardError, Phrase
from citycard.money import parse_yuan
from citycard.registry.records import CardStatus
from citycard.store import publish, reading, writing
from citycard_campus.csvfiles import BadLine, day, rows
from citycard_campus.errors import PupilRefused, PupilUnknown
from citycard_campus.events import ENROLMENT_ENDED
from citycard_campus.tables import pot, pupil

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from citycard_campus.campus import Campus

__all__ = [
    "COLUMNS",
    "Pupil",
    "RollReport",
    "Wanted",
    "end",
    "enrol",
    "find_pupil",
    "import_roll",
    "move_card",
    "pot_number",
    "pupil_of",
    "pupils_of",
    "stopped",
]

COLUMNS = ("school", "student_no", "role", "name", "class", "card", "guardian", "until", "meal")
_ROLES = ("pupil", "teacher")
_LONGEST_NAME, _LONGEST_NUMBER, _CLASS_BYTES = 40, 20, 16
_MOST_FEN = 1_000_000


@attrs.frozen(kw_only=True)
class Wanted:
    """Somebody to enrol: ``school`` is its id, ``meal_fen`` what a month's meal grant is to be.

    ``guardian`` is the guardian's own card, empty where there is none.
    """

    school: str
    student_no: str
    role: str = "pupil"
    name: str
    group: str = ""
    card: str
    guardian: str = ""
    until: dt.date
    meal_fen: int = 0

    def __attrs_post_init__(self) -> None:
        checks = (
            ("student_no", 0 < len(self.student_no) <= _LONGEST_NUMBER and self.student_no.isprintable(),
             f"1 to {_LONGEST_NUMBER} characters"),
            ("role", self.role in _ROLES, "pupil or teacher"),
            ("name", 0 < len(self.name) <= _LONGEST_NAME and self.name.isprintable(),
             f"1 to {_LONGEST_NAME} characters"),
            ("class", _fits(self.group), f"at most {_CLASS_BYTES} bytes in GB 18030"),
            ("card", _is_asn(self.card), "20 digits"),
            ("guardian", self.guardian == "" or _is_asn(self.guardian), "20 digits, or nothing"),
            ("meal", 0 <= self.meal_fen <= _MOST_FEN, f"0 to {_MOST_FEN} fen"),
        )  # fmt: skip
        for field, fits, expected in checks:
            if not fits:
                value = getattr(self, {"class": "group", "meal": "meal_fen"}.get(field, field))
                # A name stays out of messages.
                told = "not one" if field == "name" else value
                raise PupilRefused(field=field, value=told, expected=expected)


@attrs.frozen(kw_only=True)
class Pupil:
    """Somebody who is or was enrolled; ``name`` is sealed."""

    number: int
    school: int
    student_no: str
    role: str
    name: bytes = attrs.field(repr=False)
    group: str
    asn: str
    guardian: str
    until: dt.date
    meal_fen: int
    day_limit_fen: int | None
    left_on: dt.date | None
    left_why: str

    def enrolled(self, on: dt.date) -> bool:
        """Say whether the enrolment holds on a day."""
        return self.left_on is None and on <= self.until


@attrs.frozen(kw_only=True)
class RollReport:
    """What came of a file: how many were new, changed, as before, and the lines that were left out."""

    enrolled: int
    changed: int
    unchanged: int
    bad: tuple[BadLine, ...]


def import_roll(campus: Campus, text: str, *, file: str) -> RollReport:
    """Enrol what a CSV file says; bad lines are told, the others are enrolled; again without harm.

    Raise FileNotRoll when it is no such file.
    """
    counts = {"enrolled": 0, "changed": 0, "unchanged": 0}
    bad: list[BadLine] = []
    seen: dict[tuple[str, str], int] = {}
    for line, row in rows(text, COLUMNS, file=file):
        try:
            wanted = _wanted(row)
            first = seen.setdefault((wanted.school, wanted.student_no), line)
            if first != line:
                bad.append(BadLine(line=line, reason=f"{wanted.student_no} stands in line {first} already"))
                continue
            counts[enrol(campus, wanted)] += 1
        except (CitycardError, ValueError) as wrong:
            bad.append(BadLine(line=line, reason=str(wrong)))
    return RollReport(**counts, bad=tuple(bad))


def enrol(campus: Campus, wanted: Wanted) -> str:
    """Enrol somebody, or change the enrolment; say ``enrolled``, ``changed`` or ``unchanged``.

    Raise SchoolUnknown, PupilRefused for a card that is not in use or is somebody else's.
    """
    school = campus.settings.school(wanted.school).number
    with writing(campus.engine) as conn:
        known = _row(conn, pupil.c.school == school, pupil.c.student_no == wanted.student_no)
        if known is None or known.asn != wanted.card or known.left_on is not None:
            _check_card(conn, wanted.card, known)
        if wanted.guardian and (known is None or known.guardian != wanted.guardian):
            _check_card(conn, wanted.guardian, None, field="guardian")
        values: dict[str, Any] = {
            "role": wanted.role,
            "group": wanted.group,
            "asn": wanted.card,
            "guardian": wanted.guardian,
            "until": wanted.until,
            "meal_fen": wanted.meal_fen,
            "left_on": None,
            "left_why": "",
        }
        if known is None:
            new = values | {"school": school, "student_no": wanted.student_no}
            made = insert(pupil).values(new | {"name": campus.sealed(wanted.name)}).returning(pupil.c.number)
            number = conn.execute(made).scalar_one()
            _open_pot(conn, wanted.card, number, school, campus.now().date())
            return "enrolled"
        same = all(getattr(known, field) == value for field, value in values.items())
        if same and campus.opened(known.name) == wanted.name:
            return "unchanged"
        named = values | {"name": campus.sealed(wanted.name)}
        conn.execute(update(pupil).where(pupil.c.number == known.number), named)
        _open_pot(conn, wanted.card, known.number, school, campus.now().date())
        return "changed"


def end(campus: Campus, number: int, why: str) -> Pupil:
    """End an enrolment today: graduation, a move. Terminals know it with their next configuration.

    Again without harm. Raise PupilUnknown.
    """
    today = campus.now().date()
    with writing(campus.engine) as conn:
        known = find_pupil(conn, number)
        if known.left_on is None:
            gone = {"left_on": today, "left_why": why.strip()[:60] or "left"}
            conn.execute(update(pupil).where(pupil.c.number == number), gone)
            _give_up(conn, number, today, keep="")
            school = campus.settings.school(known.school).id
            body = {"pupil": number, "card": known.asn, "school": school, "why": gone["left_why"]}
            publish(conn, ENROLMENT_ENDED, [body])
        return find_pupil(conn, number)


def move_card(conn: Connection, old: str, new: str, today: dt.date) -> int:
    """Let an enrolment, and a guardian, go on with the card that replaces one; return how many moved."""
    moved = conn.execute(update(pupil).where(pupil.c.guardian == old), {"guardian": new}).rowcount
    mine = _row(conn, pupil.c.asn == old, pupil.c.left_on.is_(None))
    if mine is None:
        return moved
    conn.execute(update(pupil).where(pupil.c.number == mine.number), {"asn": new})
    _open_pot(conn, new, mine.number, mine.school, today)
    return moved + 1


def find_pupil(conn: Connection, number: int) -> Pupil:
    """Give an enrolment by its number; raise PupilUnknown."""
    known = _row(conn, pupil.c.number == number)
    if known is None:
        raise PupilUnknown(key=Phrase("number {number}", number=number))
    return known


def pupil_of(conn: Connection, asn: str) -> Pupil:
    """Give the enrolment that a card stands for now; raise PupilUnknown."""
    known = _row(conn, pupil.c.asn == asn, pupil.c.left_on.is_(None))
    if known is None:
        raise PupilUnknown(key=Phrase("card {asn}", asn=asn[:20]))
    return known


def pupils_of(conn: Connection, *conditions: Any) -> list[Pupil]:
    """Give the enrolments for which conditions on the table hold, by school, class and number at school."""
    order = (pupil.c.school, pupil.c.group, pupil.c.student_no)
    found = conn.execute(select(pupil).where(*conditions).order_by(*order))
    return [_made(row) for row in found]


def stopped(engine: Engine, today: dt.date) -> Mapping[str, Any]:
    """Say what terminals must refuse before the card itself says so, in numbers that name nobody.

    ``ended`` has those of enrolments whose last day is still to come, ``closed_pots`` what ``pot_number``
    makes of cards.
    """
    with reading(engine) as conn:
        ended = select(pupil.c.number).where(pupil.c.left_on.is_not(None), pupil.c.until >= today)
        # A card says itself when its enrolment is over, and its pot with it.
        closed = (
            select(pot.c.pupil, pot.c.asn)
            .join(pupil, pupil.c.number == pot.c.pupil)
            .where(pot.c.flagged.is_(True), pupil.c.until >= today)
        )
        return {
            "ended": list(conn.scalars(ended.order_by(pupil.c.number))),
            "closed_pots": sorted(pot_number(row.pupil, row.asn) for row in conn.execute(closed)),
        }


def pot_number(number: int, asn: str) -> int:
    """Tell the pots of an enrolment's cards apart: by its number, and the last two digits of the card's."""
    return number * 100 + int(asn[-2:])


def _wanted(row: Mapping[str, str]) -> Wanted:
    return Wanted(
        school=row["school"],
        student_no=row["student_no"],
        role=row["role"] or "pupil",
        name=row["name"],
        group=row["class"],
        card=row["card"].replace(" ", ""),
        guardian=row["guardian"].replace(" ", ""),
        until=day(row["until"], "until"),
        meal_fen=parse_yuan(row["meal"]) if row["meal"] else 0,
    )


def _row(conn: Connection, *conditions: Any) -> Pupil | None:
    row = conn.execute(select(pupil).where(*conditions)).one_or_none()
    return None if row is None else _made(row)


def _made(row: Any) -> Pupil:
    return Pupil(**row._mapping)  # noqa: SLF001 - a Row's own way


def _check_card(conn: Connection, asn: str, known: Pupil | None, *, field: str = "card") -> None:
    status = registry.find_card(conn, asn).status
    if status is not CardStatus.ISSUED:
        raise PupilRefused(
            field=field, value=asn, expected=Phrase("a card in use, not one that is {status}", status=status)
        )
    if field != "card":
        return
    other = _row(conn, pupil.c.asn == asn, pupil.c.left_on.is_(None))
    if other is not None and (known is None or other.number != known.number):
        raise PupilRefused(
            field=field,
            value=asn,
            expected=Phrase("a card that is not enrolled as {number}", number=other.number),
        )
    row = conn.execute(select(pot).where(pot.c.asn == asn)).one_or_none()
    if row is None or (known is not None and row.pupil == known.number):
        return
    left_fen = row.loaded_fen - row.settled_fen - row.returned_fen
    if left_fen:
        expected = Phrase(
            "a card whose pot of enrolment {pupil} is empty: {left_fen} fen wait for late records",
            pupil=row.pupil,
            left_fen=left_fen,
        )
        raise PupilRefused(field=field, value=asn, expected=expected)


def _open_pot(conn: Connection, asn: str, number: int, school: int, today: dt.date) -> None:
    """Let a card have the pot of its pupil, and no other card of the pupil's any more."""
    _give_up(conn, number, today, keep=asn)
    if conn.scalar(select(pot.c.asn).where(pot.c.asn == asn)) is not None:
        taken = {"given_up_on": None, "pupil": number, "school": school}
        conn.execute(update(pot).where(pot.c.asn == asn), taken)
        return
    row = {"asn": asn, "pupil": number, "school": school, "loads": 0, "loaded_fen": 0, "settled_fen": 0}
    conn.execute(insert(pot), row | {"returned_fen": 0, "last_use": 0, "flagged": False})


def _give_up(conn: Connection, number: int, today: dt.date, *, keep: str) -> None:
    mine = (pot.c.pupil == number, pot.c.asn != keep, pot.c.given_up_on.is_(None))
    conn.execute(update(pot).where(*mine), {"given_up_on": today})


def _fits(group: str) -> bool:
    try:
        return len(group.encode("gb18030")) <= _CLASS_BYTES and "\0" not in group
    except UnicodeEncodeError:
        return False


def _is_asn(text: str) -> bool:
    return len(text) == 20 and text.isascii() and text.isdigit()  # noqa: PLR2004 - as the message says
