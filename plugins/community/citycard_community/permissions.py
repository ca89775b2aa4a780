"""Who may do what in a community, and whose things they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from citycard.kernel.outside import Permission

if TYPE_CHECKING:
    from citycard.web.permissions import Actor
    from citycard_community.settings import Community

__all__ = [
    "BUY_PASSES",
    "INVITE",
    "KEEP_LEASES",
    "KEEP_STAFF",
    "KEEP_UNITS",
    "PAY_FEES",
    "PERMISSIONS",
    "READ_FEES",
    "READ_HOME",
    "READ_OPENINGS",
    "owner_of",
]

READ_HOME = "community.read-home"
PAY_FEES = "community.pay-fees"
BUY_PASSES = "community.buy-passes"
INVITE = "community.invite-visitors"
READ_OPENINGS = "community.read-openings"
KEEP_LEASES = "community.keep-leases"
KEEP_STAFF = "community.keep-staff"
KEEP_UNITS = "community.keep-units"
READ_FEES = "community.read-fees"

_CITIZEN, _PARTNER = ("citizen",), ("partner",)

PERMISSIONS = (
    Permission(
        name=READ_HOME, title="See a card's doors, flats, fees due, parking and visitors.", roles=_CITIZEN
    ),
    Permission(name=PAY_FEES, title="Pay property fees from an online account.", roles=_CITIZEN),
    Permission(name=BUY_PASSES, title="Buy parking passes from an online account.", roles=_CITIZEN),
    Permission(name=INVITE, title="Give visitors rights for a day.", roles=_CITIZEN),
    Permission(
        name=READ_OPENINGS,
        title="See when doors were opened; the property company also by whom. Looks are recorded.",
        roles=("citizen", "partner"),
    ),
    Permission(
        name=KEEP_LEASES, title="Begin, extend and end leases of units.", roles=("citizen", "partner")
    ),
    Permission(name=KEEP_UNITS, title="Take over units with their owners.", roles=_PARTNER),
    Permission(
        name=KEEP_STAFF, title="Give rights to people who work there, and take rights back.", roles=_PARTNER
    ),
    Permission(name=READ_FEES, title="See the fees that a community is owed.", roles=_PARTNER),
)


def owner_of(actor: Actor, community: Community, asn: str) -> str:
    """Say whose a thing is to whoever asks: the property company's for partners, a card's for citizens."""
    return community.partner if actor.role == "partner" else asn
