"""Who may do what of health, and what stands in the menu."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from citycard.kernel.outside import MenuItem, Permission

if TYPE_CHECKING:
    from citycard_health.settings import HealthSettings

__all__ = [
    "BOOK",
    "CHARGE",
    "KEEP_DESK",
    "KEEP_RECORDS",
    "MANAGE",
    "PERMISSIONS",
    "READ_CLAIMS",
    "READ_DESK",
    "READ_RECORDS",
    "RETURN",
    "SPEND",
    "menu",
]

READ_RECORDS = "health.read-records"
KEEP_RECORDS = "health.keep-records"
BOOK = "health.book-appointments"
CHARGE = "health.charge-visits"
RETURN = "health.return-visits"
SPEND = "health.pay-sports"
READ_DESK = "health.read-desk"
KEEP_DESK = "health.keep-desk"
READ_CLAIMS = "health.read-claims"
MANAGE = "health.manage-claims"

PERMISSIONS = (
    Permission(
        name=READ_RECORDS,
        title="Read somebody's health data, with a reason. Every reading is recorded.",
        roles=("citizen", "partner"),
    ),
    Permission(
        name=KEEP_RECORDS,
        title="Add to health records: doses, summaries, persons.",
        roles=("partner", "clerk"),
    ),
    Permission(name=BOOK, title="Book and cancel appointments.", roles=("citizen", "clerk", "partner")),
    Permission(name=CHARGE, title="Charge visits for a clinic.", roles=("partner",)),
    Permission(name=RETURN, title="Give back visits for a clinic.", roles=("partner",)),
    Permission(
        name=SPEND, title="Pay sports from the social-security account.", roles=("citizen", "partner")
    ),
    Permission(name=READ_DESK, title="See a clinic's day: who is expected, what is due.", roles=("partner",)),
    Permission(name=KEEP_DESK, title="Note at a clinic's desk that patients came.", roles=("partner",)),
    Permission(name=READ_CLAIMS, title="See an insurer's claims and statements.", roles=("partner",)),
    Permission(name=MANAGE, title="Close and settle insurers' months, take in their files."),
)


def menu(settings: HealthSettings) -> Iterator[MenuItem]:
    """Give the entries of the menu: a citizen's, and that of clinics, insurers and venues."""
    there = tuple(one.id for one in settings.partners)
    # A clinic may read a record for a reason, but none of them is its own.
    yield MenuItem(
        path="/mine", title="My health", title_zh="我的健康", permission=READ_RECORDS, own=True, partners=()
    )
    yield MenuItem(path="/desk", title="Clinics", title_zh="医疗机构", permission=READ_DESK, partners=there)
