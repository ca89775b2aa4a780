"""The city's card holders: what identifies them is sealed by a key of the vault, without being asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from citycard import registry
from citycard.registry import Holder, HolderRead
from citycard.store import reading, writing

if TYPE_CHECKING:
    from citycard.city.city import City

__all__ = ["Holders"]


class Holders:
    """Add holders and read their personal data; the key that seals it never leaves the vault."""

    def __init__(self, city: City) -> None:
        self._city = city

    def add(self, people: Sequence[Holder]) -> int:
        """Add holders, sealed, and return how many are new; one that is there is not touched."""
        sealer = self._city.sealer
        with writing(self._city.engine) as conn:
            return registry.add_holders(conn, people, sealer=sealer)

    def read(self, holder: UUID, *, reader: str, purpose: str) -> Holder:
        """Open a holder's personal data; that ``reader`` did so for ``purpose`` is on the disk before.

        Raises RegistryMissing, RegistryInvalid without a reader or a purpose, and SealBroken.
        """
        city, sealer = self._city, self._city.sealer
        with writing(city.engine) as conn:
            return registry.read_holder(
                conn, holder, sealer=sealer, reader=reader, purpose=purpose, at=city.clock.now()
            )

    def reads(self, holder: UUID) -> list[HolderRead]:
        """List who read a holder's personal data, oldest first."""
        with reading(self._city.engine) as conn:
            return registry.holder_reads(conn, holder)
