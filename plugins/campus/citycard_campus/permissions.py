"""Who may do what at school, what stands in the menu, and the commands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from citycard.kernel.outside import Command, MenuItem, Permission

if TYPE_CHECKING:
    from citycard_campus.settings import CampusSettings

__all__ = [
    "COMMANDS",
    "DECIDE_POTS",
    "GRANT_MEALS",
    "LIMIT_CHILDREN",
    "MANAGE_ROLL",
    "PERMISSIONS",
    "READ_CHILDREN",
    "READ_POTS",
    "READ_ROLL",
    "READ_SCHOOLS",
    "TELL_PRESENCES",
    "menu",
]

READ_ROLL = "campus.read-roll"
MANAGE_ROLL = "campus.manage-roll"
READ_CHILDREN = "campus.read-children"
LIMIT_CHILDREN = "campus.limit-children"
TELL_PRESENCES = "campus.tell-presences"
READ_SCHOOLS = "campus.read-schools"
GRANT_MEALS = "campus.grant-meals"
READ_POTS = "campus.read-pots"
DECIDE_POTS = "campus.decide-pots"

PERMISSIONS = (
    Permission(name=READ_ROLL, title="See who is enrolled, with names.", roles=("clerk",)),
    Permission(name=MANAGE_ROLL, title="Enrol, end enrolments, take over timetables.", roles=("clerk",)),
    Permission(name=READ_CHILDREN, title="See one's children at school.", roles=("citizen",)),
    Permission(name=LIMIT_CHILDREN, title="Limit what a child spends in a day.", roles=("citizen",)),
    Permission(name=TELL_PRESENCES, title="Tell who is in a lesson, as a school.", roles=("partner",)),
    Permission(name=READ_SCHOOLS, title="See a school's statement.", roles=("clerk", "partner")),
    Permission(name=GRANT_MEALS, title="Grant a month's meals out of a programme."),
    Permission(name=READ_POTS, title="See meals that pots did not pay.", roles=("clerk",)),
    Permission(name=DECIDE_POTS, title="Decide meals that pots did not pay, and reopen pots."),
)
COMMANDS = tuple(
    Command(path=("campus", name), target=f"citycard_campus.commands:{attribute}", summary=summary)
    for name, attribute, summary in (
        ("enrol", "enrol", "Enrol pupils and teachers from a CSV file."),
        ("end", "end", "End an enrolment: graduation, a move."),
        ("roll", "roll", "Write who is enrolled as CSV."),
        ("timetable", "timetable", "Take over lessons from a CSV file."),
        ("grant-meals", "grant_meals", "Grant a month's meals to a school's pupils."),
        ("settle", "settle", "Pay canteens for cleared meals, and list what waits."),
        ("decide", "decide", "Pay or refuse a meal that waits."),
        ("reopen", "reopen", "Let a card's meal pot be used again."),
        ("statement", "statement", "Write a school's statement."),
    )
)


def menu(settings: CampusSettings) -> Iterator[MenuItem]:
    """Give the entries of the menu: the schools' own and the office's, and a guardian's."""
    schools = tuple(school.id for school in settings.schools)
    yield MenuItem(
        path="/overview", title="Schools", title_zh="学校", permission=READ_SCHOOLS, partners=schools
    )
    yield MenuItem(path="/mine", title="My children", title_zh="我的孩子", permission=READ_CHILDREN, own=True)
