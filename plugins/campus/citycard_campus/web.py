"""Campus for programs: JSON below /campus."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import attrs
from starlette.concurrency import run_in_threadpool

from citycard.errors import Phrase
from citycard_campus.attendance import Lesson, attend, import_timetable
from citycard_campus.campus import Campus
from citycard_campus.guardians import Child, children, limit_day
from citycard_campus.permissions import (
    LIMIT_CHILDREN,
    READ_CHILDREN,
    TELL_PRESENCES,
)
from citycard_campus.roll import end, import_roll, pupil_of, pupils_of
from citycard_campus.settings import Band
from citycard_campus.tables import pupil

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = [
    "CampusSchool",
    "ChildLimit",
    "ChildList",
    "EnrolmentEnd",
    "LimitSet",
    "Member",
    "MemberList",
    "PresenceTold",
    "RollFile",
    "RollQuery",
    "SchoolList",
]

_FILE_BYTES = 4 * 1024 * 1024


@attrs.frozen(kw_only=True)
class CampusSchool:
    """A school by its id and names."""

    id: str
    name: str
    name_zh: str


@attrs.frozen(kw_only=True)
class SchoolList:
    """The schools, and the meals of the day with their prices in fen."""

    schools: tuple[CampusSchool, ...]
    meals: tuple[Band, ...]


@attrs.frozen(kw_only=True)
class RollFile:
    """A file as text: ``name`` is for messages."""

    name: str
    text: str


@attrs.frozen(kw_only=True)
class RollQuery:
    """Whom to list: of a school, or of all."""

    school: str = ""


@attrs.frozen(kw_only=True)
class Member:
    """Somebody who is or was enrolled."""

    number: int
    school: str
    student_no: str
    role: str
    name: str
    group: str
    card: str
    guardian: str
    until: dt.date
    left_on: dt.date | None


@attrs.frozen(kw_only=True)
class MemberList:
    """Members by school, class and number."""

    members: tuple[Member, ...]


@attrs.frozen(kw_only=True)
class EnrolmentEnd:
    """Why an enrolment ends."""

    why: str


@attrs.frozen(kw_only=True)
class PresenceTold:
    """A card was tapped in a room of a school at a local moment, seen by a terminal with a line."""

    school: str
    card: str
    room: int
    at: dt.datetime


@attrs.frozen(kw_only=True)
class ChildList:
    """A guardian's children."""

    children: tuple[Child, ...]


@attrs.frozen(kw_only=True)
class ChildLimit:
    """What a child may spend at school in a day, in fen; null takes the limit away.

    ``guardian`` is the guardian's card.
    """

    guardian: str
    day_limit_fen: int | None


@attrs.frozen(kw_only=True)
class LimitSet:
    """A limit as it is now; the card learns it at the school's desk."""

    number: int
    day_limit_fen: int | None


def schools(request: Request) -> Response:
    from citycard.web import city_of, json_answer

    settings = Campus.of(city_of(request)).settings
    listed = tuple(CampusSchool(id=one.id, name=one.name, name_zh=one.name_zh) for one in settings.schools)
    return json_answer(SchoolList(schools=listed, meals=settings.bands))


async def enrol(request: Request) -> Response:
    from citycard.web import city_of, json_answer, read_json

    body = await read_json(request, RollFile, limit=_FILE_BYTES)
    campus = Campus.of(city_of(request))
    return json_answer(await run_in_threadpool(import_roll, campus, body.text, file=body.name[:80]))


def members(request: Request) -> Response:
    from citycard.store import reading
    from citycard.web import city_of, json_answer, read_query

    query: RollQuery = read_query(request, RollQuery)
    campus = Campus.of(city_of(request))
    mine = [pupil.c.school == campus.settings.school(query.school).number] if query.school else []
    with reading(campus.engine) as conn:
        found = pupils_of(conn, *mine)
    listed = tuple(
        Member(
            number=one.number,
            school=campus.settings.school(one.school).id,
            student_no=one.student_no,
            role=one.role,
            name=campus.opened(one.name),
            group=one.group,
            card=one.asn,
            guardian=one.guardian,
            until=one.until,
            left_on=one.left_on,
        )
        for one in found
    )
    return json_answer(MemberList(members=listed))


async def end_one(request: Request) -> Response:
    from citycard.web import city_of, json_answer, read_json

    body = await read_json(request, EnrolmentEnd)
    campus, number = Campus.of(city_of(request)), request.path_params["number"]
    ended = await run_in_threadpool(end, campus, number, body.why)
    return json_answer({"number": ended.number, "left_on": ended.left_on, "why": ended.left_why})


async def timetable(request: Request) -> Response:
    from citycard.web import city_of, json_answer, read_json

    body = await read_json(request, RollFile, limit=_FILE_BYTES)
    campus = Campus.of(city_of(request))
    return json_answer(await run_in_threadpool(import_timetable, campus, body.text, file=body.name[:80]))


async def presence(request: Request) -> Response:
    from citycard.store import writing
    from citycard.web import actor_of, city_of, json_answer, read_json, require

    body = await read_json(request, PresenceTold)
    require(actor_of(request), TELL_PRESENCES, body.school)
    campus = Campus.of(city_of(request))

    def work() -> Lesson:
        from citycard_campus.errors import PupilUnknown

        with writing(campus.engine) as conn:
            one = pupil_of(conn, body.card)
            if one.school != campus.settings.school(body.school).number:
                raise PupilUnknown(
                    key=Phrase("card {asn} at {school}", asn=body.card[:20], school=body.school[:32])
                )
            return attend(campus, conn, one, body.room, body.at.replace(tzinfo=None, microsecond=0))

    return json_answer(await run_in_threadpool(work))


def my_children(request: Request) -> Response:
    from citycard.web import actor_of, city_of, json_answer, require

    guardian = request.path_params["card"]
    require(actor_of(request), READ_CHILDREN, guardian)
    return json_answer(ChildList(children=tuple(children(Campus.of(city_of(request)), guardian))))


async def limit(request: Request) -> Response:
    from citycard.web import actor_of, city_of, json_answer, read_json, require

    body = await read_json(request, ChildLimit)
    require(actor_of(request), LIMIT_CHILDREN, body.guardian)
    campus, number = Campus.of(city_of(request)), request.path_params["number"]
    kept = await run_in_threadpool(limit_day, campus, body.guardian, number, body.day_limit_fen)
    return json_answer(LimitSet(number=kept.number, day_limit_fen=kept.day_limit_fen))
