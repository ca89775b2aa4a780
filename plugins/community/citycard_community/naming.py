"""What things are called on pages: by their configured names, in the reader's language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import attrs

from citycard_community.settings import CommunitySettings

if TYPE_CHECKING:
    from citycard_community.openings import DoorOpening

__all__ = ["Named", "Names", "Parked", "Placed"]


class Named(Protocol):
    """What has a name, and perhaps one in Chinese."""

    @property
    def name(self) -> str: ...
    @property
    def name_zh(self) -> str: ...


class Placed(Protocol):
    """What belongs to a flat."""

    @property
    def community(self) -> str: ...
    @property
    def building(self) -> int: ...
    @property
    def room(self) -> str: ...


class Parked(Protocol):
    """What belongs to a car park."""

    @property
    def community(self) -> str: ...
    @property
    def car_park(self) -> int: ...


@attrs.frozen
class Names:
    """Names for one reader; what the settings do not know any more is called by its number."""

    settings: CommunitySettings
    chinese: bool

    def of(self, one: Named) -> str:
        """Name what has a name itself: a community, a car park, a door."""
        return one.name_zh if self.chinese and one.name_zh else one.name

    def place(self, one: Placed) -> str:
        """Name a flat by its community, building and room."""
        community = self.settings.find(one.community)
        if community is None:
            return f"{one.community} {one.building}-{one.room}"
        zone = community.building(one.building)
        parts = (self.of(community), self.of(zone) if zone else str(one.building), one.room)
        return ("" if self.chinese else ", ").join(parts)

    def door(self, opening: DoorOpening) -> str:
        """Name the door that was opened."""
        found = self.settings.door(opening.record.partition("-")[0])
        return self.of(found[1]) if found else opening.door

    def car_park(self, one: Parked) -> str:
        """Name the car park of a pass."""
        community = self.settings.find(one.community)
        park = community and community.car_park(one.car_park)
        return self.of(park) if park else str(one.car_park)
