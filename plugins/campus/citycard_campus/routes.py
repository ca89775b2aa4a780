"""Campus's addresses: what is where, and who may use it.

What answers is in ``web``, ``moneyweb`` and ``pages``, which are imported with the first request: opening a
city does without them, and without what they work with.
"""

from __future__ import annotations

from citycard.kernel.outside import PUBLIC, Route
from citycard_campus.permissions import (
    DECIDE_POTS,
    GRANT_MEALS,
    LIMIT_CHILDREN,
    MANAGE_ROLL,
    READ_CHILDREN,
    READ_POTS,
    READ_ROLL,
    READ_SCHOOLS,
    TELL_PRESENCES,
)

__all__ = ["PAGES", "ROUTES"]

_WEB, _MONEY, _PAGES = "citycard_campus.web", "citycard_campus.moneyweb", "citycard_campus.pages"

ROUTES = (
    Route(
        path="/schools",
        endpoint=f"{_WEB}:schools",
        permission=PUBLIC,
        response=f"{_WEB}:SchoolList",
        summary="The schools, and what meals cost.",
    ),
    Route(
        path="/roll",
        endpoint=f"{_WEB}:enrol",
        permission=MANAGE_ROLL,
        methods=("POST",),
        request=f"{_WEB}:RollFile",
        response="citycard_campus.roll:RollReport",
        summary="Enrol pupils and teachers from a CSV file; bad lines are told, the others enrolled.",
    ),
    Route(
        path="/members",
        endpoint=f"{_WEB}:members",
        permission=READ_ROLL,
        request=f"{_WEB}:RollQuery",
        response=f"{_WEB}:MemberList",
        summary="Who is or was enrolled.",
    ),
    Route(
        path="/members/{number:int}/end",
        endpoint=f"{_WEB}:end_one",
        permission=MANAGE_ROLL,
        methods=("POST",),
        request=f"{_WEB}:EnrolmentEnd",
        summary="End an enrolment today.",
    ),
    Route(
        path="/timetable",
        endpoint=f"{_WEB}:timetable",
        permission=MANAGE_ROLL,
        methods=("POST",),
        request=f"{_WEB}:RollFile",
        response="citycard_campus.attendance:TimetableReport",
        summary="Take over lessons from a CSV file.",
    ),
    Route(
        path="/presences",
        endpoint=f"{_WEB}:presence",
        permission=TELL_PRESENCES,
        methods=("POST",),
        request=f"{_WEB}:PresenceTold",
        response="citycard_campus.attendance:Lesson",
        summary="Tell that a card was tapped in a room with a lesson.",
    ),
    Route(
        path="/guardians/{card}/children",
        endpoint=f"{_WEB}:my_children",
        permission=READ_CHILDREN,
        response=f"{_WEB}:ChildList",
        summary="A guardian's children: attendance, meals, loans, limit.",
    ),
    Route(
        path="/members/{number:int}/limit",
        endpoint=f"{_WEB}:limit",
        permission=LIMIT_CHILDREN,
        methods=("POST",),
        request=f"{_WEB}:ChildLimit",
        response=f"{_WEB}:LimitSet",
        summary="Limit what a child spends at school in a day.",
    ),
    Route(
        path="/schools/{school}/grants",
        endpoint=f"{_MONEY}:grant",
        permission=GRANT_MEALS,
        methods=("POST",),
        request=f"{_MONEY}:MealGrant",
        response=f"{_MONEY}:MealGranted",
        summary="Grant a month's meals to a school's pupils; once under a batch.",
    ),
    Route(
        path="/schools/{school}/statement",
        endpoint=f"{_MONEY}:statement",
        permission=READ_SCHOOLS,
        request=f"{_MONEY}:StatementQuery",
        response="citycard_campus.statements:SchoolStatement",
        summary="A school's statement: pots, meals, missed lessons.",
    ),
    Route(
        path="/doubts",
        endpoint=f"{_MONEY}:doubts",
        permission=READ_POTS,
        response=f"{_MONEY}:PotUseList",
        summary="Meals that pots did not pay and somebody has to decide.",
    ),
    Route(
        path="/doubts/{record}/decision",
        endpoint=f"{_MONEY}:decision",
        permission=DECIDE_POTS,
        methods=("POST",),
        request=f"{_MONEY}:PotDecision",
        response="citycard_campus.settling:PotUse",
        summary="Pay such a meal out of its pot, or refuse it.",
    ),
    Route(
        path="/pots/{card}/reopen",
        endpoint=f"{_MONEY}:open_again",
        permission=DECIDE_POTS,
        methods=("POST",),
        response="citycard_campus.pots:Pot",
        summary="Let a pot be used again that was closed for doubts.",
    ),
)

PAGES = (
    Route(
        path="/mine",
        endpoint=f"{_PAGES}:mine",
        permission=READ_CHILDREN,
        summary="Page: a guardian's children at school.",
    ),
    Route(
        path="/mine/{number:int}/limit",
        endpoint=f"{_PAGES}:limit",
        permission=LIMIT_CHILDREN,
        methods=("POST",),
        summary="Page: set a child's limit of the day.",
    ),
    Route(
        path="/overview",
        endpoint=f"{_PAGES}:overview",
        permission=READ_SCHOOLS,
        summary="Page: the schools, their meal pots, and meals to decide.",
    ),
    Route(
        path="/overview/{record}",
        endpoint=f"{_PAGES}:decision",
        permission=DECIDE_POTS,
        methods=("POST",),
        summary="Page: decide a meal that its pot did not pay.",
    ),
)
