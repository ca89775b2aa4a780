"""What the city vouches for about residents when it is asked online: who lives in a community today."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING

from citycard.kernel.services import Entitlement, Holder
from citycard.store import reading
from citycard_community.fees import RESIDENT
from citycard_community.granting import rights_of_card
from citycard_community.sectors import RightKind

if TYPE_CHECKING:
    from citycard.kernel.identity import PluginContext

__all__ = ["residents"]


def residents(holder: Holder, at: dt.datetime, context: PluginContext) -> Iterator[Entitlement]:
    """Vouch for a resident until the last day of the longest right as owner or tenant."""
    if context.engine is None:
        return
    with reading(context.engine) as conn:
        rights = rights_of_card(conn, holder.asn, at.date())
    lives = [
        one.last_day for one in rights if one.kind in {RightKind.OWNER, RightKind.TENANT} and one.holds_at(at)
    ]
    if lives:
        yield Entitlement(name=RESIDENT, until=max(lives))
