"""Whether a door opens for what a card carries. Pure: nothing but configuration, card and the card's key."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from citycard.errors import Phrase
from citycard_community.errors import DoorClosed
from citycard_community.rights import CardKey, good_rights, rights_on
from citycard_community.sectors import CardRights, Right, RightKind
from citycard_community.settings import Community, CommunitySettings, Door

__all__ = ["admitted"]


def admitted(
    settings: CommunitySettings,
    community: Community,
    door: Door,
    record: CardRights,
    *,
    asn: str,
    key: CardKey,
    revoked: Collection[int],
    at: dt.datetime,
) -> Right:
    """Return the right that opens a door at a local moment; raise DoorClosed with the nearest reason why not.

    Codes: ``no-right``, ``forged``, ``revoked``, ``not-here``, ``not-yet``, ``ended``, ``hours``.
    """
    claimed = [one for one in rights_on(record) if one.kind is not RightKind.PARKING]
    if not claimed:
        raise _closed(door, "no-right", "the card carries no right to open doors")
    genuine = [one for one in good_rights(record, asn, key) if one.kind is not RightKind.PARKING]
    if not genuine:
        raise _closed(door, "forged", "the rights on the card were not signed for it")
    here = [one for one in genuine if one.community == community.number and one.zones >> door.zone & 1]
    if not here:
        raise _closed(door, "not-here", "the card opens other doors, and not this one")
    kept = [one for one in here if one.serial not in revoked]
    if not kept:
        raise _closed(door, "revoked", "the right was taken back")
    today = [one for one in kept if one.holds_on(at.date())]
    if not today:
        raise _out_of_days(door, kept, at.date())
    now = [one for one in today if settings.hours_hold(one.hours, at)]
    if not now:
        raise _closed(door, "hours", "the right does not hold at this time of day")
    return min(now, key=lambda one: one.serial)


def _out_of_days(door: Door, rights: list[Right], day: dt.date) -> DoorClosed:
    coming = [one.starts_on for one in rights if one.starts_on is not None and one.starts_on > day]
    if coming:
        return _closed(door, "not-yet", Phrase("the right begins on {coming}", coming=min(coming)))
    ended = max(one.ends_on for one in rights if one.ends_on is not None)
    return _closed(door, "ended", Phrase("the right ended on {ended}", ended=ended))


def _closed(door: Door, code: str, reason: str) -> DoorClosed:
    return DoorClosed(door=door.name, code=code, reason=reason)
